"""Who sits at the seats of a prover-estimator debate: language models, or parties who know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from solon.bench.disputing.posing import PosedClaim
from solon.errors import SettingError
from solon.oversight.argued import Party
from solon.oversight.argument import Node, by_claim
from solon.oversight.asks import Speaker
from solon.oversight.doubting import Doubting
from solon.oversight.estimators import Levels, consistent
from solon.oversight.moves import ESTIMATOR, JUDGE, PROVER
from solon.oversight.planted import Judge
from solon.oversight.provers import Honest, Prover, Truth
from solon.run.run import Run
from solon.seams.feedback import Chooser, Policy, Spec
from solon.seams.games import Seat, Seats

Seating: TypeAlias = Callable[[Sequence[PosedClaim]], Seats]
"""Who plays these debates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Language models at all seats.

    Example:
        Models(debater=strong, judge=weak)
    """

    debater: Spec[Policy]
    """Who splits the claims and points at estimates."""
    judge: Spec[Chooser] | Spec[Policy]
    """Who reads the leaf, and what the path assumes."""
    estimator: Spec[Policy] | None = None
    """Who says how probable claims are; none is the debater."""
    most: int = 6
    """Subclaims of one split; six cost six estimates where all must hold, or any, else up to 34."""
    characters: int = 600
    """Of one subclaim."""

    def open(self, run: Run, /) -> Seating:
        """One party for all seats of a model: it answers them in one batch."""
        prover = self._party(self.debater, run)
        estimator = prover if self.estimator is None else self._party(self.estimator, run)
        seats = {PROVER: prover, ESTIMATOR: estimator, JUDGE: self._party(self.judge, run)}
        return lambda _: seats

    def _party(self, model: Spec[Chooser] | Spec[Policy], run: Run) -> Party:
        live = model.open(run)
        if not isinstance(live, Policy):
            raise SettingError(f"seats: expected a model that writes, got {live.id}")
        return Party(model=Speaker(live), most=self.most, characters=self.characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubter:
    """An estimator that knows the truth, and is off by a draw for each claim."""

    error: float = 0.6
    """How far off it may be; above one half it is at times on the wrong side."""

    def __post_init__(self) -> None:
        if not 0 <= self.error <= 1:
            raise SettingError(f"error: expected from 0 to 1, got {self.error}")

    def seat(self, tree: Node, truth: Truth, seed: int) -> Seat:
        """One for all trees: it only needs their truth."""
        del tree
        return Doubting(truth=truth, error=self.error, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sceptic:
    """An estimator that takes every claim for improbable, and contradicts itself nowhere."""

    opening: float = 0.2
    """What it states of every root claim."""

    def __post_init__(self) -> None:
        if not 0 <= self.opening <= 1:
            raise SettingError(f"opening: expected from 0 to 1, got {self.opening}")

    def seat(self, tree: Node, truth: Truth, seed: int) -> Seat:
        """One for all trees: they have one shape."""
        del truth, seed
        return Levels(consistent(tree, self.opening))


ESTIMATORS: dict[str, Doubter | Sceptic] = {"doubter": Doubter(), "sceptic": Sceptic()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowing:
    """A prover and a judge who know every claim of planted trees, and an estimator by choice.

    Example:
        Knowing(estimator=Sceptic(opening=0.2))
    """

    estimator: Doubter | Sceptic = Doubter()
    """Who says how probable claims are: ``doubter`` or ``sceptic``."""

    def open(self, run: Run, /) -> Seating:
        def seats(posed: Sequence[PosedClaim]) -> Seats:
            trees = [one.tree for one in posed if one.tree is not None]
            if len(trees) < len(posed):
                raise SettingError(
                    "debate: the lab's players know nothing but its own planted claims; "
                    "a claim of yours needs models: --on endpoint or --on local"
                )
            truth = {claim: p for one in posed for claim, p in one.truth.items()}
            return {
                PROVER: Prover(arguments=by_claim(*trees), pointing=Honest(truth)),
                ESTIMATOR: self.estimator.seat(trees[0], truth, run.seed),
                JUDGE: Judge(truth),
            }

        return seats
