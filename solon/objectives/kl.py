r"""Estimators of KL(policy || anchor) from samples of the policy, and where one is used.

With d = log policy - log anchor: k1 = d, k2 = d^2 / 2, k3 = exp(-d) - 1 + d (Schulman 2020).

| use | expected gradient, for one decision |
|---|---|
| k1 in the reward | that of KL(policy \|\| anchor) |
| k2 as a loss | that of KL(policy \|\| anchor), on-policy |
| k3 as a loss | that of KL(anchor \|\| policy), the *forward* KL, on-policy |
| k1 or k3 as a loss, times the ratio | that of KL(policy \|\| anchor) |
| k1 as a loss | 0: refused |
| k2 or k3 in the reward | of neither: refused |

For sequences, k1 in the reward is exact because every token is charged for the KL that follows it.
A loss is exact with ``per="sequence"``, on the summed log-ratio; ``per="token"`` drops each token's
influence on later ones, and is what every library does. See Liu et al., arXiv 2510.01555.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from solon.objectives.batch import RolloutLogps

Estimator = Literal["k1", "k2", "k3"]


def k1(logps: Float[Tensor, "*axes"], anchor: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """d in nats: unbiased, of either sign."""
    return logps - anchor


def k2(logps: Float[Tensor, "*axes"], anchor: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """d^2 / 2 in nats: biased in value; its gradient is the score function weighted by d."""
    return (logps - anchor).square() / 2


def k3(logps: Float[Tensor, "*axes"], anchor: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """exp(-d) - 1 + d in nats: unbiased in value, never negative."""
    return torch.expm1(anchor - logps) - (anchor - logps)


_ESTIMATORS = {"k1": k1, "k2": k2, "k3": k3}


@dataclass(frozen=True, slots=True, kw_only=True)
class KL:
    """How a policy is kept near its anchor.

    ``convex`` is, up to scale, the additive coefficient ``coefficient / (1 - coefficient)``.
    The ratio of ``corrected`` is held constant for k2, and differentiated for k1 and k3
    (DeepSeek-V3.2, arXiv 2512.02556), which turns k3's gradient into the reverse KL's.

    Raises ValueError for a combination whose gradient is that of no KL.

    Example:
        KL(coefficient=0.04, estimator="k3", place="loss")  # GRPO
    """

    coefficient: float = 0.05
    """Weight of the penalty, in reward per nat (Lee et al.: 0.05, with convex)."""
    estimator: Estimator = "k1"
    """Estimate in nats: k1 the log-ratio, k2 half its square, k3 unbiased and never negative."""
    place: Literal["reward", "loss"] = "reward"
    """Where it is charged: in the reward of each token, or as a term of the loss."""
    convex: bool = False
    """Weigh the reward by 1 - coefficient (Lee et al., arXiv 2309.00267, appendix A.3)."""
    corrected: bool = False
    """Multiply a loss by the ratio policy / sampler, which off-policy epochs need."""
    per: Literal["token", "sequence"] = "token"
    """What a loss takes the KL from: each token's log-ratio, or the sequence's (exact)."""

    def __post_init__(self) -> None:
        limit = 1.0 if self.convex else float("inf")
        if not 0 <= self.coefficient < limit:
            raise ValueError(
                f"KL.coefficient: expected 0 <= coefficient < {limit:g}, got {self.coefficient}"
            )
        if self.place == "reward" and self.estimator != "k1":
            raise ValueError(
                f"KL: {self.estimator} in the reward is the gradient of no KL;"
                " use k1 in the reward, or place='loss'"
            )
        if self.place == "reward" and (self.corrected or self.per == "sequence"):
            raise ValueError("KL: corrected and per='sequence' are for place='loss' only")
        if self.place == "loss" and self.estimator == "k1" and not self.corrected:
            raise ValueError(
                "KL: k1 as a loss has gradient 0 in expectation;"
                " use place='reward', estimator='k2' or corrected=True"
            )

    @property
    def scale(self) -> float:
        """What the reward is multiplied by."""
        return 1 - self.coefficient if self.convex else 1.0

    def in_reward(self, x: RolloutLogps) -> Float[Tensor, "S T"]:
        """Coefficient times k1 of each token under the sampler: what the reward loses, in nats."""
        if self.place == "loss" or self.coefficient == 0:
            return torch.zeros_like(x.old)
        return self.coefficient * k1(x.old, x.anchor) * x.mask

    def in_loss(self, x: RolloutLogps) -> Float[Tensor, "S T"]:
        """Coefficient times the estimate, differentiable; a sequence's is shared by its tokens."""
        if self.place == "reward" or self.coefficient == 0:
            return torch.zeros_like(x.logps)
        logps, anchor, old, share = x.logps, x.anchor, x.old, x.mask
        if self.per == "sequence":
            logps, anchor, old = ((v * x.mask).sum(1, keepdim=True) for v in (logps, anchor, old))
            share = x.mask / x.mask.sum(1, keepdim=True).clamp_min(1)
        estimate = _ESTIMATORS[self.estimator](logps, anchor)
        if self.corrected:
            ratio = torch.exp(logps - old)
            estimate = estimate * (ratio.detach() if self.estimator == "k2" else ratio)
        return self.coefficient * estimate * share


def adapt(coefficient: float, kl: float, *, target: float, n: int, horizon: int = 10_000) -> float:
    """The coefficient after n more sequences whose mean summed k1 was ``kl`` nats.

    c (1 + clip(kl / target - 1, -0.2, 0.2) n / horizon): Ziegler et al., arXiv 1909.08593, eq. 2.
    """
    error = min(max(kl / target - 1, -0.2), 0.2)
    return coefficient * (1 + error * n / horizon)
