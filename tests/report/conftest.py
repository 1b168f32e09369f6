from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import write_run


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests only read it, or copy it."""
    return write_run(tmp_path_factory.mktemp("runs") / "2026-08-23-canonical-town-7f3a9c21-s3")
