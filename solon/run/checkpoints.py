"""Exact state on disk: written beside, checked by size, renamed into place."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import orjson

from solon.seams.feedback import Stateful

MARK = "complete.json"
KEEP = 2


def save_checkpoint(folder: Path, step: int, parts: Sequence[Stateful]) -> Path:
    """Writes every part's state; ``kill -9`` in between leaves earlier checkpoints whole."""
    path = folder / f"step-{step:06d}"
    partial = folder / f".partial-{step:06d}"
    shutil.rmtree(partial, ignore_errors=True)
    for number, part in enumerate(parts):
        (partial / str(number)).mkdir(parents=True)
        part.save_state(partial / str(number))
    (partial / MARK).write_bytes(orjson.dumps({"step": step, "files": _sizes(partial)}))
    shutil.rmtree(path, ignore_errors=True)
    partial.rename(path)
    for old in _all(folder)[:-KEEP]:
        shutil.rmtree(old)
    return path


def load_checkpoint(folder: Path, parts: Sequence[Stateful], *, at: int | None = None) -> int:
    """Restores the newest complete checkpoint (or that of step ``at``); 0 where there is none."""
    for path in reversed(_all(folder)):
        if _complete(path) and at in (None, _step(path)):
            for number, part in enumerate(parts):
                part.load_state(path / str(number))
            return _step(path)
    return 0


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _sizes(folder: Path) -> dict[str, int]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(files)}


def _complete(path: Path) -> bool:
    mark = path / MARK
    return mark.is_file() and orjson.loads(mark.read_bytes())["files"] == _sizes(path)
