"""The best that a prover can do against one estimator, where every truth is known.

By backward induction over all rows and directions; it counts no calls. Our formulation of the
prover that leads in a Stackelberg equilibrium (arXiv 2506.13609).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solon.oversight.argument import Node
from solon.oversight.conditionals import Estimates, Questions
from solon.oversight.drive import drive
from solon.oversight.moves import ESTIMATOR, Choose, Disputed, Point, Row, Split
from solon.oversight.payoffs import DIRECTIONS, Direction
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Truth, chance, split
from solon.oversight.tally import Tally
from solon.seams.games import Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The most that a prover can gain against one estimator, and where it points for that.

    Unbounded: it knows every truth and every estimate, and pays nothing for it, so that a bound
    that holds against it holds against those who pay.

    Example:
        best = best_response(game, Disputed(claim="root"), by_claim(tree), truth, estimator)
    """

    value: float
    points: Mapping[tuple[str, ...], Point]
    """By path."""

    def __call__(self, asked: Choose, /) -> Point:
        return self.points[asked.path]


def best_response(
    game: ProverEstimator,
    disputed: Disputed,
    arguments: Mapping[str, Node],
    truth: Truth,
    estimator: Seat,
) -> Response:
    """By backward induction over all rows and directions."""
    search = _Search(game, disputed, arguments, truth, estimator)
    value, points = search.best((), Split(claims=(disputed.claim,)), 1.0)
    return Response(value=value, points=points)


@dataclass(frozen=True, slots=True)
class _Search:
    game: ProverEstimator
    disputed: Disputed
    arguments: Mapping[str, Node]
    truth: Truth
    estimator: Seat

    def best(
        self, path: tuple[str, ...], split: Split, kept: float
    ) -> tuple[float, dict[tuple[str, ...], Point]]:
        """From a split on: the value, and the points that reach it."""
        true = [self.truth[claim] for claim in split.claims]
        best, points = -np.inf, dict[tuple[str, ...], Point]()
        for place, row in enumerate(self._estimates(path, split).rows):
            on = (*path, split.claims[row.child])
            direction, value, later = self._row(on, row, kept * chance(row, true))
            if value > best:
                best = value
                points = {**later, path: Point(row=place, direction=direction)}
        return float(best), points

    def _row(
        self, path: tuple[str, ...], row: Row, kept: float
    ) -> tuple[Direction, float, dict[tuple[str, ...], Point]]:
        pay, k, coin = self.game.payoffs, len(path), np.random.default_rng(0)
        below = self.arguments[path[-1]]
        if k > self.game.depth or not below.children:
            gain = {
                s: kept * pay.last(k, s, stated=row.p, found=self.truth[path[-1]], coin=coin)
                for s in DIRECTIONS
            }
            rest, later = 0.0, dict[tuple[str, ...], Point]()
        else:
            found = self._estimates(path, split(below)).implied
            gain = {s: pay.inner(k, s, stated=row.p, found=found, coin=coin) for s in DIRECTIONS}
            rest, later = self.best(path, split(below), kept)
        best = max(DIRECTIONS, key=lambda s: gain[s])
        return best, gain[best] + rest, later

    def _estimates(self, path: tuple[str, ...], split: Split) -> Estimates:
        asking = Questions(
            path=path, split=split, seed=self.disputed.seed, samples=self.game.samples
        )
        (found,) = drive([asking.play(Tally())], {ESTIMATOR: self.estimator})
        return found
