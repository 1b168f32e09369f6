"""How far a split's claim moves if all that was stated of it is a little off: rho as stated.

``stability`` measures the gates of a known argument at the truth. Where nobody knows the truth, the
same is asked of what an estimator said: the largest change of the implied probability while each
conditional estimate moves by at most eps, each by itself. Our formulation.
"""

from __future__ import annotations

from collections.abc import Mapping

from solon.errors import InputError
from solon.oversight.argument import Open, prefixes
from solon.oversight.gate_names import gate_of
from solon.oversight.gates import Bits
from solon.records import TreeDebate, TreeRound


def swing(opened: tuple[Open, ...], p: Mapping[Bits, float], eps: float) -> float:
    """sup |implied(p') - implied(p)| over |p' - p| <= eps, exactly.

    The implied probability is linear in each estimate, and no estimate stands twice on one branch:
    so the ends of every branch can be sought one after another, from the leaves up.

    Example:
        swing(prefixes(And(), 2), {(): 1.0, (True,): 1.0}, 0.1)     # 0.19
    """
    if not 0 <= eps <= 1:
        raise InputError(f"eps: expected from 0 to 1, got {eps}")
    least, stated, most = (_end(opened, p, by) for by in (-eps, 0.0, eps))
    return max(most - stated, stated - least)


def _end(opened: tuple[Open, ...], p: Mapping[Bits, float], by: float) -> float:
    """The largest implied probability where ``by`` is above 0, the least where it is below."""
    value: dict[Bits, float] = {}
    for one in reversed(opened):
        low = value[*one.given, False] if one.low is None else one.low
        high = value[*one.given, True] if one.high is None else one.high
        up = by if high >= low else -by
        q = min(1.0, max(0.0, p[one.given] + up))
        value[one.given] = q * high + (1 - q) * low
    return value[()]


def brittleness(debate: TreeDebate, eps: float) -> float | None:
    """The worst split on the path; None where none is on record, or all are too wide."""
    found = [_of_split(one, eps) for one in debate.rounds[1:]]  # the root alone is no split
    return max((one for one in found if one is not None), default=None)


def _of_split(one: TreeRound, eps: float) -> float | None:
    if not one.siblings:
        return None
    opened = prefixes(gate_of(one.gate), len(one.siblings))
    if opened is None:
        return None
    return swing(opened, {row.given: row.p for row in one.estimates}, eps)
