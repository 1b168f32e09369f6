"""The bootstrap, by weights: a statistic sees how often each row was drawn.

axes: N rows, C clusters, D draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from solon.errors import InputError
from solon.statistics.interval import Clusters, Floats, Interval, numbered

Statistic = Callable[[Floats], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Seeded resampling of whole clusters; percentile intervals, or BCa (Efron 1987).

    A draw in which the statistic is undefined (nan) is left out; where more than one in twenty is,
    the interval is the whole line. A statistic that cannot vary in the sample gets width 0: use
    ``proportion`` for shares.

    Example:
        Bootstrap(draws=2000, seed=1)(lambda w: float(w @ x / w.sum()), n=len(x), clusters=prompts)
    """

    draws: int = 1000
    seed: int = 0
    confidence: float = 0.95
    kind: Literal["percentile", "bca"] = "percentile"

    def __call__(self, statistic: Statistic, n: int, clusters: Clusters = None) -> Interval:
        """The interval of ``statistic(weights)``; weights [N] say how often each row was drawn."""
        if n < 1:
            raise InputError("bootstrap: expected at least one row, got none")
        number = numbered(clusters, n)
        count = int(number.max()) + 1
        rng = np.random.default_rng(self.seed)
        drawn = (rng.multinomial(count, np.full(count, 1 / count)) for _ in range(self.draws))
        values = _values(statistic, (weights[number].astype(float) for weights in drawn))
        estimate = statistic(np.ones(n))
        left_out: Floats | None = None
        if self.kind == "bca":
            without = ((number != c).astype(float) for c in range(count))
            left_out = _values(statistic, without)
        return self._interval(estimate, values, n, left_out)

    def table(self, statistic: Statistic, table: Floats) -> Interval:
        """The interval of ``statistic(table)`` for counts of independent rows (multinomial)."""
        n = round(float(table.sum()))
        if n < 1:
            raise InputError("bootstrap: expected a table with at least one row, got an empty one")
        rng = np.random.default_rng(self.seed)
        drawn = rng.multinomial(n, table.ravel() / table.sum(), size=self.draws)
        values = _values(statistic, (row.reshape(table.shape).astype(float) for row in drawn))
        left_out: Floats | None = None
        if self.kind == "bca":
            left_out = _without_one(statistic, table)
        return self._interval(statistic(table), values, n, left_out)

    def blocks(self, statistic: Statistic, n: int, length: int) -> Interval:
        """The interval for one ordered series: circular moving blocks (Politis & Romano 1992)."""
        if not 1 <= length <= n:
            raise InputError(f"blocks: expected a length from 1 to {n} rows, got {length}")
        rng = np.random.default_rng(self.seed)
        starts = rng.integers(n, size=(self.draws, -(-n // length)))
        rows = ((starts[:, :, None] + np.arange(length)) % n).reshape(self.draws, -1)[:, :n]
        drawn = (np.bincount(row, minlength=n).astype(float) for row in rows)
        return self._interval(statistic(np.ones(n)), _values(statistic, drawn), n, None)

    def _interval(
        self, estimate: float, values: Floats, n: int, left_out: Floats | None
    ) -> Interval:
        kept = values[~np.isnan(values)]
        if np.isnan(estimate) or len(kept) < 0.95 * self.draws:
            return Interval(estimate=estimate, low=float("-inf"), high=float("inf"), n=n)
        tails = np.array([(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        if left_out is not None:
            tails = _bca(tails, estimate, kept, left_out)
        # "inverted_cdf" never subtracts, so draws at infinity stay infinity
        low, high = np.quantile(kept, tails, method="inverted_cdf")
        return Interval(estimate=estimate, low=float(low), high=float(high), n=n)


def _values(statistic: Statistic, drawn: Iterable[Floats]) -> Floats:
    return np.array([statistic(weights) for weights in drawn])


def _without_one(statistic: Statistic, table: Floats) -> Floats:
    values: list[float] = []
    for cell, count in np.ndenumerate(table):
        if count:
            less = table.copy()
            less[cell] -= 1
            values += [statistic(less)] * round(float(count))
    return np.array(values)


def _bca(tails: Floats, estimate: float, values: Floats, left_out: Floats) -> Floats:
    """The tails moved for the bias and the skew of the statistic."""
    below = np.mean(values < estimate) + np.mean(values == estimate) / 2
    below = np.clip(below, 0.5 / len(values), 1 - 0.5 / len(values))
    bias = special.ndtri(below)
    gaps = np.mean(left_out) - left_out
    spread = np.sum(gaps**2)
    skew = np.sum(gaps**3) / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + special.ndtri(tails)
    return special.ndtr(bias + z / (1 - skew * z))
