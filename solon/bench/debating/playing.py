"""From the command to the page: one question on the terminal, or many into a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from solon.bench.debating.debating import Debating, debating_on
from solon.bench.debating.outcome import summary
from solon.bench.debating.posing import Posed
from solon.bench.debating.stage import Stage, costs
from solon.bench.labelling.made import made_by
from solon.bench.showing import print_settings, settings
from solon.errors import RunError, SettingError, TooManyFailures
from solon.records import Abstains, Transcript
from solon.report import write_report
from solon.report.console import closing_table
from solon.run.display import Display
from solon.run.run import Run
from solon.run.shards import shards
from solon.run.start import write_manifest

MADE = "debating.json"


def play(
    debating: Debating,
    *,
    bench: str,
    out: Path | None,
    seed: int = 0,
    budget: float | None = None,
    quiet: bool = False,
) -> list[Transcript]:
    """Plays the games, shows a single question's as they happen, and writes the page of a folder.

    The same folder goes on where it stopped; RunError where it holds something else. Without a
    folder only one question can be played, and nothing of it is kept but the cache of replies.
    TooManyFailures where no game has a verdict.
    """
    display = Display(Console(), quiet=quiet)  # one console: speeches are printed above the bar
    opened = partial(Run, seed=seed, display=display, budget=budget)
    if out is None:
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as run:
            posed = debating.questions.open(run)
            if len(posed) > 1:
                raise SettingError(f"debate: expected --out FOLDER for {len(posed)} questions")
            played, _ = _played(debating, run, posed)
    else:
        if (out / "manifest.json").exists() and not (out / MADE).exists():
            raise RunError(f"{out} holds another run: give another --out")
        with opened(out) as run:
            played = _kept(debating, run, bench=bench)
    silent = [one.answer.reason for one in played if isinstance(one.answer, Abstains)]
    if len(silent) == len(played):
        raise TooManyFailures(f"debate: no game has a verdict; the first: {silent[0]}")
    return played


def show_settings(on: str, changes: Mapping[str, str]) -> None:
    """Prints every key that ``solon debate`` takes on that bench, with its default and meaning."""
    print_settings(Console(), settings(debating_on(on, changes)))


def _kept(debating: Debating, run: Run, *, bench: str) -> list[Transcript]:
    """The games of the run's folder, their closing table and their page."""
    posed = debating.questions.open(run)
    _claim(run, debating, bench=bench)
    played, told = _played(debating, run, posed)
    text = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    (run.dir / "summary.json").write_bytes(text)
    page = write_report(run.dir)
    if not run.display.quiet:
        console = run.display.console
        console.print(f"the whole story: {page}", soft_wrap=True, markup=False, highlight=False)
    return played


def _played(
    debating: Debating, run: Run, posed: Sequence[Posed]
) -> tuple[list[Transcript], dict[str, Any]]:
    """All games and the closing table, shown unless the display is quiet."""
    console = run.display.console
    if len(posed) == 1 and not run.display.quiet:
        played = _shown(debating, run, posed)
    else:
        with run.stage("debate"):
            played = debating(run, posed)
    run.ledger.save()
    told = summary(played, posed, debating.game)
    if not run.display.quiet:
        if len(posed) > 1:
            console.print(closing_table(told))
        for line in costs(run.ledger):
            console.print(line, soft_wrap=True)
    return played, told


def _shown(debating: Debating, run: Run, posed: Sequence[Posed]) -> list[Transcript]:
    """One question's games, one after another, on the terminal."""
    stage = Stage(run.display.console, posed[0].dispute)
    before = has_games(run.dir)
    with run.stage("debate"):
        stage.open()
        played = debating(run, posed, stage=stage)
    for one in played if before else ():
        stage.replay(one)
    right = posed[0].right
    if right is not None:
        stage.console.print(Text(f"the {right} answer is right, which no player was told"))
    return played


def has_games(folder: Path) -> bool:
    """Whether a chunk of games is finished there."""
    return bool(shards(folder / "records" / "transcripts"))


def _claim(run: Run, debating: Debating, *, bench: str) -> None:
    """Says what makes the folder's games; RunError where it holds those of something else.

    A command that was mistaken and played nothing does not stand in the way of the mended one.
    """
    path, made = run.dir / MADE, made_by(debating, seed=run.seed)
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
    write_manifest(run.dir, debating, bench=bench, seed=run.seed)
