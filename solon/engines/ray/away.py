"""What a copy has of the run: its draws, and through the desk its ledger, cache and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from solon.engines.ray.desk import Line
from solon.errors import SettingError
from solon.run.display import Display
from solon.run.ledger import Totals
from solon.run.ranks import ALONE, Ranks
from solon.run.run import Run


@dataclass(slots=True, kw_only=True)
class AwayRun:
    """The run as a copy sees it: everything that an engine or a judge keeps of a run.

    Folders, stages and records stay with the driver: a part that needs them is refused.
    """

    seed: int
    line: Line
    ledger: AwayLedger
    cache: AwayCache
    display: Display
    opening: bool = True
    """Whether the part is being opened: what all copies say then is noted once."""

    @classmethod
    def of(cls, line: Line, *, seed: int, budget: float | None) -> AwayRun:
        return cls(
            seed=seed,
            line=line,
            ledger=AwayLedger(line=line, budget=budget),
            cache=AwayCache(line=line),
            display=Display(quiet=True),
        )

    @property
    def ranks(self) -> Ranks:
        return ALONE

    def seed_for(self, *names: object) -> int:
        """The run's own draws: what a copy draws does not depend on which copy it is."""
        return Run.seed_for(cast("Run", self), *names)

    def note(self, text: str) -> None:
        self.line.tell("note", text, self.opening)

    def __getattr__(self, name: str) -> Any:
        raise SettingError(
            f"on Ray: a copy has no run.{name}, which this part asks for: open it without Ray"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayLedger:
    """The run's own ledger: each call is reserved there before it is sent, wherever that is."""

    line: Line
    budget: float | None

    def send(self, judge: str, *, worst: float | None, retry: bool = False) -> int | None:
        return self.line.ask("send", judge, {"worst": worst, "retry": retry})

    def settle(self, call: int, **terms: Any) -> None:
        """As Ledger's; nobody waits for it, and ``flush`` does for all."""
        self.line.tell("settle", call, terms)

    def hit(self, judge: str, count: int = 1) -> None:
        self.line.tell("hit", judge, count)

    def totals(self) -> list[Totals]:
        return self.line.ask("totals")

    def flush(self) -> None:
        """Returns when all that was told is written."""
        self.line.ask("flush")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayCache:
    """The run's own cache: a reply is there for all copies as soon as one has it."""

    line: Line

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return self.line.ask("get", keys)

    def put(self, key: bytes, value: bytes) -> None:
        self.line.tell("put", key, value)

    def flush(self) -> None:
        """Returns when every reply put so far is committed."""
        self.line.ask("keep")
