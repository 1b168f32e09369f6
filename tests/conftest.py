"""Fixtures that many tests share."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from solon.run.run import Run

# before torch is imported: spinning threads slow tiny models down on shared machines
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# a suite that a shell began in the background ignores Ctrl-C, and so would the commands it stops
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with Run(tmp_path / "run", cache=tmp_path / "replies.sqlite") as live:
        yield live


@pytest.fixture(scope="session")
def data() -> Path:
    """The shared real data; tests that read it are skipped where it is absent."""
    here = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("SOLON_DATA", here.parent / "shared" / "data"))
    if not (folder / "README.md").exists():
        pytest.skip(f"real data not found at {folder}; set SOLON_DATA to its folder")
    return folder
