"""The optimiser's settings, as a value. The engine turns them into AdamW."""

from dataclasses import dataclass
from math import cos, pi
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """AdamW with warm-up, a schedule and clipping.

    eps is 1e-8 unless told; PPO's reference code uses 1e-5 ("N implementation details of RLHF").
    ``steps`` is the number of updates that the linear and cosine schedules decay over.

    Example:
        Adam(lr=1e-3, warmup=9).rate(5)  # 6e-4
    """

    lr: float = 1e-5
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 1.0
    warmup: int = 0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    steps: int = 0

    def rate(self, step: int) -> float:
        """Learning rate of update ``step`` (from 0)."""
        rate = self.lr * min(1.0, (step + 1) / (self.warmup + 1))
        if self.schedule == "constant" or self.steps <= self.warmup:
            return rate
        done = min(1.0, max(0, step - self.warmup) / (self.steps - self.warmup))
        return rate * (1 - done if self.schedule == "linear" else (1 + cos(pi * done)) / 2)
