"""Exact state on disk: written beside, checked by size, renamed into place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from solon.run.ranks import Alone, Ranks
from solon.seams.feedback import Stateful

MARK = "complete.json"
KEEP = 2


def save_checkpoint(
    folder: Path, step: int, parts: Sequence[Stateful], *, ranks: Ranks = Alone()
) -> None:
    """Writes every part's state; ``kill -9`` in between leaves earlier checkpoints whole.

    Every process is asked for its state, since weights may lie in parts; the first one's stays.
    """
    ranks.agreed(lambda: _clear(folder))
    with kept(folder / f".partial-{step:06d}", ranks) as partial:
        for number, part in enumerate(parts):
            (partial / str(number)).mkdir(parents=True)
            part.save_state(partial / str(number))
    ranks.agreed(lambda: _finish(folder, step, partial))


def _clear(folder: Path) -> None:
    """Removes what saves left behind that were broken off: as large as the model each."""
    for old in folder.glob(".partial-*"):
        shutil.rmtree(old)


def _finish(folder: Path, step: int, partial: Path) -> None:
    path = folder / f"step-{step:06d}"
    with (partial / MARK).open("wb") as mark:
        mark.write(orjson.dumps({"step": step, "files": _sizes(partial)}))
        mark.flush()
        os.fsync(mark.fileno())
    shutil.rmtree(path, ignore_errors=True)
    partial.rename(path)
    for old in _all(folder)[:-KEEP]:
        shutil.rmtree(old)


@contextmanager
def kept(folder: Path, ranks: Ranks) -> Generator[Path]:
    """The folder, for the first process; for any other one that is thrown away."""
    if not ranks.rank:
        yield folder
        return
    with tempfile.TemporaryDirectory() as elsewhere:
        yield Path(elsewhere)


def load_checkpoint(
    folder: Path, parts: Sequence[Stateful], *, at: int | None = None, ranks: Ranks = Alone()
) -> int:
    """Restores the newest complete checkpoint (or that of step ``at``); 0 where there is none."""
    found = ranks.agreed(lambda: _newest(folder, at))
    if found is None:
        return 0
    for number, part in enumerate(parts):
        part.load_state(found / str(number))
    return _step(found)


def _newest(folder: Path, at: int | None) -> Path | None:
    fits = (p for p in reversed(_all(folder)) if _complete(p) and at in (None, _step(p)))
    return next(fits, None)


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _sizes(folder: Path) -> dict[str, int]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(files)}


def _complete(path: Path) -> bool:
    mark = path / MARK
    try:
        return mark.is_file() and orjson.loads(mark.read_bytes())["files"] == _sizes(path)
    except orjson.JSONDecodeError:  # power was lost before the mark was on disk
        return False
