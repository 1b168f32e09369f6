"""Strengths from wins: Bradley & Terry (1952) by Newton on the matrix of counts.

axes: M players.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special
from scipy.sparse import csgraph

from solon.errors import InputError
from solon.statistics.interval import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class BradleyTerry:
    """P(i beats j) = sigma(strength_i - strength_j); strengths [M] in logits, their mean is 0.

    Example:
        BradleyTerry(strengths=array([0.5, -0.5]), standard_errors=array([0.2, 0.2]))
    """

    strengths: Floats
    standard_errors: Floats

    def probability(self, i: int, j: int) -> float:
        """P(i beats j)."""
        return float(special.expit(self.strengths[i] - self.strengths[j]))


def bradley_terry(wins: Floats, *, ridge: float = 0.0) -> BradleyTerry:
    """Maximum likelihood from wins [M M]: how often the row beat the column, a tie as half each.

    Less ridge / 2 times the sum of the squared strengths, with which a maximum always exists.
    Raises InputError where there is no finite one: without a ridge, unless every player can be
    reached from every other along wins (Ford 1957).
    """
    _check(wins, ridge)
    games = wins + wins.T
    s = np.zeros(len(wins))
    for _ in range(100):
        p = special.expit(np.subtract.outer(s, s))
        slope = wins.sum(axis=1) - (games * p).sum(axis=1) - ridge * s
        step = np.linalg.solve(_information(games, s, ridge), slope)
        # a step of 2 logits at most keeps Newton inside the region where it converges
        s = s + step * min(1.0, 2 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-12:
            break
    covariance = np.linalg.inv(_information(games, s, ridge)) - 1 / (1 + ridge) / len(wins)
    return BradleyTerry(
        strengths=s - s.mean(), standard_errors=np.sqrt(np.maximum(np.diag(covariance), 0))
    )


def _information(games: Floats, s: Floats, ridge: float) -> Floats:
    p = special.expit(np.subtract.outer(s, s))
    bend = games * p * (1 - p)
    # 1 / M fixes the gauge: it acts only along the direction that leaves every P unchanged
    return np.diag(bend.sum(axis=1) + ridge) - bend + 1 / len(games)


def _check(wins: Floats, ridge: float) -> None:
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or len(wins) < 2:
        raise InputError(f"bradley_terry: expected wins [M M] with M >= 2, got {wins.shape}")
    if wins.min() < 0 or np.diag(wins).any():
        raise InputError("bradley_terry: expected counts >= 0 and a diagonal of 0")
    if ridge > 0:
        return
    parts, _ = csgraph.connected_components(sparse.csr_array(wins), connection="strong")
    if parts > 1:
        raise InputError(
            f"bradley_terry: the players fall into {parts} groups that never lost to, or never "
            "met, each other, so no finite strengths exist; add games, or half a win each way"
        )
