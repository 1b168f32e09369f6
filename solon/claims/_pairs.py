"""Two arms, prompt by prompt: who wins by gold, and who would at equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solon.lab.gold import gold
from solon.records import Completion
from solon.statistics import Interval, at_equal_length, mean

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Completions of two arms for the same prompts, over all seeds; seeds are the clusters."""

    won: Floats
    seeds: list[int]
    mine: Floats
    other: Floats

    @classmethod
    def of(cls, mine: Sequence[list[Completion]], other: Sequence[list[Completion]]) -> Pairs:
        rows = [
            (seed, a, b)
            for seed, (first, second) in enumerate(zip(mine, other, strict=True))
            for a, b in zip(first, second, strict=True)
        ]
        gaps = np.array([gold(a) - gold(b) for _, a, b in rows])
        return cls(
            won=(np.sign(np.where(np.abs(gaps) < 1e-9, 0.0, gaps)) + 1) / 2,
            seeds=[seed for seed, _, _ in rows],
            mine=np.array([max(1, len(a.text)) for _, a, _ in rows], float),
            other=np.array([max(1, len(b.text)) for _, _, b in rows], float),
        )

    @property
    def rate(self) -> Interval:
        return mean(self.won, self.seeds)

    @property
    def fair(self) -> Interval:
        """Lee et al.'s logistic regression on the ratio of lengths, read at 1."""
        return at_equal_length(self.won, self.mine, self.other, self.seeds)
