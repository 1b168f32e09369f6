"""What the user sees while a run works: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

T = TypeVar("T")
SHOWN = ("loss", "reward", "accuracy", "kl", "gold", "length", "failed")


class Figures(ProgressColumn):
    """The newest few metrics of the loop."""

    def render(self, task: Task) -> Text:
        return Text(task.fields.get("figures", ""), style="cyan")


class Display:
    """Progress of one run. ``quiet`` shows nothing at all."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True)
        self.quiet = quiet
        self._bars: Progress | None = None
        self._figures = ""
        self._said = 0.0

    def note(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, style="dim", highlight=False, markup=False)

    def title(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, style="bold", highlight=False, markup=False)

    def figures(self, metrics: Mapping[str, float]) -> None:
        """Keeps the metrics that the bar shows."""
        shown = [f"{name} {metrics[name]:.3g}" for name in SHOWN if name in metrics]
        self._figures = "  ".join(shown)

    def track(self, items: Iterable[T], *, name: str, total: int, done: int = 0) -> Iterator[T]:
        """The items, with a bar that starts at ``done`` of ``total``."""
        with self._bar() as bars:
            task = bars.add_task(name, total=total, completed=done) if bars else None
            for count, item in enumerate(items, done + 1):
                yield item
                if bars is not None and task is not None:
                    bars.update(task, completed=count, figures=self._figures)
                else:
                    self._line(name, count, total)
        self._figures = ""

    @contextmanager
    def _bar(self) -> Generator[Progress | None]:
        """One bar at a time: a loop within a loop stays silent."""
        if self.quiet or not self.console.is_terminal or self._bars is not None:
            yield None
            return
        columns = (
            TextColumn("  {task.description:<12}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            Figures(),
        )
        with Progress(*columns, console=self.console) as bars:
            self._bars = bars
            try:
                yield bars
            finally:
                self._bars = None

    def _line(self, name: str, count: int, total: int) -> None:
        """Without a terminal: a line every ten seconds, and one at the end."""
        now = time.monotonic()
        if self.quiet or self._bars is not None or (now - self._said < 10 and count < total):
            return
        self._said = now
        self.console.print(f"  {name} {count}/{total}  {self._figures}", highlight=False)
