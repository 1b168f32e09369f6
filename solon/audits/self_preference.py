"""Does the judge prefer what it wrote itself, beyond what that is worth?

The equal-opportunity form of Wataoka et al. (arXiv 2410.21819); the coefficient is our formulation.
"""

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

FREE = (float("-inf"), float("inf"))
# Gelman et al. (2008): a prior of 2.5 logits a standard deviation leaves any real effect room
PRIOR = 1 / 2.5**2


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfPreference:
    """A live judge on questions with a gold, or recorded verdicts that name gold and policies.

    Of pairs in which exactly one completion is the judge's own: ``opportunity_gap`` is P(it prefers
    its own | its own is better) - P(it prefers the other's | the other's is better), and
    ``own_logit`` is s of logit P(own wins) = s + a quality + c length + b slot. A tie prefers
    neither. Clustered by prompt.

    Example:
        SelfPreference(own="qwen3-8b").recorded(read_verdicts("verdicts.jsonl"))
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about."""
    gold: Gold | None = None
    """True reward, where it is known."""
    own: str = ""
    """Policy that is the judge itself; empty takes it from the judge's name, policy/template."""
    most_gap: float = 0.1
    """Largest passing opportunity_gap, of either sign."""
    most_logit: float = 0.2
    """Largest passing own_logit, of either sign."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        return self.recorded(ask(judge, self.questions, self.gold))

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError unless each author was better at least once."""
        mixed = [_Own.of(verdict, self._name(verdict)) for verdict in verdicts]
        rows = [row for row in mixed if row and row.verdict.p is not None and row.better != 0]
        ours, theirs = ([row for row in rows if row.better == side] for side in (1, -1))
        if not ours or not theirs:
            raise InputError(
                "self_preference: expected answered verdicts with a gold winner whose two policies "
                "are known, one of them the judge's own (own), the better one now here, now there: "
                f"got {len(ours)} with its own better and {len(theirs)} with the other's"
            )
        left = len(verdicts) - len(rows)
        told = "abstained, without a gold winner, or both or neither the judge's own"
        note = f"{left} verdicts left out: {told}" if left else ""
        rates = [_share([row.right for row in side], side) for side in (ours, theirs)]
        gap = (-self.most_gap, self.most_gap)
        return [
            _found("opportunity_gap", difference(*rates), gap, note),
            self._coefficient(rows),
            _found("right_on_own", rates[0]),
            _found("right_on_others", rates[1]),
            _found("own_wins", _share([row.wins for row in rows], rows)),
            _found("own_better", _share([float(row.better > 0) for row in rows], rows)),
        ]

    def _name(self, verdict: Verdict) -> str:
        policy, slash, template = verdict.judge.rpartition("/")
        return self.own or (policy if slash else template).partition("@")[0]

    def _coefficient(self, rows: Sequence[_Own]) -> Finding:
        fit, notes = _fit(rows)
        bound = (-self.most_logit, self.most_logit)
        return _found("own_logit", fit.coefficient(0), bound, "; ".join(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A verdict seen from the judge's own completion: ``side`` is 1 where that is the first."""

    verdict: Verdict
    side: int

    @classmethod
    def of(cls, verdict: Verdict, own: str) -> _Own | None:
        """None unless exactly one of the two is the judge's own."""
        policies = (verdict.policy_first, verdict.policy_second)
        first, second = (bool(own) and one.partition("@")[0] == own for one in policies)
        if first == second or not all(policies):
            return None
        return cls(verdict=verdict, side=1 if first else -1)

    @property
    def better(self) -> int:
        """1 where its own is better by gold, -1 where the other's, 0 where that is not known."""
        return self.side * _sign(self.verdict.gold)

    @property
    def wins(self) -> float:
        """How far its own won: 1, 0, or 1/2 at a tie."""
        return (1 + self.side * _sign(self.verdict.p)) / 2

    @property
    def right(self) -> float:
        return float(self.side * _sign(self.verdict.p) == self.better)

    @property
    def longer(self) -> float | None:
        """Characters by which its own is longer."""
        first, second = self.verdict.len_first, self.verdict.len_second
        return None if first is None or second is None else float(self.side * (first - second))

    @property
    def quality(self) -> float | None:
        gap = self.verdict.gold_gap
        return None if gap is None else self.side * gap


def _sign(p: float | None) -> int:
    return {"first": 1, "second": -1}.get(winner(p) or "", 0)


def _share(values: Sequence[float], rows: Sequence[_Own]) -> Interval:
    return proportion(values, [row.verdict.cluster for row in rows])


def _fit(rows: Sequence[_Own]) -> tuple[Logit, list[str]]:
    """Each order asked is a row; what the rows do not vary in is no column."""
    asked = [
        (row, p if row.side > 0 else 1 - p, float(row.side * (1 - 2 * order)))
        for row in rows
        for order, p in enumerate(row.verdict.orders)
        if p is not None
    ]
    known, won, slot = zip(*asked, strict=True)
    x, notes = np.ones((len(asked), 1)), list[str]()
    columns = {
        "quality": _column([row.quality for row in known]) if _graded(rows) else None,
        "length": _column([row.longer for row in known]),
        "slot": np.array(slot),
    }
    if columns["quality"] is None:
        columns["quality"] = _column([float(row.better) for row in known])
        notes.append("quality known by its sign only")
    if columns["length"] is None:
        notes.append("no control of length: unknown, or always the same")
    for column in columns.values():
        wider = x if column is None else np.column_stack([x, column])
        if np.linalg.matrix_rank(wider) == wider.shape[1]:
            x = wider
    p = np.array(won)
    fit = logistic(x, p, clusters=[row.verdict.cluster for row in known])
    if fit.separated:
        fit = logistic(x, p, ridge=PRIOR)
        notes.append("the verdicts are perfectly predictable: fitted with a prior of 2.5 logits")
    return fit, notes


def _graded(rows: Sequence[_Own]) -> bool:
    return all(row.quality is not None for row in rows)


def _column(values: Sequence[float | None]) -> Floats | None:
    """The values over their root mean square; None where one is unknown or all are 0."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if len(known) < len(values) or not known.any():
        return None
    return known / np.sqrt(np.mean(known**2))


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(
        audit="self_preference", quantity=quantity, bound=bound, note=note, **interval.measured
    )
