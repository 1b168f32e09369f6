"""What a round of a prover-estimator debate pays the prover; the estimator pays it, or is paid.

The one place where the direction is fixed: s = +1 says that the truth is HIGHER than what the
estimator stated. With stakes R^k in round k:

    linear   R^k s (found - stated)
    sign     R^k, where s (found - stated) > tau; -R^k where < -tau; 0 otherwise
    drawn    R^k s (y - y'), y and y' trusted bits with these probabilities: linear in the mean

The last round pays linearly under ``linear`` and ``sign``: a calibrated estimate of 3/4 would lose
half a stake to whoever says "higher" under signs. Our formulation; the paper is arXiv 2506.13609.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from solon.errors import SettingError

Direction: TypeAlias = Literal[-1, 0, 1]
HIGHER: Direction = 1
RIGHT: Direction = 0
LOWER: Direction = -1
DIRECTIONS: tuple[Direction, ...] = (HIGHER, RIGHT, LOWER)


def edge(direction: Direction, *, stated: float, found: float) -> float:
    """By how much the prover was right that the truth lies in this direction of what was stated."""
    return direction * (found - stated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoffs:
    """How rounds are paid.

    Example:
        Payoffs(growth=2.5, kind="sign")
    """

    growth: float = 2.5
    """R: by how much each round's stake exceeds the one before; above 2 for ``sign``."""
    kind: Literal["linear", "sign", "drawn"] = "linear"
    """By how far the direction was right, by whether it was, or by trusted bits."""
    resolution: float = 0.05
    """tau: an inconsistency that ``sign`` does not see."""

    def __post_init__(self) -> None:
        if not self.growth > (2 if self.kind == "sign" else 0):
            expected = "above 2 where signs are paid, above 0 elsewhere"
            raise SettingError(f"growth: expected {expected}, got {self.growth}")
        if not 0 <= self.resolution < 1:
            raise SettingError(f"resolution: expected from 0 to below 1, got {self.resolution}")

    def stake(self, k: int) -> float:
        """R^k of round k = 1, 2, ..."""
        return self.growth**k

    def inner(
        self,
        k: int,
        direction: Direction,
        *,
        stated: float,
        found: float,
        coin: np.random.Generator,
    ) -> float:
        """Round k, where ``found`` is what the estimates of subclaims imply."""
        gain = edge(direction, stated=stated, found=found)
        if self.kind == "sign":
            gain = float(np.sign(gain)) if abs(gain) > self.resolution else 0.0
        elif self.kind == "drawn":
            gain = edge(direction, stated=_bit(stated, coin), found=_bit(found, coin))
        return self.stake(k) * gain

    def last(
        self,
        k: int,
        direction: Direction,
        *,
        stated: float,
        found: float,
        coin: np.random.Generator,
    ) -> float:
        """Round k, where ``found`` is the judge's word."""
        stated = _bit(stated, coin) if self.kind == "drawn" else stated
        return self.stake(k) * edge(direction, stated=stated, found=found)


def _bit(p: float, coin: np.random.Generator) -> float:
    return float(coin.random() < p)
