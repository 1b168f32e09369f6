"""Agreement beyond chance.

axes: K categories (in order, where order matters), I items, R raters. A table [K K] counts rows by
the first rater's category and the second's; counts [I K] say how many raters put an item where.
Where chance alone would agree always, a coefficient is nan.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from solon.errors import InputError
from solon.statistics.interval import Floats

Distance = Literal["nominal", "linear", "quadratic"]


def table(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    categories: Sequence[Hashable],
    weights: Floats | None = None,
) -> Floats:
    """Counts [K K] of the rows' two categories; raises InputError on a category not listed."""
    if len(first) != len(second):
        raise InputError(f"table: expected equal lengths, got {len(first)} and {len(second)}")
    number = {category: k for k, category in enumerate(categories)}
    strange = sorted(str(name) for name in {*first, *second} - number.keys())
    if strange:
        raise InputError(f"table: {strange[0]!r} is none of the categories {list(categories)}")
    size = len(number)
    cells = [number[a] * size + number[b] for a, b in zip(first, second, strict=True)]
    counts = np.bincount(cells, weights=weights, minlength=size * size)
    return counts.reshape(size, size).astype(np.float64)


def observed(counts: Floats) -> float:
    """The share of rows on the table's diagonal."""
    return float(np.trace(counts) / counts.sum())


def _corrected(agreed: float, chance: float) -> float:
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def cohen_kappa(counts: Floats, distance: Distance = "nominal") -> float:
    """Cohen's kappa (1960; weighted 1968): 1 - sum(w o) / sum(w e), e from the margins."""
    shares = counts / counts.sum()
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    apart = np.abs(np.subtract.outer(np.arange(len(counts)), np.arange(len(counts))))
    power = {"nominal": np.sign(apart), "linear": apart, "quadratic": apart**2}[distance]
    by_chance = float((power * expected).sum())
    return 1 - float((power * shares).sum()) / by_chance if by_chance > 0 else float("nan")


def pabak(counts: Floats) -> float:
    """Byrt's prevalence- and bias-adjusted kappa (1993): (K po - 1) / (K - 1), 2 po - 1 for two."""
    return _corrected(observed(counts), 1 / len(counts))


def gwet_ac1(counts: Floats) -> float:
    """Gwet's AC1 (2008): chance is sum_k q_k (1 - q_k) / (K - 1), q the mean of the two margins."""
    if len(counts) < 2:
        return float("nan")
    shares = counts / counts.sum()
    q = (shares.sum(axis=0) + shares.sum(axis=1)) / 2
    return _corrected(observed(counts), float((q * (1 - q)).sum() / (len(counts) - 1)))


def fleiss_kappa(counts: Floats) -> float:
    """Fleiss' kappa (1971) of counts [I K]; raises InputError unless each item has R >= 2."""
    raters = counts.sum(axis=1)
    if raters.min() != raters.max() or raters[0] < 2:
        raise InputError(
            "fleiss_kappa: expected the same number of raters (two or more) for every item, got "
            f"{raters.min():g} to {raters.max():g}; krippendorff_alpha takes such items"
        )
    r = raters[0]
    agreed = float(np.mean((np.sum(counts**2, axis=1) - r) / (r * (r - 1))))
    return _corrected(agreed, float(np.sum((counts.sum(axis=0) / counts.sum()) ** 2)))


def observed_among(counts: Floats) -> float:
    """The share of pairs of raters that agree, by item, of counts [I K] with two raters or more."""
    raters = counts.sum(axis=1)
    return float(np.mean((np.sum(counts**2, axis=1) - raters) / (raters * (raters - 1))))


def pabak_among(counts: Floats) -> float:
    """Byrt's PABAK (1993) of counts [I K]: chance is 1 / K."""
    return _corrected(observed_among(counts), 1 / counts.shape[1])


def ac1_among(counts: Floats) -> float:
    """Gwet's AC1 (2008, eq. for several raters) of counts [I K]; items may have unequal raters."""
    size = counts.shape[1]
    if size < 2:
        return float("nan")
    q = np.mean(counts / counts.sum(axis=1, keepdims=True), axis=0)
    return _corrected(observed_among(counts), float((q * (1 - q)).sum() / (size - 1)))


def krippendorff_alpha(
    counts: Floats, level: Literal["nominal", "ordinal", "interval"] = "nominal"
) -> float:
    """Krippendorff's alpha (2011) of counts [I K]; an item with one rating says nothing."""
    rated = counts[counts.sum(axis=1) >= 2]
    if not len(rated):
        return float("nan")
    raters = rated.sum(axis=1, keepdims=True)
    pairs = (rated / (raters - 1)).T @ rated - np.diag((rated / (raters - 1)).sum(axis=0))
    margin = pairs.sum(axis=1)
    apart = _apart(margin, level)
    expected = float(margin @ apart @ margin) / (margin.sum() - 1)
    return 1 - float((pairs * apart).sum()) / expected if expected > 0 else float("nan")


def _apart(margin: Floats, level: str) -> Floats:
    """Squared distances [K K] between categories."""
    size = len(margin)
    if level == "nominal":
        return 1 - np.eye(size)
    # an ordinal category lies at its mid-rank: half its own ratings above all that are below it
    place = np.cumsum(margin) - margin / 2 if level == "ordinal" else np.arange(size)
    return np.subtract.outer(place, place).astype(np.float64) ** 2
