"""Learning a reward from preferences, and putting several rewards together.

axes: P pairs, M members of an ensemble, S completions.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from solon.objectives.batch import Loss, PairRewards


@dataclass(frozen=True, slots=True, kw_only=True)
class BradleyTerry:
    """-[p log sigma(d - m) + (1 - p) log sigma(-d - m)], d = r_chosen - r_rejected.

    At m = 0, Lee et al.'s cross-entropy with soft labels (arXiv 2309.00267); at p = 1, Llama 2's
    margin. ``accuracy`` is against the likelier side of p, a tie of either counting as a half;
    ``brier`` is the mean of (sigma(d) - p)^2.
    """

    margin: float = 0.0
    """How much more reward each side is asked for, m (Llama 2, arXiv 2307.09288, eq. 2)."""
    centre: float = 0.0
    """Weight of (r_chosen + r_rejected)^2, which fixes the reward's free constant (Eisenstein et
    al., arXiv 2312.09244)."""

    def __call__(self, x: PairRewards, /) -> Loss:
        gap = x.chosen - x.rejected
        losses = x.p * F.softplus(self.margin - gap) + (1 - x.p) * F.softplus(self.margin + gap)
        value = losses.mean() + self.centre * (x.chosen + x.rejected).square().mean()
        with torch.no_grad():
            agree = torch.sign(gap) * torch.sign(x.p - 0.5)
            metrics = {
                "accuracy": float((1 + agree).mean() / 2),
                "margin": float(gap.mean()),
                "brier": float((torch.sigmoid(gap) - x.p).square().mean()),
            }
        return Loss(value=value, weight=float(len(gap)), metrics=metrics)


def mean(rewards: Float[Tensor, "M S"]) -> Float[Tensor, " S"]:
    """The members' mean. Put them on one scale first; no ensemble removes an error they share."""
    return rewards.mean(0)


def worst(rewards: Float[Tensor, "M S"]) -> Float[Tensor, " S"]:
    """The least of the members (Coste et al., arXiv 2310.02743, eq. 3)."""
    return rewards.amin(0)


def uncertainty_weighted(rewards: Float[Tensor, "M S"], weight: float) -> Float[Tensor, " S"]:
    """mean - weight * variance over the members, population variance (Coste et al., eq. 4)."""
    return rewards.mean(0) - weight * rewards.var(0, correction=0)
