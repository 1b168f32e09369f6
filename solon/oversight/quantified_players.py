"""Who sits in a debate on a formula: optimal and bounded debaters, a prover, chance, a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from solon.errors import SettingError
from solon.lab.formulas import Bools, Formula, solve
from solon.oversight.quantified import Move, Moved, Read, Reading


@dataclass(frozen=True, slots=True)
class Reader:
    """The judge: reads clause by clause, as far as it must."""

    def __call__(self, asked: Sequence[Reading], /) -> list[Read]:
        return [_read(one) for one in asked]


def _read(reading: Reading) -> Read:
    literals = 0
    for clause in reading.formula.clauses:
        for one in clause:
            literals += 1
            if reading.values[abs(one) - 1] == (one > 0):
                break
        else:
            return Read(holds=False, literals=literals)
    return Read(holds=True, literals=literals)


@dataclass(frozen=True, slots=True)
class Optimal:
    """A debater that searches the whole game, again at each move; where lost, it sets traps."""

    def __call__(self, asked: Sequence[Move], /) -> list[Moved]:
        return [_decided(one.instance.formula, one) for one in asked]


@dataclass(frozen=True, slots=True)
class Prover:
    """A single prover: whoever moves, it looks for an assignment that satisfies the formula."""

    def __call__(self, asked: Sequence[Move], /) -> list[Moved]:
        return [_decided(_unopposed(one.instance.formula), one) for one in asked]


def _unopposed(formula: Formula) -> Formula:
    return replace(formula, quantifiers=("exists",) * formula.variables)


def _decided(formula: Formula, move: Move) -> Moved:
    """The value by which the mover of this formula wins; of two alike, that with more endings."""
    solved = solve(formula)
    true = formula.quantifiers[len(move.before)] == "exists"

    def worth(value: bool) -> tuple[bool, float]:  # noqa: FBT001 - a variable's value
        prefix = (*move.before, value)
        share = solved.share(prefix)
        return solved.value(prefix) == true, share if true else -share

    return Moved(value=worth(True) > worth(False), cost=solved.cost(move.before))


@dataclass(frozen=True, slots=True)
class Coin:
    """Sets its variables at random."""

    def __call__(self, asked: Sequence[Move], /) -> list[Moved]:
        return [Moved(value=bool(one.draw().integers(2))) for one in asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A debater that tries both values on so many random endings, and takes the better one.

    Example:
        Bounded(endings=16)
    """

    endings: int

    def __post_init__(self) -> None:
        if self.endings < 1:
            raise SettingError(f"endings: expected 1 or more, got {self.endings}")

    def __call__(self, asked: Sequence[Move], /) -> list[Moved]:
        return [self._moved(one) for one in asked]

    def _moved(self, move: Move) -> Moved:
        formula, at = move.instance.formula, len(move.before)
        draw = move.draw()
        rest: Bools = draw.integers(2, size=(self.endings, formula.variables)) == 1
        rest[:, :at] = move.before
        held: list[float] = []
        for value in (False, True):
            rest[:, at] = value
            held.append(float(formula.satisfied(rest).mean()))
        gain = held[1] - held[0] if move.mover == "exists" else held[0] - held[1]
        value = bool(draw.integers(2)) if gain == 0 else gain > 0
        return Moved(value=value, cost=2 * self.endings)
