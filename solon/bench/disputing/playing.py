"""From the command to the page: one claim on the terminal, or many into a folder."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from solon.bench.debating.folder import opened, posed_in, write_outcome
from solon.bench.debating.stage import costs
from solon.bench.disputing.disputing import Disputing, disputing_on
from solon.bench.disputing.outcome import summary
from solon.bench.disputing.posing import ClaimFile, OneClaim, PosedClaim
from solon.bench.disputing.shown import shown
from solon.bench.showing import print_settings, settings
from solon.errors import SettingError, TooManyFailures
from solon.records import TreeDebate
from solon.report.console import closing_table
from solon.report.element import visible
from solon.run.run import Run
from solon.seams.feedback import Spec

SETTING = re.compile(r"[A-Za-z_][\w.]*=")


def debate(arguments: Namespace, claims: Sequence[str], changes: dict[str, str], seed: int) -> None:
    """solon debate CLAIM --protocol prover-estimator"""
    questions = _questions(arguments, claims)
    disputing = disputing_on(arguments.on, changes, questions=questions)
    play(
        disputing,
        bench=arguments.on,
        out=arguments.out,
        seed=seed,
        budget=arguments.budget,
        quiet=arguments.quiet,
    )


def claims_in(words: Sequence[str]) -> list[str]:
    """The words of a command that are no KEY=VALUE; SettingError for more than one."""
    found = [one for one in words if not SETTING.match(one)]
    if len(found) > 1:
        raise SettingError(f"debate: expected one CLAIM and KEY=VALUE, got {found[1]!r} too")
    return found


def _questions(arguments: Namespace, claims: Sequence[str]) -> Spec[list[PosedClaim]] | None:
    for name in ("first", "second", "source"):
        if getattr(arguments, name) is not None:
            raise SettingError(f"{name}: expected none with --protocol prover-estimator")
    if claims and arguments.questions is not None:
        raise SettingError("debate: expected CLAIM or --questions FILE, got both")
    if arguments.questions is not None:
        return ClaimFile(path=str(arguments.questions))
    return OneClaim(claim=claims[0]) if claims else None


def play(
    disputing: Disputing,
    *,
    bench: str,
    out: Path | None,
    seed: int = 0,
    budget: float | None = None,
    quiet: bool = False,
) -> list[TreeDebate]:
    """Plays the debates, shows the tree of a single one, and writes the page of a folder.

    The same folder goes on where it stopped; RunError where it holds something else. Without a
    folder only one claim can be disputed, and nothing of it is kept but the cache of replies.
    TooManyFailures where no debate has a verdict.
    """
    with opened(out, seed=seed, budget=budget, quiet=quiet) as run:
        posed = posed_in(run, disputing, out, bench=bench, of="claims")
        with run.stage("debate"):
            debates, reworded = disputing(run, posed)
        run.ledger.save()
        told = summary(debates, posed, eps=disputing.eps, reworded=reworded)
        if not quiet:
            _show(run, debates, posed, told)
        if out is not None:
            write_outcome(run, told)
    if all(one.failed for one in debates):
        raise TooManyFailures(f"debate: no debate has a verdict; the first: {debates[0].failed}")
    return debates


def show_settings(on: str, changes: Mapping[str, str]) -> None:
    """Prints every key that the protocol takes on that bench, with its default and meaning."""
    print_settings(Console(), settings(disputing_on(on, changes)))


def _show(
    run: Run, debates: Sequence[TreeDebate], posed: Sequence[PosedClaim], told: dict[str, Any]
) -> None:
    console = run.display.console
    if len(debates) > 1:
        console.print(closing_table(told))
    else:
        console.print(shown(debates[0]))
        right = posed[0].right
        if right is not None:
            console.print(Text(f"the claim is {'true' if right else 'false'}"))
        for note in told["notes"]:
            console.print(Text(visible(note), style="dim"))
    for line in costs(run.ledger):
        console.print(line, soft_wrap=True)
