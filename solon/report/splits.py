"""What stood beside a claim that a prover pointed at: its siblings, estimates, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.records import Estimated, TreeRound
from solon.report.figure import fixed

SIBLINGS, ESTIMATES = 6, 3  # shown on each side of the claim, and of each sibling


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A sibling, in the words of a page or a terminal.

    Example:
        Beside(claim="x is even", estimates=("0.667 given that all 2 before hold",))
    """

    claim: str
    estimates: tuple[str, ...] = ()
    assumed: str = ""
    """What it was taken for, and the judge's word on it."""
    void: bool = False
    """Whether it was not as assumed, so that the last payoff is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    """Those before the claim, those after it, and how many are left out."""

    before: tuple[Beside, ...]
    after: tuple[Beside, ...]
    left: int


def beside(one: TreeRound, words: Sequence[float]) -> Siblings:
    """All siblings of the round's claim where they are on record, else the assumed ones alone.

    ``words`` are the judge's on each assumption, empty where it was not asked.
    """
    stated: dict[str, list[Estimated]] = {}
    for row in one.estimates:
        stated.setdefault(row.claim, []).append(row)
    taken = {made.claim: made.holds for made in one.assumed}
    said = dict(zip(taken, words, strict=False))
    listed = one.siblings or (*taken, one.claim)
    found = [_beside(claim, stated.get(claim, []), taken, said) for claim in listed]
    place = listed.index(one.claim)
    before = [sib for k, sib in enumerate(found[:place]) if k < SIBLINGS or sib.void]
    after = found[place + 1 :][:SIBLINGS]
    left = len(listed) - 1 - len(before) - len(after)
    return Siblings(before=tuple(before), after=tuple(after), left=left)


def _beside(
    claim: str, rows: Sequence[Estimated], taken: dict[str, bool], said: dict[str, float]
) -> Beside:
    estimates = [f"{fixed(row.p, 3)}{given(row.given)}" for row in rows[:ESTIMATES]]
    if len(rows) > ESTIMATES:
        estimates.append(f"and {len(rows) - ESTIMATES:,} more")
    if claim not in taken:
        return Beside(claim=claim, estimates=tuple(estimates))
    holds = taken[claim]
    assumed = f"assumed {'true' if holds else 'false'}"
    kept = 1.0
    if claim in said:
        kept = said[claim] if holds else 1 - said[claim]
        assumed += f", the judge says {fixed(said[claim], 3)}"
    return Beside(claim=claim, estimates=tuple(estimates), assumed=assumed, void=kept == 0)


def given(bits: Sequence[bool]) -> str:
    """What an estimate assumes of earlier siblings, in words."""
    if not bits:
        return ""
    count = f"all {len(bits)} before" if len(bits) > 1 else "the one before"
    if all(bits):
        return f" given that {count} hold{'' if len(bits) > 1 else 's'}"
    if not any(bits):
        return f" given that {count} {'are' if len(bits) > 1 else 'is'} false"
    return f" given {', '.join('true' if bit else 'false' for bit in bits)}"
