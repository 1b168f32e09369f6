"""Logistic regression by iteratively reweighted least squares.

axes: N rows, K columns. Nothing is standardised, no intercept is added: the columns are the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from solon.errors import InputError
from solon.statistics.interval import Clusters, Floats, Interval, cluster_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Logit:
    """A fitted model. ``influence`` [N K] is how far each row moved the coefficients (first order).

    ``separated`` says that some combination of columns predicts every row perfectly, so that a
    coefficient has no finite maximum: its intervals are then the whole line.

    Example:
        logistic(x, p).coefficient(1)      # Interval of the second column's coefficient, in logits
    """

    coefficients: Floats
    covariance: Floats
    influence: Floats
    log_likelihood: float
    separated: bool

    @property
    def standard_errors(self) -> Floats:
        """[K], in logits; from the model, or robust where clusters were given."""
        return np.sqrt(np.diag(self.covariance))

    def coefficient(self, k: int, *, confidence: float = 0.95) -> Interval:
        """Wald's interval of column k's coefficient, in logits."""
        return self._wald(np.eye(len(self.coefficients))[k], 0.0, confidence)

    def probability(
        self, row: Sequence[float] | Floats, *, offset: float = 0.0, confidence: float = 0.95
    ) -> Interval:
        """P(1) at one row [K]: the delta method on the logit, so the interval stays in [0, 1]."""
        at = self._wald(np.asarray(row, dtype=np.float64), offset, confidence)
        estimate, low, high = (float(v) for v in special.expit([at.estimate, at.low, at.high]))
        return Interval(estimate=estimate, low=low, high=high, n=at.n)

    def _wald(self, row: Floats, offset: float, confidence: float) -> Interval:
        centre, n = float(row @ self.coefficients) + offset, len(self.influence)
        if self.separated:
            return Interval(estimate=centre, low=float("-inf"), high=float("inf"), n=n)
        half = special.ndtri((1 + confidence) / 2) * np.sqrt(row @ self.covariance @ row)
        return Interval(estimate=centre, low=float(centre - half), high=float(centre + half), n=n)


def logistic(
    x: Floats,
    p: Floats,
    *,
    weights: Floats | None = None,
    offset: Floats | None = None,
    ridge: float | Sequence[float] = 0.0,
    clusters: Clusters = None,
) -> Logit:
    """Maximum likelihood of sum_n w_n [p log mu + (1 - p) log(1 - mu)], mu = sigma(x b + offset).

    x is [N K] and p [N] in [0, 1] (soft labels). ``ridge`` takes ridge_k b_k^2 / 2 away (one
    number, or one a column). With ``clusters`` the covariance is the sandwich over them, else the
    inverse information. Raises InputError where the columns are collinear or the shapes disagree.
    """
    _check(x, p)
    weights = np.ones(len(x)) if weights is None else weights
    offset = np.zeros(len(x)) if offset is None else offset
    penalty = np.broadcast_to(np.asarray(ridge, dtype=np.float64), x.shape[1])
    b = _climb(x, p, weights, offset, penalty)
    eta = x @ b + offset
    mu = special.expit(eta)
    inverse: Floats = np.linalg.inv(_information(x, weights, mu, penalty)).astype(np.float64)
    influence = (x * (weights * (p - mu))[:, None]) @ inverse
    covariance = inverse
    if clusters is not None:
        sums = cluster_sums(influence, clusters)
        few = len(sums) / max(len(sums) - 1, 1)
        covariance = np.asarray(few * (sums.T @ sums), dtype=np.float64)
    return Logit(
        coefficients=b,
        covariance=covariance,
        influence=influence,
        log_likelihood=_likelihood(eta, p, weights),
        separated=bool(np.abs(eta).max() > 8 and not penalty.all() and _separable(x, p, weights)),
    )


def _check(x: Floats, p: Floats) -> None:
    if x.ndim != 2 or len(x) != len(p) or len(x) < 1:
        raise InputError(f"logistic: expected x [N K] and p [N], got {x.shape} and {p.shape}")
    if not (np.isfinite(x).all() and np.all((p >= 0) & (p <= 1))):
        raise InputError("logistic: expected finite columns and p in [0, 1]")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError("logistic: the columns are collinear (or too few rows); leave one out")


def _likelihood(eta: Floats, p: Floats, weights: Floats) -> float:
    return float(np.sum(weights * (p * eta - np.logaddexp(0, eta))))


def _information(x: Floats, weights: Floats, mu: Floats, penalty: Floats) -> Floats:
    # the floor keeps separated rows, whose mu (1 - mu) vanishes, from making it singular
    return (x.T * np.maximum(weights * mu * (1 - mu), 1e-12)) @ x + np.diag(penalty)


def _climb(x: Floats, p: Floats, weights: Floats, offset: Floats, penalty: Floats) -> Floats:
    """Newton's steps, halved until they climb; separated rows stop climbing near 30 logits."""
    b = np.zeros(x.shape[1])

    def height(b: Floats) -> float:
        return _likelihood(x @ b + offset, p, weights) - float(penalty @ b**2) / 2

    here = height(b)
    for _ in range(100):
        mu = special.expit(x @ b + offset)
        slope = x.T @ (weights * (p - mu)) - penalty * b
        step = np.linalg.solve(_information(x, weights, mu, penalty), slope)
        if slope @ step < 1e-12:
            return b
        there = height(b + step)
        while there < here and np.abs(step).max() > 1e-10:
            step = step / 2
            there = height(b + step)
        b, here = b + step, there
    return b


def _separable(x: Floats, p: Floats, weights: Floats) -> bool:
    """Whether some b, not 0 on all rows, has x b >= 0 where p = 1, <= 0 where 0, = 0 between."""
    x, p = x[weights > 0], p[weights > 0]
    hard = (p == 0) | (p == 1)
    signed = x[hard] * (2 * p[hard] - 1)[:, None]
    if not len(signed):
        return False
    found = optimize.linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        A_eq=x[~hard],
        b_eq=np.zeros(int((~hard).sum())),
        bounds=(-1, 1),
    )
    return bool(-found.fun > 1e-9)
