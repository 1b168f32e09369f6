"""Does the judge say the same when it is asked the same again?

Repetition stability: the same words, the same order, another draw. Our formulation of the share
that changes; ``modal_share`` is the usual one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import sqrt
from statistics import fmean, variance
from typing import Protocol, runtime_checkable

from solon.errors import InputError, SettingError
from solon.judges.pair_names import named, pair, turned
from solon.judges.recorded import Verdict, from_judgements, winner
from solon.records import Compare, Finding, PairJudgement
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, mean, proportion

FREE = (float("-inf"), float("inf"))
Asked = tuple[str | int, ...]  # a pair, and which of the two was shown first


@runtime_checkable
class Sampled(Protocol):
    """A judge that can be asked for another draw, where a repeated call would be remembered."""

    def samples(self, questions: Sequence[Compare], /, *, n: int) -> list[list[PairJudgement]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """A live judge on questions, k times in each order, or recorded verdicts with repeats.

    ``changed`` is the share of pairs of repeats that name different winners, which no number of
    repeats biases. A repeat without a verdict is no change: it is counted in ``abstained`` and
    ``wavers`` only. Clustered by prompt.

    Example:
        Repetition(questions=pairs, k=5)(judge)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about."""
    k: int = 5
    """Times that a live judge is asked each question."""
    most_changed: float = 0.1
    """Highest passing share of changed winners."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        if not self.questions or self.k < 2:
            raise SettingError(
                f"repetition: expected questions and k of 2 or more, got {len(self.questions)} "
                f"questions and k = {self.k}"
            )
        asked = [*self.questions, *(question.swapped() for question in self.questions)]
        if isinstance(judge, Sampled):
            drawn = judge.samples(asked, n=self.k)
            return self.recorded(from_judgements([one for row in drawn for one in row]))
        found = self.recorded(from_judgements([one for _ in range(self.k) for one in judge(asked)]))
        told = "asked by repeated calls: a judge that remembers its replies cannot change"
        return [replace(found[0], note=told), *found[1:]]

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where no question was answered twice."""
        asked = {question: said for question, said in _by_question(verdicts).items() if said[1:]}
        answered = {
            question: p for question, said in asked.items() if (p := _answers(said)) and p[1:]
        }
        if not answered:
            raise InputError(
                "repetition: expected a question that is answered twice (rows of one judge with "
                "the same texts in the same order, or without texts the same id), got none"
            )
        clusters = [str(question[0]) for question in answered]
        silent = [(float(p is None), str(q[0])) for q, said in asked.items() for p in said]
        waver = [float(None in said and said != [None] * len(said)) for said in asked.values()]
        changed = [_changed(p) for p in answered.values()]
        modal = [_modal(p) for p in answered.values()]
        return [
            _found("changed", _share(changed, clusters), (0.0, self.most_changed)),
            _found("modal_share", _share(modal, clusters)),
            _found("sd", _spread(list(answered.values()), clusters)),
            _found("wavers", proportion(waver, [str(question[0]) for question in asked])),
            _found(
                "abstained",
                proportion([one for one, _ in silent], [name for _, name in silent]),
                (0.0, self.most_abstained),
            ),
        ]


def _by_question(verdicts: Sequence[Verdict]) -> dict[Asked, list[float | None]]:
    """What was said of each pair in each order, by the pair's name."""
    said: dict[Asked, list[float | None]] = {}
    for verdict in verdicts:
        for question, p in _asked(verdict):
            said.setdefault(question, []).append(p)
    return said


def _asked(verdict: Verdict) -> Iterator[tuple[Asked, float | None]]:
    for order, p in enumerate(verdict.orders):
        yield (*pair(verdict), order ^ turned(verdict)), named(verdict, p)


def _answers(said: Sequence[float | None]) -> list[float]:
    return [p for p in said if p is not None]


def _changed(p: Sequence[float]) -> float:
    """The share of pairs of repeats that name different winners."""
    return fmean(winner(one) != winner(other) for one, other in combinations(p, 2))


def _modal(p: Sequence[float]) -> float:
    """The share of repeats that say what most of them say."""
    return Counter(winner(one) for one in p).most_common(1)[0][1] / len(p)


def _spread(answered: Sequence[Sequence[float]], clusters: Sequence[str]) -> Interval:
    """The standard deviation of p within a question: the root of the mean variance."""
    # a variance of numbers in [0, 1] is at most 1/2 (k = 2: one 0, one 1)
    found = _share([2 * variance(p) for p in answered], clusters)
    estimate, low, high = (sqrt(value / 2) for value in (found.estimate, found.low, found.high))
    return Interval(estimate=estimate, low=low, high=high, n=found.n)


def _share(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Student's interval of numbers in [0, 1]; Wilson's where none differs, which may be chance."""
    if len(set(values)) == 1:
        return proportion(values, clusters)
    found = mean(values, clusters)
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(
        audit="repetition", quantity=quantity, bound=bound, note=note, **interval.measured
    )
