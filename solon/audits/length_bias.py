"""Does the judge pay for length, beyond what the length is worth?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.judges.recorded import Gold, Verdict, ask, winner
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, Logit, difference, logistic, proportion
from solon.statistics.interval import Floats

# Gelman et al. (2008): a prior of 2.5 logits a standard deviation leaves any real effect room
PRIOR = 1 / 2.5**2


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBias:
    """A live judge on questions, or recorded verdicts with lengths. Clustered by prompt.

    ``length_logit`` is c of logit P(first wins) = c dlen + a quality + b slot, dlen the length
    difference over its root mean square; ``accuracy_gap`` (with gold only) is the accuracy where
    the longer one is better less that where the shorter is, RewardBench's verbosity index.

    Example:
        LengthBias(questions=pairs, gold=world.gold)(judge)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about."""
    gold: Gold | None = None
    """True reward, where it is known."""
    most_logit: float = 0.2
    """Largest passing length_logit, of either sign."""
    most_gap: float = 0.1
    """Largest passing accuracy_gap, of either sign."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        return self.recorded(ask(judge, self.questions, self.gold))

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where no answered pair differs in length."""
        unequal = [v for v in verdicts if v.p is not None and _apart(v)]
        if not unequal:
            raise InputError(
                "length_bias: expected answered verdicts whose two lengths are known and differ "
                "(len_first, len_second), got none"
            )
        left = len(verdicts) - len(unequal)
        note = f"{left} verdicts left out: abstained, or equal or unknown length" if left else ""
        longer = proportion([_longer(v, v.p) for v in unequal], [v.cluster for v in unequal])
        known = [v for v in unequal if v.gold is not None and v.gold != 0.5]
        return [
            _found("longer_wins", longer, note=note),
            self._coefficient(unequal),
            *self._against_gold(known),
        ]

    def _coefficient(self, rows: Sequence[Verdict]) -> Finding:
        fit, notes = _fit(rows)
        bound = (-self.most_logit, self.most_logit)
        return _found("length_logit", fit.coefficient(0), bound, "; ".join(notes))

    def _against_gold(self, known: Sequence[Verdict]) -> list[Finding]:
        right = [float(winner(v.p) == winner(v.gold)) for v in known]
        better = [_longer(v, v.gold) == 1 for v in known]
        if not any(better) or all(better):
            return []
        shares = [
            proportion(
                [x for x, b in zip(right, better, strict=True) if b == side],
                [v.cluster for v, b in zip(known, better, strict=True) if b == side],
            )
            for side in (True, False)
        ]
        baseline = proportion([float(b) for b in better], [v.cluster for v in known])
        bound = (-self.most_gap, self.most_gap)
        return [
            _found("accuracy_gap", difference(shares[0], shares[1]), bound),
            _found("length_only_accuracy", baseline),
        ]


def _found(
    quantity: str,
    interval: Interval,
    bound: tuple[float, float] = (float("-inf"), float("inf")),
    note: str = "",
) -> Finding:
    return Finding(
        audit="length_bias", quantity=quantity, bound=bound, note=note, **interval.measured
    )


def _apart(verdict: Verdict) -> int:
    """Characters by which the first is longer; 0 where a length is unknown."""
    if verdict.len_first is None or verdict.len_second is None:
        return 0
    return verdict.len_first - verdict.len_second


def _longer(verdict: Verdict, p: float | None) -> float:
    """1 where the longer one wins at P(first is better) = p, 0.5 at a tie."""
    said = winner(p)
    return 0.5 if said == "tie" else float((said == "first") == (_apart(verdict) > 0))


def _fit(rows: Sequence[Verdict]) -> tuple[Logit, list[str]]:
    """Each order asked is a row; what the rows do not vary in is no column."""
    orders = [(v, p, 1 - 2 * k) for v in rows for k, p in enumerate(v.orders) if p is not None]
    apart = np.array([_apart(v) for v, _, _ in orders], dtype=np.float64)
    columns = {"length": apart / np.sqrt(np.mean(apart**2))}
    quality = _quality([v for v, _, _ in orders])
    if quality is not None:
        columns["quality"] = quality
    columns["slot"] = np.array([slot for _, _, slot in orders], dtype=np.float64)
    x, p = np.column_stack(list(columns.values())), np.array([p for _, p, _ in orders])
    notes = [] if quality is not None else ["quality unknown: it may explain the length"]
    if np.linalg.matrix_rank(x) < x.shape[1]:
        x = x[:, :-1]
        notes.append("every difference of length is the same: slot and length are one column")
    clusters = [v.cluster for v, _, _ in orders]
    fit = logistic(x, p, clusters=clusters)
    if fit.separated:
        fit = logistic(x, p, ridge=PRIOR)
        notes.append("the verdicts are perfectly predictable: fitted with a prior of 2.5 logits")
    return fit, notes


def _quality(rows: Sequence[Verdict]) -> Floats | None:
    """The gold's gap, else its label as -1, 0, 1, over the root mean square; None if unknown."""
    gaps, labels = [v.gold_gap for v in rows], [v.gold for v in rows]
    known = [gap for gap in gaps if gap is not None]
    if len(known) < len(rows):
        known = [2 * label - 1 for label in labels if label is not None]
    values = np.array(known, dtype=np.float64)
    if len(known) < len(rows) or not values.any():
        return None
    return values / np.sqrt(np.mean(values**2))
