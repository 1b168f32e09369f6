"""From groups to questions, and from judgements to what is learnt from. Nothing vanishes uncounted.

groups -> pairs -> (judge) -> preferences
groups -> (reward) -> rewarded
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any, Literal

from solon.records import (
    Abstains,
    Compare,
    Completion,
    Group,
    Judgement,
    PairJudgement,
    Preference,
    Rollout,
    flat,
)
from solon.seams.feedback import Metrics, Reward

How = Literal["all", "adjacent"]


def pairs(groups: Sequence[Group], *, how: How = "all") -> list[Compare]:
    """Every pair of siblings, or each with its next; ``identical`` counts those of equal text."""
    return [Compare(first=a, second=b) for a, b in _siblings(groups, how) if a.text != b.text]


def identical(groups: Sequence[Group], *, how: How = "all") -> int:
    """How many pairs ``pairs`` skips because both texts are the same."""
    return sum(a.text == b.text for a, b in _siblings(groups, how))


def preferences(judgements: Sequence[PairJudgement]) -> list[Preference]:
    """The likelier one chosen, p >= 0.5; a tie keeps the first; ``abstentions`` counts the rest."""
    return [
        _preference(judgement.question, judgement.answer.p_first, judgement.judge)
        for judgement in judgements
        if not isinstance(judgement.answer, Abstains)
    ]


def abstentions(judgements: Sequence[Judgement[Any, Any]]) -> dict[str, float]:
    """Metrics: how many judgements abstained, their share, and how many for each reason."""
    reasons = Counter(j.answer.reason for j in judgements if isinstance(j.answer, Abstains))
    share = reasons.total() / len(judgements) if judgements else 0.0
    return {
        "abstained": float(reasons.total()),
        "abstained_share": share,
        **{f"abstained/{reason}": float(count) for reason, count in sorted(reasons.items())},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewarded:
    """The rollouts that were measured, and how many were not, by reason.

    Example:
        Rewarded(rollouts=[r], failed=1, reasons={"the call failed": 1})
    """

    rollouts: list[Rollout]
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def metrics(self) -> Metrics:
        """The mean reward of the measured (nan where there is none), and the failures."""
        rewards = [rollout.reward for rollout in self.rollouts]
        mean = math.fsum(rewards) / len(rewards) if rewards else math.nan
        counts = {f"failed/{reason}": float(n) for reason, n in sorted(self.reasons.items())}
        return {"reward": mean, "failed": float(self.failed), **counts}


def rewarded(groups: Sequence[Group], reward: Reward) -> Rewarded:
    """One rollout per measured completion, numbered by its group.

    A reward that abstains or is not finite leaves its row out of the batch, and so out of its
    siblings' baseline: zero instead would move the baseline and turn honest advantages round.
    """
    completions = flat(groups)
    numbers = [number for number, group in enumerate(groups) for _ in group.completions]
    rewards = reward(completions)
    assert len(rewards) == len(completions), "a reward answers each completion, in order"
    rollouts: list[Rollout] = []
    reasons: Counter[str] = Counter()
    for completion, number, value in zip(completions, numbers, rewards, strict=True):
        if isinstance(value, Abstains):
            reasons[value.reason] += 1
        elif not math.isfinite(value):
            reasons["the reward is not finite"] += 1
        else:
            rollouts.append(Rollout(completion=completion, reward=value, group=number))
    return Rewarded(rollouts=rollouts, failed=reasons.total(), reasons=dict(reasons))


def _siblings(groups: Sequence[Group], how: How) -> Iterator[tuple[Completion, Completion]]:
    for group in groups:
        if how == "all":
            yield from combinations(group.completions, 2)
        else:
            yield from pairwise(group.completions)


def _preference(question: Compare, p: float, judge: str) -> Preference:
    assert 0 <= p <= 1, f"judge {judge} gave p = {p}"
    first, second = question.first, question.second
    if p >= 0.5:
        return Preference(chosen=first, rejected=second, p=p, source=judge)
    return Preference(chosen=second, rejected=first, p=1 - p, source=judge)
