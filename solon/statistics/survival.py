"""How long something lasts where some are still lasting when the watch ends.

axes: N rows, J distinct times. Kaplan & Meier (1958); the variance is Greenwood's (1926).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from solon.errors import InputError
from solon.statistics.interval import Clusters, Floats, standard_error, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """The share that lasts beyond a time, and how many were watched up to it.

    Example:
        Lasting(time=6.0, at_risk=21, events=3, share=0.857, low=0.707, high=1.0)
    """

    time: float
    at_risk: int
    events: int
    share: float
    low: float
    high: float


def kaplan_meier(
    times: Sequence[float],
    ended: Sequence[bool],
    clusters: Clusters = None,
    *,
    confidence: float = 0.95,
) -> list[Lasting]:
    """S(t) = prod_{t_j <= t} (1 - d_j / n_j) at each time at which something ended.

    ``ended`` is False where the watch ended first (censored), and who is censored at a time was at
    risk at it. Greenwood: var S = S^2 sum d / (n (n - d)), widened by the clusters' design effect
    on the influences (at least 1) and cut to [0, 1]. Where nothing lasts his variance is 0, and
    the interval is Wilson's on the number at risk.
    """
    at, over = np.asarray(times, dtype=np.float64), np.asarray(ended, dtype=bool)
    if at.ndim != 1 or len(at) != len(over) or not len(at) or not (at > 0).all():
        raise InputError("survival: expected as many times above 0 as endings, one or more")
    z = float(special.ndtri((1 + confidence) / 2))
    found: list[Lasting] = []
    share, greenwood, influence = 1.0, 0.0, np.zeros(len(at))
    for time in np.unique(at[over]):
        risk, event = at >= time, over & (at == time)
        n, d = int(risk.sum()), int(event.sum())
        share *= 1 - d / n
        influence -= (event - risk * d / n) / n
        greenwood += d / (n * (n - d)) if n > d else 0.0
        half = z * share * np.sqrt(greenwood * _effect(influence, clusters))
        low, high = max(0.0, share - half), min(1.0, share + half)
        if share == 0.0:
            low, high = 0.0, wilson(0, n, confidence=confidence).high
        found.append(
            Lasting(time=float(time), at_risk=n, events=d, share=share, low=low, high=high)
        )
    return found


def _effect(influence: Floats, clusters: Clusters) -> float:
    """Cluster-robust variance over that of independent rows, at least 1."""
    if clusters is None:
        return 1.0
    alone = standard_error(influence)
    return max(1.0, (standard_error(influence, clusters) / alone) ** 2) if alone else 1.0
