"""The paper plan that the docs show is what its constants say."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_docs_hold_the_plan_as_it_is_computed(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benches"))
    import plan

    try:
        assert plan.plan() in (ROOT / "docs" / "scale.md").read_text()
    finally:
        del sys.modules["plan"]
