"""The pages of the audits: one order, and examples that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = (
    *("position_bias", "agreement", "length_bias", "overoptimisation", "win_rate"),
    *("evasiveness", "preachiness", "principle_use"),
    *("verbosity", "format_hacks", "injection"),
    *("calibration", "repetition", "self_preference", "juries"),
    *("detectors", "compression", "powered_win_rate"),
    *("sycophancy", "social", "identity", "feedback", "suggestion", "drift", "tampering"),
    *("raters", "leakage", "sections", "sensitivity", "recovery"),
)
ORDER = [
    "What it measures",
    "Formula",
    "Source",
    "Settings",
    "How to run",
    "What a planted flaw looks like",
    "How it can mislead",
]
PAGES = [
    *(f"audits/{name}.md" for name in OURS),
    *("recorded-verdicts.md", "recorded-answers.md"),
    *("recorded-pushback.md", "recorded-sycophancy.md"),
]


@pytest.mark.parametrize("name", OURS)
def test_every_page_has_its_parts_in_one_order(name: str) -> None:
    page = (ROOT / "docs" / "audits" / f"{name}.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == ORDER


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(
    page: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})
    assert capsys.readouterr().out.strip()
