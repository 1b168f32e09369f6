"""What the user sees while agents work: a bar each on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from solon.run import lines
from solon.run.display import Display


@dataclass(slots=True, kw_only=True)
class Board:
    """How far each agent is, the best PGR that it was told, and what the scorer spent on it.

    Example:
        with Board(display=run.display, records=records).open({"embedded-1": 6}) as board: ...
    """

    display: Display
    records: Path
    """The scorer's; shown is what agents were told, and costs."""
    goals: Mapping[str, int] = field(default_factory=dict[str, int])
    _bars: Progress | None = None
    _rows: dict[str, TaskID] = field(default_factory=dict[str, TaskID])

    @contextmanager
    def open(self, goals: Mapping[str, int]) -> Generator[Board]:
        """For as long as agents work; ``goals`` are the turns or conversations of each."""
        self.goals = goals
        if self.display.quiet or not self.display.console.is_terminal:
            yield self
            return
        columns = (
            TextColumn("  {task.description:<12}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[cyan]{task.fields[said]}"),
        )
        with Progress(*columns, console=self.display.console) as bars:
            self._rows = {
                name: bars.add_task(name, total=most, said="") for name, most in goals.items()
            }
            self._bars = bars
            try:
                yield self
            finally:
                self._bars = None

    def moved(self, agent: str, done: int) -> None:
        """An agent has finished so many turns or conversations."""
        said = self._said(agent)
        if self._bars is not None:
            self._bars.update(self._rows[agent], completed=done, said=said)
        elif not self.display.quiet:
            text = Text(f"  {agent} {done}/{self.goals[agent]}  {said}")
            self.display.console.print(text, soft_wrap=True)

    def _said(self, agent: str) -> str:
        own = [one for one in lines.read(self.records) if one["agent"] == agent]
        told = [one["released"] for one in own if one["improved"]]
        runs, seconds = sum(one["runs"] for one in own), sum(one["seconds"] for one in own)
        best = f"PGR told {told[-1]:.2f}" if told else "no PGR told yet"
        return f"{best}, {len(own)} submissions, {runs} runs, {seconds:.0f} s"
