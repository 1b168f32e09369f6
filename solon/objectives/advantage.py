"""How much better than expected: baselines within a group, whitening, GAE.

axes: S sequences, T tokens, G groups. Groups are numbered by any integers and may differ in size.
A sequence alone in its group has no baseline, and groups whose rewards are all equal say nothing:
both get exactly 0, whatever the rounding of their mean.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def siblings(groups: Int[Tensor, " S"]) -> Int[Tensor, " S"]:
    """Size of the group that each sequence belongs to."""
    _, number, sizes = torch.unique(groups, return_inverse=True, return_counts=True)
    return sizes[number]


def constant(rewards: Float[Tensor, " S"], groups: Int[Tensor, " S"]) -> Bool[Tensor, " S"]:
    """True where all rewards of the sequence's group are equal; a group of one is constant."""
    _, number = torch.unique(groups, return_inverse=True)
    empty = rewards.new_zeros(len(rewards))
    low = empty.scatter_reduce(0, number, rewards, "amin", include_self=False)
    high = empty.scatter_reduce(0, number, rewards, "amax", include_self=False)
    return (low == high)[number]


def _group_sum(values: Float[Tensor, " S"], groups: Int[Tensor, " S"]) -> Float[Tensor, " S"]:
    _, number = torch.unique(groups, return_inverse=True)
    return values.new_zeros(len(values)).index_add(0, number, values)[number]


def leave_one_out(rewards: Float[Tensor, " S"], groups: Int[Tensor, " S"]) -> Float[Tensor, " S"]:
    """R_k - mean of R_i over i != k = K/(K-1) (R_k - mean R).

    Unbiased (RLOO: Kool et al. 2019; Ahmadian et al., arXiv 2402.14740).
    """
    others = (siblings(groups) - 1).clamp_min(1)
    baseline = (_group_sum(rewards, groups) - rewards) / others
    return torch.where(constant(rewards, groups), 0.0, rewards - baseline)


def group_mean(
    rewards: Float[Tensor, " S"],
    groups: Int[Tensor, " S"],
    *,
    std: Literal["none", "group"] = "group",
    floor: float = 1e-6,
) -> Float[Tensor, " S"]:
    """(R - mean) / max(std, floor) within each group (GRPO, arXiv 2402.03300), or R - mean.

    std is the sample standard deviation. It makes a gap of 0.001 and of 3 alike in a group of two;
    a judge's expected scores want "none" or a floor of the size of its noise.
    The mean includes the sequence's own reward: (K-1)/K of the leave-one-out advantage.
    """
    size = siblings(groups)
    centred = rewards - _group_sum(rewards, groups) / size
    if std == "group":
        variance = _group_sum(centred.square(), groups) / (size - 1).clamp_min(1)
        centred = centred / variance.sqrt().clamp_min(floor)
    return torch.where(constant(rewards, groups), 0.0, centred)


def whiten(
    values: Float[Tensor, "S T"], mask: Float[Tensor, "S T"], *, shift_mean: bool = True
) -> Float[Tensor, "S T"]:
    """Unit variance (population) over the tokens of the batch, and mean 0 if ``shift_mean``."""
    n = mask.sum().clamp_min(1)
    mean = (values * mask).sum() / n
    variance = ((values - mean).square() * mask).sum() / n
    white = (values - mean) * torch.rsqrt(variance + 1e-8)
    return (white if shift_mean else white + mean) * mask


def at_end(scores: Float[Tensor, " S"], mask: Float[Tensor, "S T"]) -> Float[Tensor, "S T"]:
    """Each sequence's score on its last token, 0 elsewhere."""
    last = (mask.cumsum(1) == mask.sum(1, keepdim=True)) & (mask > 0)
    return scores[:, None] * last


def gae(
    rewards: Float[Tensor, "S T"],
    values: Float[Tensor, "S T"],
    mask: Float[Tensor, "S T"],
    *,
    gamma: float = 1.0,
    lam: float = 0.95,
) -> Float[Tensor, "S T"]:
    """A_t = delta_t + gamma lam A_{t+1}, delta_t = r_t + gamma V_{t+1} - V_t (arXiv 1506.02438).

    The value after a completion's last token is 0.
    """
    values = values * mask
    following = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], dim=1)
    deltas = (rewards + gamma * following - values) * mask
    advantages = torch.zeros_like(deltas)
    running = deltas.new_zeros(len(deltas))
    for t in range(deltas.shape[1] - 1, -1, -1):
        running = deltas[:, t] + gamma * lam * running
        advantages[:, t] = running
    return advantages * mask


def returns(
    rewards: Float[Tensor, "S T"], mask: Float[Tensor, "S T"], *, gamma: float = 1.0
) -> Float[Tensor, "S T"]:
    """Z_t = r_t + gamma Z_{t+1}: the discounted reward from token t on."""
    return gae(rewards, torch.zeros_like(rewards), mask, gamma=gamma, lam=1.0)
