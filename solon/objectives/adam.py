"""The optimiser's settings, as a value. The engine turns them into AdamW."""

from dataclasses import dataclass
from math import cos, pi
from typing import Literal


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
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the rate falls after the warm-up: constant stays, linear and cosine end at 0."""
    steps: int = 0
    """Update at which linear and cosine reach 0; where not above warmup, the rate stays."""

    def rate(self, step: int) -> float:
        """Learning rate of update ``step`` (from 0)."""
        rate = self.lr * min(1.0, (step + 1) / (self.warmup + 1))
        if self.schedule == "constant" or self.steps <= self.warmup:
            return rate
        done = min(1.0, max(0, step - self.warmup) / (self.steps - self.warmup))
        return rate * (1 - done if self.schedule == "linear" else (1 + cos(pi * done)) / 2)
