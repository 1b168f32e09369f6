"""Provers that point blindly: which subclaim, in which direction, by what is seen of a claim.

On a conjunction whose subclaims are estimated in their order, who says "higher" of subclaim i gains
y_i - p_i where all before it are true, and else nothing: the last payoff over its stake. Our
formulation of a prover's class in the no-regret theorem of arXiv 2506.13609.

axes: N debates, C contexts, M subclaims, F selectors, K groups
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from solon.errors import InputError
from solon.oversight.gates import Bools, Floats
from solon.oversight.payoffs import HIGHER, LOWER, edge
from solon.oversight.provers import Selector

Contexts: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """The class F: where each selector points in each context, 0 where it stays out of the debate.

    Example:
        Selectors.within(np.eye(8, dtype=bool), m=16)     # any subclaim, by one of eight contexts
    """

    child: Contexts
    """[F C]"""
    sign: Floats
    """[F C]"""

    @classmethod
    def within(cls, groups: Bools, m: int) -> Selectors:
        """One for each group of contexts [K C], subclaim and direction; groups may overlap."""
        number, contexts = groups.shape
        child = np.tile(np.repeat(np.arange(m), 2)[:, None], (number, contexts))
        sign = np.tile(np.array([HIGHER, LOWER], dtype=np.float64), m)[:, None]
        return cls(
            child=child, sign=(groups[:, None, :].astype(np.float64) * sign).reshape(-1, contexts)
        )


def alive(bits: Bools) -> Bools:
    """Whether all earlier subclaims are true: [... M] -> [... M]."""
    before = np.ones_like(bits)
    before[..., 1:] = np.logical_and.accumulate(bits, axis=-1)[..., :-1]
    return before


def gains(table: Floats, contexts: Contexts, bits: Bools) -> Floats:
    """What "higher" gains at every subclaim in every debate, void ones at 0: [N M]."""
    return alive(bits) * (bits - table[contexts])


def best_selectors(table: Floats, contexts: Contexts, bits: Bools) -> list[Selector]:
    """Of each context, who gains most on these debates; the first one where there are none."""
    found = gains(table, contexts, bits)
    rows = [found[contexts == context].sum(axis=0) for context in range(len(table))]
    best = [int(np.abs(row).argmax()) for row in rows]
    return [
        Selector(child=child, direction=HIGHER if row[child] >= 0 else LOWER)
        for row, child in zip(rows, best, strict=True)
    ]


def paid(selectors: Sequence[Selector], table: Floats, contexts: Contexts, bits: Bools) -> Floats:
    """What a prover that picks a selector by context gains in each debate: [N]."""
    if len(selectors) != len(table):
        raise InputError(f"selectors: expected one for each context, got {len(selectors)}")
    child = np.array([one.child for one in selectors])[contexts]
    sign = np.array([edge(one.direction, stated=0, found=1) for one in selectors])[contexts]
    return sign * gains(table, contexts, bits)[np.arange(len(bits)), child]
