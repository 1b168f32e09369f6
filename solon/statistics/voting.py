"""How much several voters know together.

axes: N questions, J voters. ``right`` [N J] is 1 where the voter is right, 0 where wrong, 1/2 where
undecided; ``weights`` [N] say how often a question counts.
"""

from __future__ import annotations

import numpy as np

from solon.statistics.interval import Floats

# a variance below this is rounding: the shares behind it are sums of thousandths or more
NONE = 1e-12


def effective_voters(right: Floats, weights: Floats) -> float:
    """The independent voters whose mean would vary as this mean does: sigma^2 / Var(mean of J).

    sigma^2 is the voters' mean variance. With rho their mean covariance over it, this is
    J / (1 + (J - 1) rho), exactly. nan where nobody, or not even the mean, varies.
    """
    single, together = _variances(right, weights)
    return single / together if together > NONE else float("nan")


def error_correlation(right: Floats, weights: Floats) -> float:
    """rho: the mean covariance of two voters' errors over the mean variance of one's."""
    single, together = _variances(right, weights)
    voters = right.shape[1]
    if single <= NONE or voters < 2:
        return float("nan")
    return (voters * together / single - 1) / (voters - 1)


def _variances(right: Floats, weights: Floats) -> tuple[float, float]:
    """The mean variance of one voter, and the variance of the voters' mean."""
    share = weights / weights.sum()
    apart = right - share @ right
    return float((share @ apart**2).mean()), float(share @ apart.mean(axis=1) ** 2)


def majority(right: Floats) -> Floats:
    """Whether a strict majority of all J is right [N]: 1, 0, or 1/2 where there is none."""
    voters = right.shape[1]
    ours, theirs = (right == 1).sum(axis=1), (right == 0).sum(axis=1)
    return np.where(2 * ours > voters, 1.0, np.where(2 * theirs > voters, 0.0, 0.5))


def independent_majority(accuracies: Floats) -> float:
    """P(a strict majority is right), and half of P(there is none), for independent voters.

    Condorcet's theorem for voters of unequal accuracy: the Poisson binomial distribution.
    """
    counts = np.ones(1)
    for p in accuracies:
        counts = np.convolve(counts, [1 - p, p])
    voters = len(accuracies)
    won = np.arange(voters + 1)
    return float(counts @ ((2 * won > voters) + (2 * won == voters) / 2))
