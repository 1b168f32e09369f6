"""The folder that games are kept in: whose it is, and what is written there in the end."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

import orjson
from rich.console import Console

from solon.bench.labelling.made import made_by
from solon.errors import RunError, SettingError
from solon.report import write_report
from solon.run.display import Display
from solon.run.run import Run
from solon.run.shards import shards
from solon.run.start import write_manifest
from solon.seams.feedback import Spec

MADE = "debating.json"
T = TypeVar("T")


class Asking(Protocol[T]):
    """Games about questions."""

    @property
    def questions(self) -> Spec[list[T]]: ...


@contextmanager
def opened(
    out: Path | None, *, seed: int, budget: float | None, quiet: bool
) -> Generator[Run, None, None]:
    """A run in that folder, or in one that is gone afterwards; RunError where another run is."""
    display = Display(Console(), quiet=quiet)  # one console: games are printed above the bar
    if out is not None and (out / "manifest.json").exists() and not (out / MADE).exists():
        raise RunError(f"{out} holds another run: give another --out")
    with (
        TemporaryDirectory() if out is None else nullcontext(out) as folder,
        Run(Path(folder), seed=seed, display=display, budget=budget) as run,
    ):
        yield run


def posed_in(run: Run, games: Asking[T], out: Path | None, *, bench: str, of: str) -> list[T]:
    """What the games are about, of which there may be several only in a folder that is theirs."""
    posed = games.questions.open(run)
    if out is not None:
        claim(run, games, bench=bench)
    elif len(posed) > 1:
        raise SettingError(f"debate: expected --out FOLDER for {len(posed)} {of}")
    return posed


def has_games(folder: Path) -> bool:
    """Whether a chunk of games is finished there."""
    return any(shards(path) for path in folder.glob("records/*"))


def claim(run: Run, games: Any, *, bench: str) -> None:
    """Says what makes the folder's games; RunError where it holds those of something else.

    A command that was mistaken and played nothing does not stand in the way of the mended one.
    """
    path, made = run.dir / MADE, made_by(games, seed=run.seed)
    before = orjson.loads(path.read_bytes())["made"] if path.exists() else ""
    if before == made:
        return
    if has_games(run.dir):
        raise RunError(
            f"{run.dir} holds games of other settings, files or seed: give another --out"
        )
    unfinished = path.with_suffix(".partial")
    unfinished.write_bytes(orjson.dumps({"made": made}))
    unfinished.replace(path)
    (run.dir / "manifest.json").unlink(missing_ok=True)
    write_manifest(run.dir, games, bench=bench, seed=run.seed)


def write_outcome(run: Run, told: Mapping[str, Any]) -> None:
    """The closing table and the page."""
    text = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    (run.dir / "summary.json").write_bytes(text)
    page = write_report(run.dir)
    if not run.display.quiet:
        console = run.display.console
        console.print(f"the whole story: {page}", soft_wrap=True, markup=False, highlight=False)
