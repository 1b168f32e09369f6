"""Debate on quantified formulas: two debaters move for the quantifiers, a judge reads one line.

Irving, Christiano & Amodei (arXiv 1805.00899): with optimal play and a polynomial judge, debate
decides PSPACE, a single prover NP, the judge alone P. The debater at "exists" says that the formula
is true, the one at "forall" that it is false; each sets its variables in the order of the formula,
and the judge reads whether the assignment they made satisfies it. The foils are the same game with
other players: one ``Prover`` at both seats is a single prover, a ``Coin`` at "forall" a game
against nature. ``Direct`` is the judge alone. Costs are counted: literals that the judge reads,
assignments that debaters look at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.errors import SettingError
from solon.lab.formulas import Formula, Quantifier
from solon.seams.games import Ask, Play

JUDGE = "judge"
PLAYERS: tuple[Quantifier, Quantifier] = ("exists", "forall")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A formula to be decided, and the seed of all that is drawn for it.

    Example:
        Instance(formula=drawn(12, 15, truth=True, seed=3), seed=3)
    """

    formula: Formula
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Asks a debater for the value of the next variable, given those before."""

    instance: Instance
    before: tuple[bool, ...]

    @property
    def mover(self) -> Quantifier:
        return self.instance.formula.quantifiers[len(self.before)]

    def draw(self) -> np.random.Generator:
        return np.random.default_rng([self.instance.seed, 0, len(self.before)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The value, and the assignments that the debater looked at to choose it."""

    value: bool
    cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Asks the judge whether one assignment satisfies the formula."""

    formula: Formula
    values: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Whether it does, and how many literals were read."""

    holds: bool
    literals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the judge takes the formula for, and what that took.

    Example:
        Decided(truth=True, literals=31, searched=4096)
    """

    truth: bool
    literals: int
    """Read by the judge."""
    searched: int = 0
    """Assignments that both debaters looked at."""


@dataclass(frozen=True, slots=True)
class Quantified:
    """The debate.

    Example:
        best = Optimal()
        drive([Quantified().play(one)], {"exists": best, "forall": best, "judge": Reader()})
    """

    @property
    def seats(self) -> tuple[str, ...]:
        return (*PLAYERS, JUDGE)

    def play(self, instance: Instance, /) -> Play[Decided]:
        """One move a variable, then one reading."""
        values: tuple[bool, ...] = ()
        searched = 0
        for mover in instance.formula.quantifiers:
            (moved,) = yield (Ask(mover, Move(instance=instance, before=values)),)
            values, searched = (*values, moved.value), searched + moved.cost
        (read,) = yield (Ask(JUDGE, Reading(formula=instance.formula, values=values)),)
        return Decided(truth=read.holds, literals=read.literals, searched=searched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """The judge alone reads random assignments, and says true where more hold than is usual.

    Example:
        Direct(looks=1)        # what the judge of a debate pays
    """

    looks: int = 1
    """Assignments that the judge reads."""

    def __post_init__(self) -> None:
        if self.looks < 1:
            raise SettingError(f"looks: expected 1 or more, got {self.looks}")

    @property
    def seats(self) -> tuple[str, ...]:
        return (JUDGE,)

    def play(self, instance: Instance, /) -> Play[Decided]:
        formula = instance.formula
        draw = np.random.default_rng([instance.seed, 1])
        rows = draw.integers(2, size=(self.looks, formula.variables)) == 1
        said = yield tuple(
            Ask(JUDGE, Reading(formula=formula, values=tuple(row))) for row in rows.tolist()
        )
        held = sum(one.holds for one in said) / self.looks
        return Decided(truth=held > formula.usual, literals=sum(one.literals for one in said))
