"""Learning from preferences without a reward model: DPO, IPO, hinge, SimPO, ORPO.

axes: P pairs. Each satisfies ``solon.seams.learning.PairObjective``.

A method says what the implicit reward r of a completion is, and the loss l(u) of a pair whose
chosen completion is certainly the better, u = r(chosen) - r(rejected). A soft label mixes the two
certainties: p l(u) + (1 - p) l(-u). So swapping a pair and its label changes no loss.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from solon.objectives.batch import Loss, PairLogps

PerPair = Float[Tensor, " P"]
"""One number for each pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise(ABC):
    """sum_i w_i [p_i l(u_i) + (1 - p_i) l(-u_i)] / sum_i w_i, the weights w being constants.

    The loss's ``weight`` is sum_i w_i, so that chunks add up, and one that weighs nothing drops
    out. Metrics are means by weight, of the reward r and its margin u, and of logps in nats;
    ``accuracy`` is against the likelier side of p, a tie of either counting as a half. But ``kept``
    is the share of this call's pairs that have a weight and whose gradient no gate takes.
    """

    @property
    @abstractmethod
    def anchored(self) -> bool:
        """False where the anchor changes nothing, which then need not be asked."""

    @abstractmethod
    def reward(self, logps: PerPair, anchor: PerPair, tokens: PerPair) -> PerPair:
        """r of completions of so many tokens, from their summed log-probabilities."""

    @abstractmethod
    def losses(self, u: PerPair) -> PerPair:
        """l(u): the loss of each pair, were its chosen completion certainly the better."""

    def passes(self, u: PerPair) -> Bool[Tensor, " P"]:
        """False where a gate takes l's gradient."""
        return torch.ones_like(u, dtype=torch.bool)

    def imitation(self, logps: PerPair, tokens: PerPair) -> PerPair:
        """What the better completion is charged for being unlikely, beside the comparison."""
        del tokens
        return torch.zeros_like(logps)

    def __call__(self, x: PairLogps, /) -> Loss:
        chosen = self.reward(x.chosen, x.anchor_chosen, x.chosen_tokens)
        rejected = self.reward(x.rejected, x.anchor_rejected, x.rejected_tokens)
        u, p, q = chosen - rejected, x.p, 1 - x.p
        losses = p * self.losses(u) + q * self.losses(-u)
        losses = losses + p * self.imitation(x.chosen, x.chosen_tokens)
        losses = losses + q * self.imitation(x.rejected, x.rejected_tokens)
        weight = torch.ones_like(u) if x.weight is None else x.weight.detach()
        with torch.no_grad():
            kept = (p * self.passes(u) + q * self.passes(-u)) * (weight > 0)
            metrics = _metrics(x, chosen, rejected, weight) | {"kept": float(kept.mean())}
        return Loss(value=_mean(losses, weight), weight=float(weight.sum()), metrics=metrics)


def _mean(values: PerPair, weight: PerPair) -> Float[Tensor, ""]:
    """The mean by weight; exactly 0, and its gradient too, where nothing weighs anything."""
    return (weight * values).sum() / (float(weight.sum()) or 1.0)


def _metrics(x: PairLogps, chosen: PerPair, rejected: PerPair, weight: PerPair) -> dict[str, float]:
    u = chosen - rejected
    means = {
        "accuracy": (1 + torch.sign(u) * torch.sign(x.p - 0.5)) / 2,
        "margin": u,
        "abs_margin": u.abs(),
        "chosen_logp": x.chosen,
        "rejected_logp": x.rejected,
        "chosen_reward": chosen,
        "rejected_reward": rejected,
    }
    return {name: float(_mean(each, weight)) for name, each in means.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio(Pairwise):
    """Whatever takes DPO's implicit reward, r = beta log(policy / anchor) of the completion.

    Both rewards may fall while the margin grows: ``chosen_reward`` and ``rejected_reward`` tell.
    """

    beta: float = 0.1
    """Reward per nat of log(policy / anchor): the smaller, the further the policy may go."""

    @property
    def anchored(self) -> bool:
        return True

    def reward(self, logps: PerPair, anchor: PerPair, tokens: PerPair) -> PerPair:
        del tokens
        return self.beta * (logps - anchor)


@dataclass(frozen=True, slots=True, kw_only=True)
class DPO(LogRatio):
    """l(u) = -log sigma(u) (Rafailov et al., arXiv 2305.18290, eq. 7); SPIN's loss at p = 1.

    SPIN (arXiv 2401.01335, eq. 4.7) calls beta lambda. At p = 1 nothing bounds the margin.
    """

    def losses(self, u: PerPair) -> PerPair:
        return F.softplus(-u)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hinge(LogRatio):
    """l(u) = max(0, 1 - u) on DPO's reward (SLiC-HF, arXiv 2305.10425; RSO, arXiv 2309.06657)."""

    def losses(self, u: PerPair) -> PerPair:
        return F.relu(1 - u)


@dataclass(frozen=True, slots=True, kw_only=True)
class IPO(Pairwise):
    """l(u) = (u / beta - 1 / (2 beta))^2 (Azar et al., arXiv 2310.12036, eq. 17).

    The paper's h, here u / beta, is a difference of summed log-ratios: our default. TRL divides
    each sum by its completion's tokens, as the paper's authors told it they had done: per="token".
    """

    beta: float = 0.1
    """The paper's tau: a certain pair's log-ratios are drawn to 1 / (2 beta) nats apart."""
    per: Literal["sequence", "token"] = "sequence"
    """Whether a completion's log-ratio is its tokens' sum or their mean."""

    @property
    def anchored(self) -> bool:
        return True

    def reward(self, logps: PerPair, anchor: PerPair, tokens: PerPair) -> PerPair:
        ratio = self.beta * (logps - anchor)
        return ratio / tokens.clamp_min(1) if self.per == "token" else ratio

    def losses(self, u: PerPair) -> PerPair:
        return ((u - 0.5) / self.beta).square()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimPO(Pairwise):
    """l(u) = -log sigma(u - gamma), r = beta times the mean token logp; there is no anchor.

    Meng et al., arXiv 2405.14734, eq. 6. With soft labels, either side is asked for gamma.
    """

    beta: float = 2.0
    """Reward per nat of mean token logp."""
    gamma: float = 1.0
    """Margin of reward that the better completion is asked for."""

    @property
    def anchored(self) -> bool:
        return False

    def reward(self, logps: PerPair, anchor: PerPair, tokens: PerPair) -> PerPair:
        del anchor
        return self.beta * logps / tokens.clamp_min(1)

    def losses(self, u: PerPair) -> PerPair:
        return F.softplus(self.gamma - u)


@dataclass(frozen=True, slots=True, kw_only=True)
class ORPO(Pairwise):
    """-log P(chosen) - lam log sigma(u), r = log(P / (1 - P)), P = exp(mean token logp); no anchor.

    Hong et al., arXiv 2403.07691, eq. 6 and 7. TRL takes the first term over the prompt as well.
    """

    lam: float = 0.1
    """Weight of the odds ratio beside the imitation of the better completion."""

    @property
    def anchored(self) -> bool:
        return False

    def reward(self, logps: PerPair, anchor: PerPair, tokens: PerPair) -> PerPair:
        del anchor
        # the odds of a certain completion are infinite: held at the last number below certainty
        mean = (logps / tokens.clamp_min(1)).clamp_max(-torch.finfo(logps.dtype).eps)
        return mean - torch.log(-torch.expm1(mean))

    def losses(self, u: PerPair) -> PerPair:
        return self.lam * F.softplus(-u)

    def imitation(self, logps: PerPair, tokens: PerPair) -> PerPair:
        return -logps / tokens.clamp_min(1)
