"""What each agent asked of the scorer, what it cost, and what it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import inf
from pathlib import Path
from typing import Literal

from solon.errors import BudgetSpent, SettingError
from solon.run import lines

Kind = Literal["score", "gate", "final"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one agent may spend on the scorer.

    Example:
        Budget(queries=100, gates=5)
    """

    queries: int = 100
    """Submissions, whatever becomes of them."""
    seconds: float = inf
    """Of running its methods."""
    runs: int = 5000
    """Of its methods, each on one seed."""
    gates: int = 5
    """Methods that are scored on GATE."""

    def __post_init__(self) -> None:
        if min(self.queries, self.seconds, self.runs, self.gates) < 0:
            raise SettingError("budget: expected 0 or more of each, got less")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One submission as the scorer saw it; only ``released`` was ever told to the agent.

    Example:
        Record(agent="ada", kind="score", digest="", reason="code: expected text, got int")
    """

    agent: str
    kind: Kind
    digest: str
    reason: str = ""
    seconds: float = 0.0
    runs: int = 0
    pgr: float | None = None
    released: float | None = None
    improved: bool = False
    alarms: tuple[str, ...] = ()
    classes: tuple[int, ...] = ()


class Ledger:
    """Append-only records in a file, read again where it exists: a restart forgives nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            lines.mend(path)
        known = {one.name for one in fields(Record)}
        self._records: list[Record] = []
        for line in lines.read(path):
            kept = {name: value for name, value in line.items() if name in known}
            kept["alarms"], kept["classes"] = tuple(line["alarms"]), tuple(line["classes"])
            self._records.append(Record(**kept))

    @property
    def records(self) -> Sequence[Record]:
        return tuple(self._records)

    def add(self, record: Record) -> None:
        lines.append(self.path, asdict(record))
        self._records.append(record)

    def of(self, agent: str, kind: Kind) -> list[Record]:
        return [one for one in self._records if one.agent == agent and one.kind == kind]

    def best(self, agent: str) -> float | None:
        """The last released PGR, which is the highest; None where nothing was released."""
        released = [one.released for one in self.of(agent, "score") if one.improved]
        return released[-1] if released else None

    def charge(self, agent: str, kind: Kind, runs: int, budget: Budget) -> None:
        """BudgetSpent where a submission that needs this many runs would pass the budget."""
        own = [one for one in self._records if one.agent == agent and one.kind != "final"]
        if len(own) >= budget.queries:
            raise BudgetSpent(f"budget: {budget.queries} queries were allowed, all are spent")
        if sum(one.seconds for one in own) >= budget.seconds:
            raise BudgetSpent(f"budget: {budget.seconds:g} seconds were allowed, all are spent")
        if sum(one.runs for one in own) + runs > budget.runs:
            raise BudgetSpent(f"budget: {budget.runs} runs were allowed, {runs} more pass them")
        gates = sum(bool(one.digest) for one in own if one.kind == "gate")
        if kind == "gate" and gates >= budget.gates:
            raise BudgetSpent(f"budget: {budget.gates} gates were allowed, all are spent")
