"""From the command to the page: one question on the terminal, or many into a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from solon.bench.debating.debating import Debating, Games, debating_on
from solon.bench.debating.folder import has_games, opened, posed_in, write_outcome
from solon.bench.debating.outcome import summary
from solon.bench.debating.posing import Posed
from solon.bench.debating.stage import Stage, costs
from solon.bench.showing import print_settings, settings
from solon.errors import TooManyFailures
from solon.records import Abstains, Transcript
from solon.report.console import closing_table
from solon.run.run import Run


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
    with opened(out, seed=seed, budget=budget, quiet=quiet) as run:
        posed = posed_in(run, debating, out, bench=bench, of="questions")
        games, told = _played(debating, run, posed)
        if out is not None:
            write_outcome(run, told)
    silent = [one.answer.reason for one in games.all if isinstance(one.answer, Abstains)]
    if len(silent) == len(games.all):
        raise TooManyFailures(f"debate: no game has a verdict; the first: {silent[0]}")
    return games.all


def show_settings(on: str, changes: Mapping[str, str]) -> None:
    """Prints every key that ``solon debate`` takes on that bench, with its default and meaning."""
    print_settings(Console(), settings(debating_on(on, changes)))


def _played(debating: Debating, run: Run, posed: Sequence[Posed]) -> tuple[Games, dict[str, Any]]:
    """All games and the closing table, shown unless the display is quiet."""
    console = run.display.console
    if len(posed) == 1 and not run.display.quiet:
        games = _shown(debating, run, posed)
    else:
        with run.stage("debate"):
            games = debating(run, posed)
    run.ledger.save()
    told = summary(games.played, posed, debating.game, swapped=games.swapped)
    if not run.display.quiet:
        if len(posed) > 1 or games.swapped:
            console.print(closing_table(told))
        for line in costs(run.ledger):
            console.print(line, soft_wrap=True)
    return games, told


def _shown(debating: Debating, run: Run, posed: Sequence[Posed]) -> Games:
    """One question's games, one after another, on the terminal."""
    stage = Stage(run.display.console, posed[0].dispute)
    before = has_games(run.dir)
    with run.stage("debate"):
        stage.open()
        games = debating(run, posed, stage=stage)
    for one in games.all if before else ():
        stage.replay(one)
    right = posed[0].right
    if right is not None:
        stage.console.print(Text(f"the {right} answer is right, which no player was told"))
    return games
