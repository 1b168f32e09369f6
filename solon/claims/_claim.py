"""What a claim says, what was found, and the table that both make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from solon.records import Finding
from solon.statistics import Interval

WORDS = {"pass": "holds", "warn": "fails", "inconclusive": "inconclusive", "measured": "measured"}
Bound = tuple[float, float]
MORE: Bound = (0.0, float("inf"))
LESS: Bound = (float("-inf"), 0.0)
ABOVE_HALF: Bound = (0.5, float("inf"))
UNBOUND: Bound = (float("-inf"), float("inf"))
SEEDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One sentence of a claim, its prediction (the finding's bound), and the figure beside it.

    Example:
        Outcome(says="RLAIF beats SFT", finding=Finding(..., bound=(0.5, inf)), published="71 %")
    """

    says: str
    finding: Finding
    published: str = ""

    @classmethod
    def of(
        cls, says: str, found: Interval, bound: Bound, *, published: str = "", note: str = ""
    ) -> Outcome:
        """The outcome of a prediction that the true value lies in ``bound``."""
        finding = Finding(audit="claim", quantity=says, bound=bound, note=note, **found.measured)
        return cls(says=says, finding=finding, published=published)

    @property
    def verdict(self) -> str:
        return WORDS[self.finding.verdict]


class Claim(Protocol):
    """A frozen dataclass that runs recipes on laboratory worlds and says what it found."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]: ...


def write_table(path: Path, found: Mapping[str, Sequence[Outcome]], command: str) -> None:
    """docs/claims.md: one section a claim, one row an outcome.

    A claim that was not run keeps the section that the file has of it.
    """
    sections = _sections(path)
    for name, outcomes in found.items():
        rows = "\n".join(_row(outcome) for outcome in outcomes)
        sections[name] = f"{COLUMNS}\n{rows}"
    parts = [HEAD.format(command=command)]
    parts += [f"## {name}\n\n{sections[name]}" for name in sorted(sections)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n")


def _sections(path: Path) -> dict[str, str]:
    """What a table that was written before says of each claim."""
    if not path.is_file():
        return {}
    _, *parts = path.read_text().split("\n## ")
    named = (part.partition("\n") for part in parts)
    return {name.strip(): text.strip() for name, _, text in named}


HEAD = """# Claims

Written by `{command}`; do not edit. Each row is a prediction that was fixed before looking,
measured in a laboratory world over five seeds or more (intervals: Student's t, 95 %, seeds as
clusters). The published figure is what the authors report for their own, far larger setting: it
is not reproduced here, and only the direction is tested."""
COLUMNS = """| what is claimed | predicted | found | 95 % interval | n | verdict | published |
|---|---|---|---|---|---|---|"""


def _row(outcome: Outcome) -> str:
    found = outcome.finding
    cells = (
        outcome.says + (f" ({found.note})" if found.note else ""),
        _bound(found.bound),
        f"{found.estimate:.3f}",
        f"{found.low:.3f} to {found.high:.3f}",
        str(found.n),
        f"**{outcome.verdict}**",
        outcome.published or "–",
    )
    return "| " + " | ".join(cells) + " |"


def _bound(bound: tuple[float, float]) -> str:
    low, high = bound
    if low == float("-inf"):
        return "–" if high == float("inf") else f"below {high:g}"
    return f"above {low:g}" if high == float("inf") else f"{low:g} to {high:g}"
