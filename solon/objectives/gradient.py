"""What every policy gradient shares. axes: S sequences, T tokens."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from solon.objectives.batch import Credit, Loss, RolloutLogps
from solon.objectives.kl import KL
from solon.objectives.surrogate import (
    Importance,
    Level,
    Reduction,
    Unfinished,
    batch_metrics,
    clipped,
    explained_variance,
    importance,
    importance_metrics,
    ratio,
    ratio_metrics,
    reduce,
    score_function,
    scored,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGradient(ABC):
    """What all of them share; a method says how it assigns credit, clips and reduces.

    With ``importance`` the loss of a token is min(q/m, cap) L(p/q), where p is the policy, q the
    policy as it was when the batch came, m the sampler and L the method's own loss with its KL:
    decoupled PPO (Hilton et al., arXiv 2110.00641) with a truncated weight (Yao et al. 2025).
    """

    kl: KL = field(default=KL())
    """How the policy is kept near its anchor."""
    unfinished: Unfinished = "keep"
    """Reward of a completion that the length limit cut: its own (keep), unfinished_score (replace),
    or their sum (penalise)."""
    unfinished_score: float = -1.0
    """What replaces a cut completion's reward, or is added to it."""
    epochs: int = 1
    """Passes over each batch of rollouts."""
    minibatches: int = 1
    """Updates per pass."""
    importance: Importance = "none"
    """Weight of what older or other weights sampled: none, each token's ratio of policy to sampler,
    or its whole sequence's (unbiased, but for the cap)."""
    importance_cap: float = 2.0
    """Most that such a weight may be: what it cuts is bias, what it lets through is variance."""
    reduction: ClassVar[Reduction] = "sequence_sum"
    compares: ClassVar[bool] = False  # with siblings: a completion alone teaches nothing

    @property
    def values(self) -> bool:
        """True where a value head is needed."""
        return False

    @property
    def anchored(self) -> bool:
        """False where nothing depends on the anchor, which then need not be asked."""
        return self.kl.coefficient != 0

    @property
    def clips(self) -> tuple[float, float] | None:
        """How far below and above 1 the ratio counts; None for the plain score function."""
        return None

    @property
    def off_policy(self) -> bool:
        """True where the loss depends on who sampled the batch."""
        return self.importance != "none" or self.clips is not None

    @property
    def level(self) -> Level:
        """Whether the ratio is each token's or the whole sequence's."""
        return "token"

    @property
    def horizon(self) -> int:
        """What the "constant" reduction divides by, in tokens."""
        return 1

    @abstractmethod
    def assign(self, x: RolloutLogps, penalty: Float[Tensor, "S T"]) -> Credit:
        """Advantages, given what the KL takes from each token's reward, in nats times beta."""

    def value_losses(self, x: RolloutLogps, credit: Credit) -> Float[Tensor, "S T"] | None:
        """The value head's loss of each token; None without a head."""
        del x, credit

    def scores(self, x: RolloutLogps) -> Float[Tensor, " S"]:
        """Rewards as the objective sees them: unfinished ones treated, the KL's scale applied."""
        return self.kl.scale * scored(x, self.unfinished, self.unfinished_score)

    @torch.no_grad()
    def credit(self, x: RolloutLogps, /) -> Credit:
        """Computed once per batch, over whole groups, before any chunk or epoch."""
        proximal = x.old if self.importance == "none" else x.logps
        credit = self.assign(x, self.kl.in_reward(replace(x, old=proximal)))
        metrics = {"groups_without_baseline": 0.0} | batch_metrics(x, credit.advantages)
        if credit.returns is not None and x.values is not None:
            metrics["explained_variance"] = explained_variance(credit.returns, x.values, x.mask)
        if self.importance != "none":
            weights = importance(x, level=self.importance, cap=self.importance_cap)
            credit = replace(credit, proximal=proximal.detach(), weights=weights)
            metrics |= importance_metrics(x, weights)
        return replace(credit, metrics=metrics | credit.metrics)

    def __call__(self, x: RolloutLogps, credit: Credit, /) -> Loss:
        """The loss of some of the batch's sequences, with their rows of its credit."""
        if credit.proximal is not None:
            x = replace(x, old=credit.proximal)
        rho = ratio(x, level=self.level)
        if self.clips is None:
            losses, held = score_function(x.logps, credit.advantages), torch.zeros_like(rho) > 0
        else:
            losses, held = clipped(rho, credit.advantages, self.clips)
        if self.level == "sequence":
            losses = losses / x.mask.sum(1, keepdim=True).clamp_min(1)
        losses = losses + self.kl.in_loss(x)
        if credit.weights is not None:
            losses = losses * credit.weights
        of_values = self.value_losses(x, credit)
        if of_values is not None:
            losses = losses + of_values
        mask = x.mask if credit.kept is None else x.mask * credit.kept[:, None]
        value, weight = reduce(losses, mask, self.reduction, self.horizon)
        # over tokens, whatever the loss is a mean of
        metrics = ratio_metrics(replace(x, mask=mask), rho, held)
        return Loss(value=value, weight=weight, metrics=metrics, metrics_weight=float(mask.sum()))
