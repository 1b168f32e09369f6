"""Prediction-powered means: a few labels by people, many by a judge, and no trust in the judge.

Angelopoulos et al. (arXiv 2301.09633) and, for the weight, PPI++ (arXiv 2311.01453, section 6).

axes: n labelled rows, N rows that only the judge has seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.statistics.interval import Clusters, Floats, Interval, quantile, standard_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Powered:
    """A mean of labels that a judge's verdicts sharpen; ``weight`` 0 is the labels alone.

    Example:
        powered(labels, judged, unlabelled).interval
    """

    interval: Interval
    weight: float


def powered(
    labels: Floats,
    judged: Floats,
    unlabelled: Floats,
    *,
    weight: float | None = None,
    clusters: Clusters = None,
    confidence: float = 0.95,
) -> Powered:
    """mean(h) - weight (mean(j over labelled) - mean(j over unlabelled)), unbiased for any weight.

    ``labels`` h [n] and ``judged`` j [n] are of the same rows, ``unlabelled`` [N] of others;
    ``clusters`` names all n + N rows in that order. None takes the weight of least variance,
    cov(h, j) / ((1 + n / N) var(j)), kept within 0 and 1. Raises InputError for fewer than two
    labelled rows or no others.
    """
    n, rest = len(labels), len(unlabelled)
    if n < 2 or len(judged) != n or rest < 1:
        raise InputError(
            "powered: expected two or more labelled rows, each judged, and others that are only "
            f"judged; got {n}, {len(judged)} and {rest}"
        )
    weight = _best(labels, judged, unlabelled) if weight is None else weight
    estimate = float(labels.mean() - weight * (judged.mean() - unlabelled.mean()))
    rectified, others = labels - weight * judged, weight * unlabelled
    influence = np.concatenate(
        [(rectified - rectified.mean()) / n, (others - others.mean()) / rest]
    )
    error = _error(influence, n, clusters)
    half = quantile(confidence, None if clusters is None else clusters[:n], n) * error
    interval = Interval(estimate=estimate, low=estimate - half, high=estimate + half, n=n + rest)
    return Powered(interval=interval, weight=weight)


def _error(influence: Floats, n: int, clusters: Clusters) -> float:
    """Without clusters the two samples are independent, each with its own degrees of freedom."""
    if clusters is not None:
        return standard_error(influence, clusters)
    parts = [standard_error(part) for part in (influence[:n], influence[n:]) if part.any()]
    return float(np.sqrt(sum(part**2 for part in parts)))


def _best(labels: Floats, judged: Floats, unlabelled: Floats) -> float:
    spread = float(np.concatenate([judged, unlabelled]).var())
    if spread == 0:
        return 0.0
    shared = float(np.mean((labels - labels.mean()) * (judged - judged.mean())))
    return float(np.clip(shared / ((1 + len(labels) / len(unlabelled)) * spread), 0.0, 1.0))
