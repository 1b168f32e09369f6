"""Correlations with intervals by Fisher's z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from solon.errors import InputError
from solon.statistics.interval import Floats, Interval


def pearson(
    x: Sequence[float] | Floats, y: Sequence[float] | Floats, *, confidence: float = 0.95
) -> Interval:
    """Pearson's r; the standard error of atanh r is 1 / sqrt(n - 3)."""
    return _fisher(_correlate(x, y), len(x), 1.0, confidence)


def spearman(
    x: Sequence[float] | Floats, y: Sequence[float] | Floats, *, confidence: float = 0.95
) -> Interval:
    """Spearman's rho; the variance of atanh is (1 + rho^2 / 2) / (n - 3) (Bonett & Wright 2000)."""
    rho = _correlate(_ranks(x), _ranks(y))
    return _fisher(rho, len(x), 1 + rho**2 / 2, confidence)


def kendall(x: Sequence[float] | Floats, y: Sequence[float] | Floats) -> float:
    """Kendall's tau-b: concordant less discordant pairs, over sqrt of those untied in x and in y.

    nan where either is tied throughout, or there are fewer than two rows.
    """
    a, b = (np.sign(np.subtract.outer(v, v)) for v in (np.asarray(x), np.asarray(y)))
    untied = float(np.sqrt(np.abs(a).sum() * np.abs(b).sum()))
    return float((a * b).sum()) / untied if untied else float("nan")


def _ranks(x: Sequence[float] | Floats) -> Floats:
    _, tied, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[tied]


def _correlate(x: Sequence[float] | Floats, y: Sequence[float] | Floats) -> float:
    if len(x) != len(y) or len(x) < 2:
        raise InputError(f"correlation: expected two rows or more each, got {len(x)} and {len(y)}")
    a, b = (np.asarray(v, dtype=np.float64) for v in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return min(1.0, max(-1.0, float(a @ b) / size)) if size else float("nan")


def _fisher(r: float, n: int, variance: float, confidence: float) -> Interval:
    if n < 4 or abs(r) == 1 or np.isnan(r):
        exact = n >= 4 and abs(r) == 1
        return Interval(estimate=r, low=r if exact else -1.0, high=r if exact else 1.0, n=n)
    half = special.ndtri((1 + confidence) / 2) * np.sqrt(variance / (n - 3))
    low, high = np.tanh([np.arctanh(r) - half, np.arctanh(r) + half])
    return Interval(estimate=r, low=float(low), high=float(high), n=n)


def auc(scores: Sequence[float] | Floats, positive: Sequence[bool]) -> float:
    """P(the score of a positive is above that of a negative), a tie counting as a half.

    Raises InputError unless there are both.
    """
    marked = np.asarray(positive, dtype=bool)
    up, down = int(marked.sum()), int((~marked).sum())
    if not up or not down:
        raise InputError(f"auc: expected positives and negatives, got {up} and {down}")
    return float((_ranks(scores)[marked].sum() - up * (up + 1) / 2) / (up * down))
