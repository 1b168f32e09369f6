"""Exact tabular policies over every sequence of two tokens: expectations without sampling."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from solon.objectives.batch import RolloutLogps
from solon.objectives.gradient import PolicyGradient

V, T = 3, 2
SEQUENCES = torch.tensor(list(product(range(V), repeat=T)))
N = len(SEQUENCES)


def draw(seed: int, size: int, scale: float = 0.5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(size, generator=generator, dtype=torch.float64)


def logps(theta: Tensor) -> Tensor:
    """[N, T]: log-probability of each token of each sequence; theta holds V + V * V logits."""
    first = theta[:V].log_softmax(0)
    second = theta[V:].view(V, V).log_softmax(1)
    a, b = SEQUENCES.T
    return torch.stack([first[a], second[a, b]], 1)


def pmf(theta: Tensor) -> Tensor:
    return logps(theta).sum(1).exp()


def kl(p: Tensor, q: Tensor) -> float:
    return float((p * (p / q).log()).sum())


def exact_gradient(
    objective: PolicyGradient,
    theta: Tensor,
    anchor: Tensor,
    rewards: Tensor,
    *,
    size: int = 1,
    sampler: Tensor | None = None,
) -> Tensor:
    """Expected gradient of the loss over all groups of ``size`` sequences, by enumeration."""
    sampler = theta if sampler is None else sampler
    groups = torch.tensor(list(product(range(N), repeat=size)))
    rows = groups.flatten()
    weight = pmf(sampler)[groups].prod(1).repeat_interleave(size)
    current = logps(theta)[rows]
    leaf = current.detach().requires_grad_()
    x = RolloutLogps(
        logps=leaf,
        old=logps(sampler).detach()[rows],
        anchor=logps(anchor).detach()[rows],
        mask=torch.ones_like(leaf),
        rewards=rewards[rows],
        groups=torch.arange(len(groups)).repeat_interleave(size),
        finished=torch.ones(len(rows), dtype=torch.bool),
        values=torch.full_like(leaf, 0.3) if objective.values else None,
    )
    loss = objective(x, objective.credit(x))
    (each,) = torch.autograd.grad(loss.value, leaf)
    # the loss is a mean over rows: undo it, and weigh each row by how likely its group is
    expected = each * (weight * len(rows) / size)[:, None]
    (gradient,) = torch.autograd.grad(current, theta, expected.detach())
    return gradient.detach()


def descend(
    gradient: Callable[[Tensor], Tensor], theta: Tensor, *, steps: int = 300, lr: float = 4.0
) -> Tensor:
    """The pmf after plain gradient descent."""
    theta = theta.clone()
    for _ in range(steps):
        theta = (theta.detach() - lr * gradient(theta.detach().requires_grad_())).detach()
    return pmf(theta)


def tilted(anchor: Tensor, rewards: Tensor, coefficient: float) -> Tensor:
    """pi* proportional to anchor exp(R / c), where E[R] - c KL(pi || anchor) is largest."""
    return (pmf(anchor).log() + rewards / coefficient).softmax(0)


def forward_tilted(anchor: Tensor, rewards: Tensor, coefficient: float) -> Tensor:
    """c anchor / (l - R) with l such that it sums to 1: best for E[R] - c KL(anchor || pi)."""
    p = pmf(anchor)
    low, high = float(rewards.max()), float(rewards.max()) + coefficient
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (coefficient * p / (middle - rewards)).sum() > 1 else (low, middle)
        )
    return coefficient * p / (high - rewards)
