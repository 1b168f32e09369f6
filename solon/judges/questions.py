"""From groups to questions, and from judgements to what is learnt from. Nothing vanishes uncounted.

groups -> pairs -> (judge) -> preferences
groups -> (reward) -> rewarded
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any, Literal

from solon.errors import SolonError, TooManyFailures
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
    """The rollouts that were measured; ``outcomes`` says of each completion why not, or nothing.

    Example:
        Rewarded(rollouts=[r], outcomes=("", "the call failed")).failed    # 1
    """

    rollouts: list[Rollout]
    outcomes: tuple[str, ...]
    unmeasured: tuple[Completion, ...] = ()

    @property
    def failed(self) -> int:
        return len(self.outcomes) - len(self.rollouts)

    @property
    def reasons(self) -> dict[str, int]:
        """How many failed, by reason."""
        return dict(Counter(reason for reason in self.outcomes if reason))

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
    rows = zip(completions, numbers, rewards, strict=True)
    outcomes = tuple(_failure(value) for value in rewards)
    return Rewarded(
        rollouts=[
            Rollout(completion=completion, reward=value, group=number)
            for completion, number, value in rows
            if not isinstance(value, Abstains) and math.isfinite(value)
        ],
        outcomes=outcomes,
        unmeasured=tuple(one for one, why in zip(completions, outcomes, strict=True) if why),
    )


@dataclass(slots=True, kw_only=True)
class FailureLimit:
    """Raises TooManyFailures when more than ``share`` x ``window`` of the newest ``window`` failed.

    Or a whole batch of two and more: then there is nothing to learn from.

    It may do so before ``window`` have been counted: at a share of 0.1 and a window of 200, at the
    21st failure.

    Example:
        FailureLimit(share=0.1).count(rewarded(groups, reward)).rollouts
    """

    share: float = 0.1
    window: int = 200
    _newest: deque[str] = field(default_factory=deque[str], repr=False)

    def count(self, found: Rewarded) -> Rewarded:
        """Counts the failures of a batch, and gives the batch back."""
        self.note(found.outcomes, of="rewards")
        if not found.rollouts and len(found.outcomes) > 1:
            reasons = "; ".join(f"{reason}: {count}" for reason, count in found.reasons.items())
            raise TooManyFailures(
                f"rewards: expected some in a batch of {len(found.outcomes)}, got none ({reasons})"
            )
        return found

    def note(self, outcomes: Iterable[str], *, of: str) -> None:
        """Counts outcomes in order: a reason where something failed, nothing where it did not."""
        for reason in outcomes:
            self._newest.append(reason)
            if len(self._newest) > self.window:
                self._newest.popleft()
            if reason:
                self._check(of)

    def _check(self, of: str) -> None:
        reasons = Counter(reason for reason in self._newest if reason)
        if reasons.total() <= self.share * self.window:
            return
        counts = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        raise TooManyFailures(
            f"{of}: {reasons.total()} of the newest {len(self._newest)} failed ({counts}), "
            f"expected at most {self.share:.0%} of {self.window}; mend it, or raise the limit"
        )


def _siblings(groups: Sequence[Group], how: How) -> Iterator[tuple[Completion, Completion]]:
    for group in groups:
        if how == "all":
            yield from combinations(group.completions, 2)
        else:
            yield from pairwise(group.completions)


def _preference(question: Compare, p: float, judge: str) -> Preference:
    if not 0 <= p <= 1:
        raise SolonError(f"judge {judge}: expected a probability from 0 to 1, got p_first={p}")
    first, second = question.first, question.second
    if p >= 0.5:
        return Preference(chosen=first, rejected=second, p=p, source=judge)
    return Preference(chosen=second, rejected=first, p=1 - p, source=judge)


def _failure(reward: float | Abstains) -> str:
    if isinstance(reward, Abstains):
        return reward.reason or "no reason given"
    return "" if math.isfinite(reward) else "the reward is not finite"
