"""A judge's score as a reward, and a reward as a pair judge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from solon.errors import SettingError
from solon.judges.wrappers import ask
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Judgement,
    PairJudgement,
    Prefers,
    Rate,
    Scores,
    digest,
)
from solon.seams.feedback import PairJudge, Reward, ScoreJudge, Spec

if TYPE_CHECKING:
    from solon.run.run import Run

ROUNDING = 1e-9  # an expectation over the scale may pass its end by the last bit


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReward:
    """A judge's score mapped linearly to [-1, 1]: (s - 5.5) / 4.5 on a scale of 1 to 10.

    The reward of direct RLAIF (Lee et al., arXiv 2309.00267; the map is our reading of
    "normalised to [-1, 1]"). What the judge abstains from stays unmeasured. Raises SettingError
    where the judge's scale is another one.

    Example:
        JudgeReward(judge=LogitScore(policy=local))
    """

    judge: Spec[ScoreJudge]
    """Whose score is the reward."""
    scale: tuple[int, int] = (1, 10)
    """Lowest and highest score of that judge."""

    def open(self, run: Run, /) -> Reward:
        return _JudgeReward(judge=self.judge.open(run), scale=self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardJudge:
    """Prefers by a reward: p(first) = sigma(r_first - r_second).

    Example:
        RewardJudge(reward=learnt, name="reward@120")
    """

    reward: Spec[Reward]
    """What decides."""
    name: str = "reward"
    """The judge's id where the reward has none."""

    def open(self, run: Run, /) -> PairJudge:
        return _RewardJudge(reward=self.reward.open(run), name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _JudgeReward:
    judge: ScoreJudge
    scale: tuple[int, int]

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
        judged = ask(self.judge, [Rate(completion=completion) for completion in completions])
        return [
            j.answer if isinstance(j.answer, Abstains) else self._mapped(j.answer) for j in judged
        ]

    def _mapped(self, score: Scores) -> float:
        low, high = self.scale
        steps = len(score.distribution) or high - low + 1
        inside = low - ROUNDING <= score.value <= high + ROUNDING
        if steps != high - low + 1 or not inside:
            raise SettingError(
                f"scale: expected scores from {low} to {high}, got {score.value} on a scale of "
                f"{steps} steps; give the judge's own scale"
            )
        return (score.value - (low + high) / 2) / ((high - low) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RewardJudge:
    reward: Reward
    name: str

    @property
    def id(self) -> str:
        return str(getattr(self.reward, "id", self.name))

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        rewards = self.reward([c for q in questions for c in (q.first, q.second)])
        assert len(rewards) == 2 * len(questions), "a reward answers each completion, in order"
        return [
            Judgement(
                question=question,
                answer=_by_reward(first, second),
                judge=self.id,
                raw="" if isinstance(first, Abstains) else f"{first!r} {second!r}",
                digest=digest(
                    self.id, question.first.prompt, question.first.text, question.second.text
                ),
            )
            for question, first, second in zip(questions, rewards[::2], rewards[1::2], strict=True)
        ]


def _by_reward(first: float | Abstains, second: float | Abstains) -> Prefers | Abstains:
    if isinstance(first, Abstains):
        return first
    if isinstance(second, Abstains):
        return second
    if not (math.isfinite(first) and math.isfinite(second)):
        return Abstains(reason="the reward is not finite")
    return Prefers(p_first=_sigmoid(first - second))


def _sigmoid(x: float) -> float:
    small = math.exp(-abs(x))  # never overflows
    return (1.0 if x >= 0 else small) / (1 + small)
