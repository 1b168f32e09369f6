"""Win rates at equal length.

axes: N pairs. ``won`` [N] in [0, 1] is how far the first completion won; lengths are in characters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from solon.errors import InputError
from solon.statistics.interval import Clusters, Floats, Interval, standard_error
from solon.statistics.logistic import Logit, logistic


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControlled:
    """AlpacaEval's length-controlled win rate and the model behind it.

    ``theta`` is the constant, ``psi`` the weight of the difficulty (0 without it) and ``phi`` that
    of tanh of the standardised length difference, second minus first; all in logits.

    Example:
        LengthControlled(win_rate=Interval(estimate=0.19, low=0.17, high=0.22, n=805),
                         theta=-1.6, psi=0.8, phi=-0.9)
    """

    win_rate: Interval
    theta: float
    psi: float
    phi: float


def at_equal_length(
    won: Floats, first: Floats, second: Floats, clusters: Clusters = None
) -> Interval:
    """P(first wins) = sigma(a + b len(first) / len(second)) at ratio 1 (Lee et al., 2309.00267).

    An empty second counts as one character. Raises InputError where every ratio is the same and
    not 1.
    """
    ratio = first / np.maximum(second, 1)
    return _at(won, ratio, 1.0, clusters)


def rate_at_length(won: Floats, length: Floats, at: float, clusters: Clusters = None) -> Interval:
    """A rate regressed on length and read at length ``at``.

    Lee et al. (arXiv 2309.00267) read the harmless rate at the SFT policy's mean length. Raises
    InputError where every length is the same and not ``at``.
    """
    return _at(won, length, at, clusters)


def _at(won: Floats, x: Floats, at: float, clusters: Clusters) -> Interval:
    spread = float(np.std(x))
    # centred and scaled, so that lengths in the thousands leave the information matrix well behaved
    columns = [np.ones(len(x))]
    if spread > 1e-9 * (1 + abs(at)):
        columns.append((x - at) / spread)
    elif not np.allclose(x, at):
        raise InputError(f"length: every row is at {x[0]:g}, so nothing is known of {at:g}")
    fit = logistic(np.column_stack(columns), won, clusters=_rows(clusters, len(x)))
    return fit.probability([1.0, 0.0][: len(columns)])


def length_controlled(
    won: Floats,
    first: Floats,
    second: Floats,
    *,
    difficulty: Floats | None = None,
    clusters: Clusters = None,
    confidence: float = 0.95,
) -> LengthControlled:
    """AlpacaEval's win rate with the length difference set to 0 (Dubois et al., arXiv 2404.04475).

    logit P(first wins) = theta + psi difficulty + phi tanh((len second - len first) / sd), no other
    intercept; the rate is the mean of sigma(theta + psi difficulty). The interval takes the pairs
    as drawn, whole clusters together, by the delta method on the logit.

    Deviations: 1. plain maximum likelihood in place of a cross-validated L1 penalty and two gamed
    baselines. 2. the sd is at least one character, so equal differences do not blow up.
    """
    if len({len(won), len(first), len(second)}) != 1:
        raise InputError("length_controlled: expected won, first and second of equal length")
    apart = second - first
    gap = np.tanh(apart / max(float(np.std(apart)), 1.0))
    hard = np.zeros(len(won)) if difficulty is None else difficulty
    columns = {"theta": np.ones(len(won)), "psi": hard, "phi": gap}
    varied = {name: c for name, c in columns.items() if name == "theta" or np.ptp(c) > 0}
    if "phi" not in varied and gap.any():
        raise InputError(
            "length_controlled: every pair has the same length difference, so length and policy "
            "cannot be told apart; use pairs of different lengths, or the plain win rate"
        )
    x = np.column_stack(list(varied.values()))
    fit = logistic(x, won)
    weight = dict(zip(varied, fit.coefficients.tolist(), strict=True))
    x[:, [name == "phi" for name in varied]] = 0
    rate = _mean_probability(fit, x, clusters, confidence)
    return LengthControlled(
        win_rate=rate, theta=weight["theta"], psi=weight.get("psi", 0.0), phi=weight.get("phi", 0.0)
    )


def predicted_win_rate(theta: float, psi: float, difficulty: Floats) -> float:
    """The rate that published weights imply: the mean of sigma(theta + psi difficulty)."""
    return float(special.expit(theta + psi * difficulty).mean())


def _mean_probability(fit: Logit, x: Floats, clusters: Clusters, confidence: float) -> Interval:
    p = special.expit(x @ fit.coefficients)
    centre = float(p.mean())
    if fit.separated:
        return Interval(estimate=centre, low=0.0, high=1.0, n=len(p))
    moved = fit.influence @ (x.T @ (p * (1 - p)) / len(p))
    error = standard_error((p - centre) / len(p) + moved, clusters)
    half = special.ndtri((1 + confidence) / 2) * error / (centre * (1 - centre))
    low, high = special.expit([special.logit(centre) - half, special.logit(centre) + half])
    return Interval(estimate=centre, low=float(low), high=float(high), n=len(p))


def _rows(clusters: Clusters, n: int) -> Clusters:
    """Each row its own cluster where none are given: soft labels need the robust covariance."""
    return range(n) if clusters is None else clusters
