"""Does the judge prefer a slot? Every pair is asked in both orders.

Zheng et al. (arXiv 2306.05685), Wang et al. (arXiv 2305.17926); LLMBar's agreement (arXiv
2310.07641), JudgeBench's accuracy rule (arXiv 2410.12784), Lee et al.'s same-slot share (arXiv
2309.00267).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from solon.errors import InputError
from solon.judges.recorded import Gold, Verdict, Winner, ask, winner
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionBias:
    """A live judge on questions, or recorded verdicts with both orders. Clustered by prompt.

    For a judge P(pick slot 1) = sigma(b + ...), ``primacy`` is tanh(b) exactly, whatever the
    qualities and the lengths of the pairs are.

    Example:
        PositionBias(questions=pairs, most_slot=0.05)(judge)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about."""
    gold: Gold | None = None
    """True reward, where it is known."""
    most_inconsistent: float = 0.2
    """Highest passing share of pairs whose winner changes with the order."""
    most_slot: float = 0.05
    """Largest passing first_slot, of either sign."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        return self.recorded(ask(judge, self.questions, self.gold))

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where no verdict has both orders."""
        both = [verdict for verdict in verdicts if len(verdict.orders) == 2]
        if not both:
            raise InputError(
                "position_bias: expected verdicts in both orders, got one order only; record "
                "winner_swapped or p_first_swapped too"
            )
        left = f"{len(verdicts) - len(both)} verdicts in one order only left out"
        note = left if len(both) < len(verdicts) else ""
        return [
            _found("inconsistent", _inconsistent(both), (0.0, self.most_inconsistent), note),
            *_slots(both, self.most_slot),
            _found("abstained", _abstained(both), (0.0, self.most_abstained)),
            *_accuracies([v for v in both if v.gold is not None and v.gold != 0.5]),
        ]


def _found(
    quantity: str,
    interval: Interval,
    bound: tuple[float, float] = (float("-inf"), float("inf")),
    note: str = "",
) -> Finding:
    return Finding(
        audit="position_bias", quantity=quantity, bound=bound, note=note, **interval.measured
    )


def _inconsistent(both: Sequence[Verdict]) -> Interval:
    """1 - LLMBar's agreement: two abstentions agree, an abstention and a verdict do not."""
    differ = [float(winner(v.orders[0]) != winner(v.orders[1])) for v in both]
    return proportion(differ, [v.cluster for v in both])


def _abstained(both: Sequence[Verdict]) -> Interval:
    silent = [float(p is None) for v in both for p in v.orders]
    return proportion(silent, [v.cluster for v in both for _ in v.orders])


def _slots(both: Sequence[Verdict], most: float) -> list[Finding]:
    answered = [v for v in both if None not in v.orders]
    if not answered:
        return []
    clusters = [v.cluster for v in answered]
    won = [_first_slot(v) for v in answered]
    rows = [share for pair in won for share in pair]
    first = proportion(rows, [name for name in clusters for _ in range(2)]).scaled(1, -0.5)
    same = proportion([float(a == b != 0.5) for a, b in won], clusters)
    biased = [(a, name) for (a, b), name in zip(won, clusters, strict=True) if a == b != 0.5]
    found = [_found("first_slot", first, (-most, most)), _found("same_slot", same)]
    if biased:
        primacy = proportion([a for a, _ in biased], [name for _, name in biased])
        found.append(_found("primacy", primacy.scaled(2, -1)))
    return found


def _first_slot(verdict: Verdict) -> tuple[float, float]:
    """How far the first slot won in each order: 1, 0, or 0.5 for a tie."""
    share = {"first": 1.0, "second": 0.0, "tie": 0.5}
    one, two = winner(verdict.orders[0]), winner(verdict.orders[1])
    assert one is not None
    assert two is not None
    return share[one], 1 - share[two]


def _accuracies(both: Sequence[Verdict]) -> list[Finding]:
    """LLMBar's accuracy (mean over orders) and JudgeBench's (right orders outnumber wrong ones)."""
    if not both:
        return []
    signs = [[_sign(winner(p), winner(v.gold)) for p in v.orders] for v in both]
    clusters = [v.cluster for v in both]
    mean = proportion(
        [float(sign > 0) for pair in signs for sign in pair],
        [name for name in clusters for _ in range(2)],
    )
    summed = proportion([float(sum(pair) > 0) for pair in signs], clusters)
    return [_found("accuracy_llmbar", mean), _found("accuracy_judgebench", summed)]


def _sign(said: Winner | None, true: Winner | None) -> Literal[-1, 0, 1]:
    """+1 right, -1 the opposite, 0 a tie or an abstention."""
    if said in (None, "tie"):
        return 0
    return 1 if said == true else -1
