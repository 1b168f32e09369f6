"""Does what is called probable come true that often?

axes: N rows, B bins. ``stated`` [N] is the probability that was given to something, ``right`` [N]
whether it came true (1, 0 or a share), ``number`` [N] the row's bin, ``weights`` [N] how often the
row counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.statistics.interval import Clusters, Floats, Interval, standard_error, wilson
from solon.statistics.logistic import logistic

Bins = NDArray[np.intp]
# whoever says 1 is taken at their word to one in a thousand: a logit must be finite
SURE = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A row of the reliability table: what was stated on average, and how often it came true.

    Example:
        Bin(low=0.8, high=0.9, stated=0.86, right=Interval(estimate=0.7, low=0.6, high=0.8, n=90))
    """

    low: float
    high: float
    stated: float
    right: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Murphy:
    """Brier's score in parts: brier = reliability - resolution + uncertainty + within.

    Murphy (1973) has the first three, for probabilities that are equal within a bin; ``within`` is
    Stephenson, Coelho & Jolliffe's (2008) pair of terms for those that are not: the spread of what
    was stated in a bin, less twice its covariance with what came true.

    Example:
        Murphy(brier=0.16, reliability=0.01, resolution=0.1, uncertainty=0.25, within=0.0)
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def equal_width(stated: Floats, bins: int, low: float = 0.0) -> Bins:
    """B bins of equal width from ``low`` to 1; each holds its lower edge, the last one its end."""
    edges = np.linspace(low, 1, bins + 1)[1:-1]
    return np.searchsorted(edges, stated, side="right").astype(np.intp)


def equal_mass(stated: Floats, bins: int) -> Bins:
    """B bins of as many rows each; equal numbers share a bin, so there may be fewer."""
    edges = np.quantile(stated, np.arange(1, bins) / bins)
    return np.searchsorted(edges, stated, side="right").astype(np.intp)


def ece(stated: Floats, right: Floats, number: Bins, weights: Floats) -> float:
    """Expected calibration error sum_b (n_b / N) |right_b - stated_b| (Guo et al., 1706.04599)."""
    gaps = np.bincount(number, weights=weights * (right - stated))
    return float(np.abs(gaps).sum() / weights.sum())


def calibrated_ece(
    stated: Floats, number: Bins, weights: Floats, *, rows: int, draws: int = 1000, seed: int = 0
) -> Interval:
    """The error that chance alone shows: mean and central 95 % where what is stated is true.

    Each draw takes ``rows`` of the rows and lets each come true with the probability stated.
    """
    rng = np.random.default_rng(seed)
    values = np.empty(draws)
    for k in range(draws):
        at = rng.choice(len(stated), size=rows, replace=False)
        right = (rng.random(rows) < stated[at]).astype(np.float64)
        values[k] = ece(stated[at], right, number[at], weights[at])
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(estimate=float(values.mean()), low=float(low), high=float(high), n=rows)


def effective_rows(stated: Floats, right: Floats, clusters: Clusters) -> int:
    """The independent rows that would leave the mean gap as uncertain as these clusters do."""
    gaps = right - stated
    gaps = (gaps - gaps.mean()) / len(gaps)
    alone, together = standard_error(gaps), standard_error(gaps, clusters)
    if not np.isfinite(together) or not alone:
        return len(gaps) if clusters is None else len(set(clusters))
    return max(1, round(len(gaps) / max(1.0, (together / alone) ** 2)))


def murphy(
    stated: Floats, right: Floats, number: Bins, weights: Floats, *, rate: float | None = None
) -> Murphy:
    """The decomposition about ``rate``, by default how often things come true."""
    share = weights / weights.sum()
    mass: Floats = np.bincount(number, weights=share).astype(np.float64)
    said, came = (_means(values, number, share, mass) for values in (stated, right))
    about = float(share @ right) if rate is None else rate
    apart, gap = stated - said[number], right - came[number]
    return Murphy(
        brier=float(share @ (stated - right) ** 2),
        reliability=float(mass @ (said - came) ** 2),
        resolution=float(mass @ (came - about) ** 2),
        uncertainty=float(share @ (right - about) ** 2),
        within=float(share @ (apart**2 - 2 * apart * gap)),
    )


def _means(values: Floats, number: Bins, share: Floats, mass: Floats) -> Floats:
    """The mean of each bin [B]; 0 in an empty one, which has no mass."""
    sums = np.bincount(number, weights=share * values)
    return np.divide(sums, mass, out=np.zeros_like(sums), where=mass > 0)


def reliability_table(stated: Floats, right: Floats, number: Bins, weights: Floats) -> list[Bin]:
    """A row for each bin that holds anything, with Wilson's interval of what came true."""
    table: list[Bin] = []
    for k in np.unique(number):
        here = number == k
        n, said = float(weights[here].sum()), stated[here]
        table.append(
            Bin(
                low=float(said.min()),
                high=float(said.max()),
                stated=float(weights[here] @ said / n),
                right=wilson(float(weights[here] @ right[here]), n),
            )
        )
    return table


def calibration_slope(stated: Floats, right: Floats, clusters: Clusters = None) -> Interval:
    """Cox's calibration slope (1958): b of logit P(right) = b logit(stated), 1 / temperature.

    Below 1 more is stated than comes true; nan where 1/2 is stated throughout. Robust over
    clusters.
    """
    x, n = logits(stated)[:, None], len(stated)
    if not x.any():
        return Interval.unknown(n)
    return logistic(x, right, clusters=range(n) if clusters is None else clusters).coefficient(0)


def logits(stated: Floats) -> Floats:
    """log p / (1 - p), of p held between 0.001 and 0.999."""
    return special.logit(np.clip(stated, 1 - SURE, SURE))


def log_loss(logit: Floats, right: Floats) -> Floats:
    """-[y log p + (1 - y) log(1 - p)] of each row [N], in nats."""
    return np.logaddexp(0, logit) - right * logit
