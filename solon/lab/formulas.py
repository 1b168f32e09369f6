"""Quantified boolean formulas whose truth is known: to decide them is complete for PSPACE.

A formula is a row of quantifiers, for each x1 there is an x2 ..., over clauses of literals. Random
ones have clauses of one variable under "for each" and two under "there is" (after Chen & Interian,
2005; that the quantifiers take turns is ours), as many clauses for true as for false ones: to count
them tells nothing.

axes: N assignments, V variables; assignment k of the 2^V has x1 as its highest bit
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from solon.errors import InputError, SettingError

Quantifier: TypeAlias = Literal["exists", "forall"]
Bools: TypeAlias = NDArray[np.bool_]
MOST = 22  # a table of 2^22 assignments: four megabytes
ATTEMPTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Formula:
    """Quantifiers from the outside in, and clauses of which all must hold.

    Literal 3 is x3, and -3 is not x3.

    Example:
        Formula(quantifiers=("forall", "exists"), clauses=((1, 2), (-1, -2)))    # true
    """

    quantifiers: tuple[Quantifier, ...]
    clauses: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        named = {abs(one) for clause in self.clauses for one in clause}
        if not all(self.clauses) or not named <= set(range(1, self.variables + 1)):
            raise InputError(
                f"clauses: expected literals of 1 to {self.variables}, got {self.clauses}"
            )

    @property
    def variables(self) -> int:
        return len(self.quantifiers)

    @property
    def size(self) -> int:
        """Literals: what it takes to read the formula once."""
        return sum(len(clause) for clause in self.clauses)

    @cached_property
    def usual(self) -> float:
        """The share of assignments that satisfies so many independent clauses."""
        return float(np.prod([1 - 0.5 ** len(clause) for clause in self.clauses]))

    def satisfied(self, assignments: Bools) -> Bools:
        """Whether all clauses hold, of each row: [N V] -> [N]."""
        held = np.ones(len(assignments), dtype=bool)
        for clause in self.clauses:
            rows = [assignments[:, abs(one) - 1] == (one > 0) for one in clause]
            held &= np.logical_or.reduce(rows)
        return held


@dataclass(frozen=True, kw_only=True)
class Solved:
    """The value of every position of a formula, and what it costs to find it.

    Example:
        solve(formula).truth
    """

    values: tuple[Bools, ...]
    """By how many variables are set, the truth of what remains."""
    read: tuple[NDArray[np.int64], ...]
    """Assignments that a search reads there which stops at the first that decides."""

    @property
    def truth(self) -> bool:
        return bool(self.values[0][0])

    def value(self, prefix: Sequence[bool]) -> bool:
        return bool(self.values[len(prefix)][_row(prefix)])

    def share(self, prefix: Sequence[bool]) -> float:
        """Of the endings, those that satisfy the formula."""
        width = len(self.values[-1]) >> len(prefix)
        at = _row(prefix) * width
        return float(self.values[-1][at : at + width].mean())

    def cost(self, prefix: Sequence[bool] = ()) -> int:
        """Assignments read to decide what remains."""
        return int(self.read[len(prefix)][_row(prefix)])


@lru_cache(maxsize=64)
def solve(formula: Formula) -> Solved:
    """Exact, over all 2^V assignments. InputError beyond 22 variables."""
    if formula.variables > MOST:
        raise InputError(f"formula: expected at most {MOST} variables, got {formula.variables}")
    held = formula.satisfied(_assignments(formula.variables))
    values, read = [held], [np.ones(len(held), dtype=np.int64)]
    for quantifier in reversed(formula.quantifiers):
        zero, one = values[-1][0::2], values[-1][1::2]
        decided = zero if quantifier == "exists" else ~zero
        values.append(zero | one if quantifier == "exists" else zero & one)
        read.append(read[-1][0::2] + np.where(decided, 0, read[-1][1::2]))
    return Solved(values=tuple(reversed(values)), read=tuple(reversed(read)))


def drawn(variables: int, clauses: int, *, truth: bool, seed: int) -> Formula:
    """A random formula of that truth, quantifiers in turn, the last one "there is".

    SettingError where formulas with so many clauses are hardly ever of that truth.
    """
    draw = np.random.default_rng([seed, variables, clauses, truth])
    for _ in range(ATTEMPTS):
        made = _made(variables, clauses, draw)
        if solve.__wrapped__(made).truth == truth:
            return made
    raise SettingError(
        f"clauses: expected a number at which formulas of {variables} variables are "
        f"{str(truth).lower()} now and then, got {clauses}"
    )


def _made(variables: int, clauses: int, draw: np.random.Generator) -> Formula:
    if variables < 4 or variables % 2:
        raise SettingError(f"variables: expected an even number from 4, got {variables}")
    order: tuple[Quantifier, Quantifier] = ("forall", "exists")
    made: list[tuple[int, ...]] = []
    for _ in range(clauses):
        every = 1 + 2 * draw.integers(variables // 2)
        some = 2 + 2 * draw.choice(variables // 2, size=2, replace=False)
        signs = draw.choice((-1, 1), size=3)
        made.append(tuple(int(one) for one in signs * [every, *some]))
    return Formula(quantifiers=order * (variables // 2), clauses=tuple(made))


def _assignments(variables: int) -> Bools:
    """All of them: [2^V V]."""
    numbers = np.arange(2**variables)[:, None]
    return (numbers >> np.arange(variables - 1, -1, -1)) & 1 == 1


def _row(prefix: Sequence[bool]) -> int:
    return sum(int(bit) << place for place, bit in enumerate(reversed(prefix)))
