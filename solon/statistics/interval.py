"""Intervals that respect clusters: rows that share a prompt (or a seed) are one observation.

axes: N rows, C clusters, K columns. Every interval is two-sided at ``confidence``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.errors import InputError

Floats = NDArray[np.float64]
Clusters = Sequence[Hashable] | None


class Measured(TypedDict):
    """The fields that an interval and a finding share."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate from n rows and where the truth may lie.

    Example:
        Interval(estimate=0.21, low=0.17, high=0.25, n=400)
    """

    estimate: float
    low: float
    high: float
    n: int

    @classmethod
    def unknown(cls, n: int = 0) -> Interval:
        """No estimate, and the whole line: n rows do not say."""
        return cls(estimate=float("nan"), low=float("-inf"), high=float("inf"), n=n)

    @property
    def measured(self) -> Measured:
        """The fields as keywords: ``Finding(..., **interval.measured)``."""
        return Measured(estimate=self.estimate, low=self.low, high=self.high, n=self.n)

    def scaled(self, factor: float, shift: float = 0.0) -> Interval:
        """The interval of factor times the quantity, plus shift; ``factor`` is positive."""
        at = [factor * value + shift for value in (self.estimate, self.low, self.high)]
        return Interval(estimate=at[0], low=at[1], high=at[2], n=self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Two one-sided tests: ``equivalent`` where both reject a difference as large as the margin.

    ``low`` and ``high`` are the 1 - 2 alpha interval, which lies inside the margin exactly when
    ``equivalent``.

    Example:
        Equivalence(estimate=0.01, low=-0.02, high=0.04, n=500, margin=0.05, p_value=0.02,
                    equivalent=True)
    """

    estimate: float
    low: float
    high: float
    n: int
    margin: float
    p_value: float
    equivalent: bool


def numbered(clusters: Clusters, n: int) -> NDArray[np.intp]:
    """The number 0..C-1 of each row's cluster, by first appearance; None makes each row its own."""
    if clusters is None:
        return np.arange(n)
    if len(clusters) != n:
        raise InputError(f"clusters: expected one name for each of {n} rows, got {len(clusters)}")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return np.array([numbers[name] for name in clusters], dtype=np.intp)


def cluster_sums(rows: Floats, clusters: Clusters = None) -> Floats:
    """Sums over each cluster's rows: [N] -> [C] or [N K] -> [C K]."""
    number = numbered(clusters, len(rows))
    sums = np.zeros((int(number.max(initial=-1)) + 1, *rows.shape[1:]))
    np.add.at(sums, number, rows)
    return sums


def standard_error(influence: Floats, clusters: Clusters = None) -> float:
    """Cluster-robust standard error of an estimate from its rows' influences, which sum to 0.

    sqrt(C / (C - 1) sum_c (sum of the cluster's influences)^2); infinite for fewer than two
    clusters. For a mean without clusters it is sd / sqrt(N) with N - 1 in the sd.
    """
    sums = cluster_sums(influence, clusters)
    count = len(sums)
    if count < 2:
        return float("inf")
    return float(np.sqrt(count / (count - 1) * np.sum(sums**2)))


def quantile(confidence: float, clusters: Clusters, n: int) -> float:
    """Student's two-sided quantile with C - 1 degrees of freedom; infinite for one cluster."""
    count = n if clusters is None else len(set(clusters))
    return float(special.stdtrit(count - 1, (1 + confidence) / 2)) if count > 1 else float("inf")


def _rows(values: Sequence[float] | Floats) -> Floats:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 1 or not len(rows) or not np.isfinite(rows).all():
        raise InputError(f"values: expected one or more finite numbers, got shape {rows.shape}")
    return rows


def mean(
    values: Sequence[float] | Floats, clusters: Clusters = None, *, confidence: float = 0.95
) -> Interval:
    """The mean with a Student interval over clusters."""
    rows = _rows(values)
    centre = float(rows.mean())
    error = standard_error((rows - centre) / len(rows), clusters)
    half = quantile(confidence, clusters, len(rows)) * error if error else 0.0
    return Interval(estimate=centre, low=centre - half, high=centre + half, n=len(rows))


def paired_difference(
    first: Sequence[float] | Floats,
    second: Sequence[float] | Floats,
    clusters: Clusters = None,
    *,
    confidence: float = 0.95,
) -> Interval:
    """The mean of first - second over rows that measure the same thing twice."""
    a, b = _rows(first), _rows(second)
    if len(a) != len(b):
        raise InputError(f"paired rows: expected equal lengths, got {len(a)} and {len(b)}")
    return mean(a - b, clusters, confidence=confidence)


def equivalence(
    differences: Sequence[float] | Floats,
    margin: float,
    clusters: Clusters = None,
    *,
    alpha: float = 0.05,
) -> Equivalence:
    """Schuirmann's two one-sided tests that the mean difference lies within +-margin."""
    found = mean(differences, clusters, confidence=1 - 2 * alpha)
    rows = _rows(differences)
    error = standard_error((rows - found.estimate) / len(rows), clusters)
    room = margin - abs(found.estimate)
    freedom = (len(rows) if clusters is None else len(set(clusters))) - 1
    if error == 0:
        p_value = 0.0 if room > 0 else 1.0
    else:
        p_value = float(special.stdtr(freedom, -room / error)) if freedom else 1.0
    return Equivalence(**found.measured, margin=margin, p_value=p_value, equivalent=p_value < alpha)


def wilson(wins: float, n: float, *, confidence: float = 0.95) -> Interval:
    """Wilson's score interval; ``n`` may be an effective number of rows, and 0 gives [0, 1]."""
    return _score(wins / n if n else 0.5, n, float(special.ndtri((1 + confidence) / 2)))


def _score(share: float, n: float, z: float) -> Interval:
    if not n or not np.isfinite(z):
        return Interval(estimate=share, low=0.0, high=1.0, n=int(n))
    shrunk = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if share == 0 else max(0.0, float(shrunk - half))
    high = 1.0 if share == 1 else min(1.0, float(shrunk + half))
    return Interval(estimate=share, low=low, high=high, n=round(n))


def clopper_pearson(wins: int, n: int, *, confidence: float = 0.95) -> Interval:
    """The exact binomial interval: never covers less than ``confidence``."""
    if not 0 <= wins <= n or not n:
        raise InputError(f"wins of n: expected 0 <= wins <= n and n > 0, got {wins} of {n}")
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(wins, n - wins + 1, tail)) if wins else 0.0
    high = float(special.betaincinv(wins + 1, n - wins, 1 - tail)) if wins < n else 1.0
    return Interval(estimate=wins / n, low=low, high=high, n=n)


def proportion(
    values: Sequence[float] | Floats, clusters: Clusters = None, *, confidence: float = 0.95
) -> Interval:
    """The share of rows (each in [0, 1]) with Wilson's interval on the effective number of rows.

    The design effect is the cluster-robust variance over the binomial one, at least 1, as Dean &
    Pagano (2015) do; where every row is 0 or every row is 1 the clusters are what is counted. So
    an interval never has width 0 because nothing happened yet.
    """
    rows = _rows(values)
    if rows.min() < 0 or rows.max() > 1:
        raise InputError(f"shares: expected numbers in [0, 1], got {rows.min()} to {rows.max()}")
    share, n = float(rows.mean()), len(rows)
    count = n if clusters is None else len(set(clusters))
    binomial = share * (1 - share) / n
    error = standard_error((rows - share) / n, clusters)
    effect = max(1.0, error**2 / binomial) if binomial else n / count
    z = float(special.ndtri((1 + confidence) / 2))
    z = z if clusters is None else quantile(confidence, clusters, n)
    found = _score(share, n / effect, z)
    return Interval(estimate=share, low=found.low, high=found.high, n=n)


def difference(first: Interval, second: Interval) -> Interval:
    """Difference of two independent shares (Newcombe 1998, method 10): has width at 0 and 1 too."""
    gap = first.estimate - second.estimate
    below = np.hypot(first.estimate - first.low, second.high - second.estimate)
    above = np.hypot(first.high - first.estimate, second.estimate - second.low)
    return Interval(
        estimate=gap, low=float(gap - below), high=float(gap + above), n=first.n + second.n
    )
