"""What is shown while labels come: how many, how fast, what it cost, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from solon.bench.labelling.writing import Progress as Reached
from solon.run.display import Display
from solon.run.ledger import Ledger

EVERY = 10.0  # seconds between two lines where no terminal shows a bar


@dataclass(slots=True, kw_only=True)
class Pace:
    """Rows since this process began, and the seconds that they took."""

    total: int
    before: int
    began: float = field(default_factory=time.monotonic)

    def words(self, reached: Reached, spent: str) -> str:
        """One line of figures; the time left is at the mean rate of this process."""
        seconds = time.monotonic() - self.began
        rate = (reached.rows - self.before) / seconds if seconds > 0 else 0.0
        rest = duration((self.total - reached.rows) / rate) if rate else "?"
        silent = reached.abstained.total()
        return f"{rate:.3g} rows/s, {silent:,} abstained, {spent}, {rest} to go"


class Shown:
    """A bar on a terminal; elsewhere a line every ten seconds, and one at the end."""

    def __init__(self, display: Display, *, pace: Pace, bars: Progress | None) -> None:
        self._display, self._pace, self._bars = display, pace, bars
        self._said = time.monotonic()
        if bars is not None:
            self._task = bars.add_task("label", total=pace.total, completed=pace.before, words="")

    def update(self, reached: Reached, ledger: Ledger) -> None:
        words = self._pace.words(reached, spent(ledger))
        if self._bars is not None:
            self._bars.update(self._task, completed=reached.rows, words=words)
            return
        if time.monotonic() - self._said >= EVERY or reached.rows >= self._pace.total:
            self._said = time.monotonic()
            self._display.note(f"  label {reached.rows:,}/{self._pace.total:,}, {words}")


@contextmanager
def showing(display: Display, *, total: int, done: int) -> Generator[Shown]:
    """Shows rows from ``done`` on to ``total``."""
    pace = Pace(total=total, before=done)
    if display.quiet or not display.console.is_terminal:
        yield Shown(display, pace=pace, bars=None)
        return
    columns = (TextColumn("  label"), BarColumn(bar_width=28), MofNCompleteColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=display.console) as bars:
        yield Shown(display, pace=pace, bars=bars)


def spent(ledger: Ledger) -> str:
    """Money spent, and of which cap; a model of unknown price is told as such."""
    totals = ledger.totals()
    if not totals:
        return "no calls"
    if any(one.money is None for one in totals):
        return f"{sum(one.calls for one in totals):,} calls of unknown price"
    cap = "" if ledger.budget is None else f" of {ledger.budget:g}"
    return f"{ledger.spent:.4g}{cap} spent"


def left(ledger: Ledger) -> str:
    """What the cap leaves to spend; empty without one."""
    if ledger.budget is None:
        return ""
    return f", {max(ledger.budget - ledger.spent, 0.0):.4g} left"


def duration(seconds: float) -> str:
    """Rounded as one would say it: 45 s, 12 min, 3 h 20 min, 4 d 2 h."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
