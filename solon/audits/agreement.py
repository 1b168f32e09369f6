"""Does the judge agree with labels that are known: gold, or people's?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.judges.recorded import Gold, Verdict, ask, winner
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import (
    Bootstrap,
    Interval,
    cohen_kappa,
    gwet_ac1,
    observed,
    pabak,
    proportion,
    table,
)
from solon.statistics.interval import Floats

Coefficient = Callable[[Floats], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A live judge on questions with a gold, or recorded verdicts with one.

    The judge's word is the mean over the orders asked. An abstention is a category that no label
    has, so it counts as wrong in all but ``*_answered`` and ``kappa_quadratic``. Intervals are
    clustered by prompt.

    Example:
        Agreement(least_accuracy=0.7).recorded(read_verdicts("verdicts.jsonl"))
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about."""
    gold: Gold | None = None
    """True reward, where it is known."""
    least_accuracy: float = 0.65
    """Lowest passing accuracy."""
    least_kappa: float = 0.2
    """Lowest passing Cohen's kappa."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""
    draws: int = 1000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Seeds the bootstrap."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        return self.recorded(ask(judge, self.questions, self.gold))

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where no verdict has a gold label."""
        labelled = [verdict for verdict in verdicts if verdict.gold is not None]
        if not labelled:
            raise InputError("agreement: expected verdicts with a gold label, got none")
        answered = [verdict for verdict in labelled if verdict.p is not None]
        clusters = [verdict.cluster for verdict in labelled]
        silent = proportion([float(v.p is None) for v in labelled], clusters)
        found = [
            _found("accuracy", _accuracy(labelled), (self.least_accuracy, 1.0)),
            _found("kappa", self._beyond_chance(labelled, cohen_kappa), (self.least_kappa, 1.0)),
            _found("pabak", self._beyond_chance(labelled, pabak)),
            _found("ac1", self._beyond_chance(labelled, gwet_ac1)),
            _found("abstained", silent, (0.0, self.most_abstained)),
        ]
        if answered:
            found.append(_found("accuracy_answered", _accuracy(answered)))
            quadratic = self._beyond_chance(answered, _quadratic)
            found.append(_found("kappa_quadratic", quadratic))
        return found

    def _beyond_chance(self, rows: Sequence[Verdict], coefficient: Coefficient) -> Interval:
        said, true = [_said(v) for v in rows], [winner(v.gold) for v in rows]
        clusters = [v.cluster for v in rows]
        # in this order a tie lies between the two, as the weighted kappa needs
        used = [c for c in ("first", "tie", "second", "abstained") if c in {*said, *true}]

        cells = np.stack([table([a], [b], used) for a, b in zip(said, true, strict=True)])

        def statistic(weights: Floats) -> float:
            return coefficient(np.tensordot(weights, cells, axes=1))

        found = Bootstrap(draws=self.draws, seed=self.seed)(statistic, len(rows), clusters)
        counts = cells.sum(axis=0)
        if observed(counts) < 1 or len(used) < 2:
            return found
        low = coefficient(_with_errors(counts, 1 - _accuracy(rows).low))
        return Interval(estimate=found.estimate, low=low, high=found.high, n=found.n)


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = (float("-inf"), float("inf"))
) -> Finding:
    return Finding(audit="agreement", quantity=quantity, bound=bound, **interval.measured)


def _quadratic(counts: Floats) -> float:
    return cohen_kappa(counts, "quadratic")


def _said(verdict: Verdict) -> str:
    return winner(verdict.p) or "abstained"


def _accuracy(rows: Sequence[Verdict]) -> Interval:
    right = [float(_said(v) == winner(v.gold)) for v in rows]
    return proportion(right, [v.cluster for v in rows])


def _with_errors(counts: Floats, share: float) -> Floats:
    """A table in which ``share`` of the rows disagree as its margins would have them.

    Where every row agrees no draw of the bootstrap can differ, so the low end is the coefficient
    at the lowest accuracy that the rows allow.
    """
    errors = np.outer(counts.sum(axis=1), counts.sum(axis=0))
    np.fill_diagonal(errors, 0)
    return (1 - share) * counts / counts.sum() + share * errors / errors.sum()
