"""What language models' conversations were, read off the trace, where no model can change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One conversation of a language model.

    Example:
        Sitting(agent="model-1", began=1.7e9, turns=12, calls=15, ended="stopped")
    """

    agent: str
    began: float
    """Seconds since 1970."""
    seconds: float = 0.0
    """To its last row."""
    turns: int = 0
    """Replies of the model."""
    calls: int = 0
    """Of tools, as the model wanted them."""
    tokens_in: int = 0
    tokens_out: int = 0
    ended: str = "killed"
    """As ``Session`` says it; killed where nobody could."""

    def after(self, row: Row) -> Sitting:
        """With one more row of the trace."""
        one = replace(self, seconds=row["time"] - self.began)
        if row["tool"] == "said":
            said = row["detail"]
            return replace(
                one,
                turns=one.turns + 1,
                calls=one.calls + said["calls"],
                tokens_in=one.tokens_in + said["in"],
                tokens_out=one.tokens_out + said["out"],
            )
        return replace(one, ended=row["detail"]["ended"]) if row["tool"] == "ends" else one


def sittings(rows: Iterable[Row]) -> list[Sitting]:
    """The conversations in a trace, in the order in which they began."""
    found, open_ = list[Sitting](), dict[str, int]()
    for row in rows:
        agent = row["agent"]
        if row["tool"] == "begins":
            open_[agent] = len(found)
            found.append(Sitting(agent=agent, began=row["time"]))
        elif agent in open_:
            found[open_[agent]] = found[open_[agent]].after(row)
    return found
