"""Policy gradients, each a value: REINFORCE, RLOO, PPO, GRPO, Dr. GRPO, DAPO.

axes: S sequences, T tokens. Each satisfies ``solon.seams.learning.RolloutObjective``.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from solon.objectives.advantage import (
    at_end,
    constant,
    gae,
    group_mean,
    leave_one_out,
    siblings,
    whiten,
)
from solon.objectives.batch import Credit, RolloutLogps
from solon.objectives.gradient import PolicyGradient
from solon.objectives.kl import KL
from solon.objectives.surrogate import Level, Reduction, overlong, value_error


def _alone(x: RolloutLogps) -> dict[str, float]:
    return {"groups_without_baseline": float((siblings(x.groups) == 1).sum())}


def _past(penalty: Float[Tensor, "S T"]) -> Float[Tensor, "S T"]:
    """The KL paid before each token, which is not its doing: return-to-go = total + past."""
    return penalty.cumsum(1) - penalty


@dataclass(frozen=True, slots=True, kw_only=True)
class REINFORCE(PolicyGradient):
    """-sum_t log pi(a_t) (Z_t - b), Z_t the return from token t on.

    A value head V learns by sum_t (Z_t - V)^2. There is no ratio: more than one update per batch is
    off-policy and biased.
    """

    baseline: Literal["none", "mean", "value"] = "mean"
    """Taken from each return: nothing, the mean of the batch's other totals, or a value head (Lee
    et al., arXiv 2309.00267, appendix G)."""
    value_weight: float = 1.0
    """Weight of the value head's loss."""

    @property
    def values(self) -> bool:
        return self.baseline == "value"

    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        totals = self.scores(x) - penalty.sum(1)
        togo = (totals[:, None] + _past(penalty)) * x.mask
        if self.baseline == "none":
            return Credit(advantages=togo)
        if self.baseline == "mean":
            one = torch.zeros_like(x.groups)
            mean = totals - leave_one_out(totals, one)
            solo = {"groups_without_baseline": float(len(totals) == 1)}
            known = (siblings(one) > 1)[:, None]
            return Credit(advantages=(togo - mean[:, None]) * x.mask * known, metrics=solo)
        assert x.values is not None, "a learner gives values to an objective that asks for them"
        return Credit(
            advantages=(togo - x.values) * x.mask, returns=togo, old_values=x.values.detach()
        )

    def value_losses(self, x: RolloutLogps, credit: Credit) -> Float[Tensor, "S T"] | None:
        if self.baseline != "value":
            return None
        assert x.values is not None
        assert credit.returns is not None
        return self.value_weight * (credit.returns - x.values).square()


@dataclass(frozen=True, slots=True, kw_only=True)
class RLOO(PolicyGradient):
    """REINFORCE with the leave-one-out mean of the group's totals (Ahmadian et al., 2402.14740).

    More than one epoch needs ``clip`` (as in TRL); advantages are then the sequence's, without
    return-to-go.
    """

    compares: ClassVar[bool] = True

    clip: float | None = None
    """How far from 1 a whole sequence's ratio counts; none takes no ratio."""

    @property
    def level(self) -> Level:
        return "token" if self.clip is None else "sequence"

    @property
    def clips(self) -> tuple[float, float] | None:
        return None if self.clip is None else (self.clip, self.clip)

    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        advantages = leave_one_out(self.scores(x) - penalty.sum(1), x.groups)[:, None] * x.mask
        if self.clip is None:
            known = (siblings(x.groups) > 1)[:, None]
            advantages = advantages + _past(penalty) * x.mask * known
        return Credit(advantages=advantages, metrics=_alone(x))


@dataclass(frozen=True, slots=True, kw_only=True)
class PPO(PolicyGradient):
    """The clipped surrogate with GAE and a value head (Ziegler et al., 1909.08593; "N+").

    Value targets are made before the advantages are whitened; whitened rewards keep their mean.
    """

    clip: float = 0.2
    """How far from 1 a token's ratio counts."""
    value_clip: float = 0.2
    """How far a value may move from what it was when the batch was sampled."""
    value_weight: float = 0.1
    """Weight of the value head's loss."""
    gamma: float = 1.0
    """Discount per token."""
    lam: float = 0.95
    """Lambda of GAE: 1 takes the whole return, 0 one step of it."""
    whiten: bool = True
    """Bring the batch's advantages to mean 0 and standard deviation 1."""
    whiten_rewards: bool = False
    """Divide the tokens' rewards, KL included, by their standard deviation."""
    epochs: int = 4
    reduction: ClassVar[Reduction] = "token_mean"

    @property
    def values(self) -> bool:
        return True

    @property
    def clips(self) -> tuple[float, float] | None:
        return self.clip, self.clip

    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        assert x.values is not None, "a learner gives values to an objective that asks for them"
        rewards = at_end(self.scores(x), x.mask) - penalty
        if self.whiten_rewards:
            rewards = whiten(rewards, x.mask, shift_mean=False)
        advantages = gae(rewards, x.values, x.mask, gamma=self.gamma, lam=self.lam)
        returns = (advantages + x.values) * x.mask
        if self.whiten:
            advantages = whiten(advantages, x.mask)
        return Credit(advantages=advantages, returns=returns, old_values=x.values.detach())

    def value_losses(self, x: RolloutLogps, credit: Credit) -> Float[Tensor, "S T"] | None:
        assert x.values is not None
        assert credit.returns is not None
        assert credit.old_values is not None
        errors = value_error(x.values, credit.returns, credit.old_values, self.value_clip)
        return self.value_weight * errors


@dataclass(frozen=True, slots=True, kw_only=True)
class GRPO(PolicyGradient):
    """Group-relative advantages over the group's std; 1/|o_i| per sequence (arXiv 2402.03300).

    As in the paper: k3 as a loss, which pulls towards the *forward* KL, and a mean that
    under-penalises long wrong completions.
    """

    compares: ClassVar[bool] = True

    kl: KL = field(default=KL(coefficient=0.04, estimator="k3", place="loss"))
    clip: float = 0.2
    """How far from 1 a token's ratio counts."""
    floor: float = 1e-6
    """Least standard deviation that is divided by, in reward (the paper has none)."""
    reduction: ClassVar[Reduction] = "sequence_mean"

    @property
    def clips(self) -> tuple[float, float] | None:
        return self.clip, self.clip

    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        totals = self.scores(x) - penalty.sum(1)
        advantages = group_mean(totals, x.groups, std="group", floor=self.floor)
        return Credit(advantages=advantages[:, None] * x.mask, metrics=_alone(x))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrGRPO(PolicyGradient):
    """GRPO without std and without 1/|o_i| (arXiv 2503.20783).

    The mean includes the sequence's own reward, as in the paper: at group size K the reward counts
    (K-1)/K, so that a KL in the loss acts as if its coefficient were K/(K-1) times as large.
    """

    compares: ClassVar[bool] = True

    clip: float = 0.2
    """How far from 1 a token's ratio counts."""
    longest: int = 1024
    """Tokens that each sequence's sum is divided by: the length limit."""
    reduction: ClassVar[Reduction] = "constant"

    @property
    def clips(self) -> tuple[float, float] | None:
        return self.clip, self.clip

    @property
    def horizon(self) -> int:
        return self.longest

    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        advantages = group_mean(self.scores(x) - penalty.sum(1), x.groups, std="none")
        return Credit(advantages=advantages[:, None] * x.mask, metrics=_alone(x))


@dataclass(frozen=True, slots=True, kw_only=True)
class DAPO(PolicyGradient):
    """GRPO with a higher upper clip, a mean over all tokens, and no KL (arXiv 2503.14476).

    Groups whose rewards are all equal (before the soft penalty on length) count in no mean; to
    sample others in their place is the caller's (``advantage.constant`` finds them). Raises
    ValueError unless 0 < cache < longest.
    """

    compares: ClassVar[bool] = True

    kl: KL = field(default=KL(coefficient=0.0))
    clip: float = 0.2
    """How far below 1 a token's ratio counts."""
    clip_high: float = 0.28
    """How far above 1 a token's ratio counts."""
    floor: float = 1e-6
    """Least standard deviation that is divided by, in reward (the paper has none)."""
    longest: int = 20_480
    """Tokens at which the penalty on length is whole, a reward of -1."""
    cache: int = 4_096
    """Tokens before longest at which that penalty begins."""
    reduction: ClassVar[Reduction] = "token_mean"

    def __post_init__(self) -> None:
        if not 0 < self.cache < self.longest:
            raise ValueError(
                f"DAPO: expected 0 < cache < longest, got cache={self.cache},"
                f" longest={self.longest}; set both to fit the completions"
            )

    @property
    def clips(self) -> tuple[float, float] | None:
        return self.clip, self.clip_high

    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        length = overlong(x.mask.sum(1), longest=self.longest, cache=self.cache)
        totals = self.scores(x) + self.kl.scale * length - penalty.sum(1)
        kept = ~constant(x.rewards, x.groups)
        advantages = group_mean(totals, x.groups, std="group", floor=self.floor) * kept
        filtered = _alone(x) | {"kept": float(kept.to(totals.dtype).mean())}
        return Credit(advantages=advantages[:, None] * x.mask, kept=kept, metrics=filtered)
