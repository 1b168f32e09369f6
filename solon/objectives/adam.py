"""The optimiser's settings, as a value. The engine turns them into AdamW or SGD."""

from dataclasses import dataclass
from math import cos, inf, pi
from typing import Literal, TypeAlias

Schedule: TypeAlias = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """AdamW with warm-up, a schedule and clipping.

    Example:
        Adam(lr=1e-3, warmup=9).rate(5)  # 6e-4
    """

    lr: float = 1e-5
    """Learning rate after the warm-up."""
    beta1: float = 0.9
    """Decay per update of the running mean of the gradients."""
    beta2: float = 0.999
    """Decay per update of the running mean of the squared gradients."""
    eps: float = 1e-8
    """Added to the root mean square gradient (1e-5 in "N implementation details of RLHF")."""
    weight_decay: float = 0.0
    """Share of each weight taken away per update, times the rate."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 clips nothing."""
    warmup: int = 0
    """Updates of linear warm-up."""
    schedule: Schedule = "constant"
    """How the rate falls after the warm-up: constant stays, linear and cosine end at 0."""
    steps: int = 0
    """Update at which linear and cosine reach 0; where not above warmup, the rate stays."""

    def __post_init__(self) -> None:
        if not 0 <= self.lr < inf:
            raise ValueError(f"expected a learning rate, 0 or more, got {self.lr}")

    def rate(self, step: int) -> float:
        """Learning rate of update ``step`` (from 0)."""
        return scheduled(self, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sgd:
    """Stochastic gradient descent: what has a larger scale is learnt first, as Adam would undo.

    Example:
        Sgd(lr=0.3, schedule="cosine", steps=250).rate(125)  # 0.15
    """

    lr: float = 0.1
    """Learning rate after the warm-up."""
    momentum: float = 0.0
    """Decay per update of the running sum of the gradients."""
    weight_decay: float = 0.0
    """Added to the gradient, times each weight."""
    clip: float = 0.0
    """Largest norm of the gradient; 0 clips nothing."""
    warmup: int = 0
    """Updates of linear warm-up."""
    schedule: Schedule = "constant"
    """How the rate falls after the warm-up: constant stays, linear and cosine end at 0."""
    steps: int = 0
    """Update at which linear and cosine reach 0; where not above warmup, the rate stays."""

    def rate(self, step: int) -> float:
        """Learning rate of update ``step`` (from 0)."""
        return scheduled(self, step)


def scheduled(optimiser: Adam | Sgd, step: int) -> float:
    """The rate of that update (from 0), by the warm-up and the schedule."""
    one = optimiser
    rate = one.lr * min(1.0, (step + 1) / (one.warmup + 1))
    if one.schedule == "constant" or one.steps <= one.warmup:
        return rate
    done = min(1.0, max(0, step - one.warmup) / (one.steps - one.warmup))
    return rate * (1 - done if one.schedule == "linear" else (1 + cos(pi * done)) / 2)
