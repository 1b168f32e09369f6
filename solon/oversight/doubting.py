"""An estimator that knows the truth, and doubts it: every claim by a draw of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.oversight.moves import Conditional, Estimate
from solon.oversight.provers import Truth
from solon.records import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubting:
    """States the truth of a claim, off by up to ``error``, and cut to 0 and 1.

    It contradicts itself: no draw of a claim knows that of its subclaims.

    Example:
        Doubting(truth=planted(tree, flaw=2), error=0.3, seed=1)
    """

    truth: Truth
    error: float
    seed: int = 0

    def __call__(self, asked: Sequence[Conditional], /) -> list[Estimate]:
        return [Estimate(p=self._p(one.claim), calls=1) for one in asked]

    def _p(self, claim: str) -> float:
        draw = np.random.default_rng(int(digest(self.seed, claim), 16))
        return float(np.clip(self.truth[claim] + self.error * draw.uniform(-1, 1), 0, 1))
