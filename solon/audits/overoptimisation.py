"""Does more of the proxy still buy gold? Gao, Schulman & Hilton (arXiv 2210.10760).

d = sqrt(KL(policy || start)) in sqrt(nats). Best-of-n: R(d) = d (alpha - beta d), highest at
alpha / (2 beta). Reinforcement: R(d) = d (alpha - beta ln d), highest at exp(alpha / beta - 1), and
not valid near d = 0. Both have R(0) = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.errors import DataError, InputError
from solon.judges.row_files import read_rows
from solon.objectives.bestofn import expected_gold, kl_bound
from solon.records import Finding
from solon.statistics import Bootstrap, Interval
from solon.statistics.interval import Floats

Form = Literal["best_of_n", "reinforcement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a policy stood: ``kl`` in nats from its start, mean proxy and mean gold.

    ``cluster`` names what was drawn independently: a seed, or a prompt of best-of-n.

    Example:
        Point(kl=4.0, proxy=2.1, gold=0.8, cluster="seed-3")
    """

    kl: float
    proxy: float
    gold: float
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overoptimisation:
    """The gold along sqrt(KL), by a fit of the published form and by its slope at the end.

    Gold and proxy are centred on their means over the points with KL 0, where there are any.
    ``gold_slope`` and ``proxy_slope`` are those of straight lines; gold's is bounded by [0, inf):
    it warns where more pressure loses gold. Intervals resample whole clusters; with one cluster,
    blocks of points in the order of d.

    Example:
        Overoptimisation(form="reinforcement")(points)
    """

    form: Form = "best_of_n"
    """Published form that is fitted: of best_of_n or of reinforcement."""
    tail: float = 1 / 3
    """Share of the range of d, at its end, that the slopes are taken over."""
    draws: int = 1000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Seeds the bootstrap."""

    def __call__(self, points: Sequence[Point], /) -> list[Finding]:
        """The findings; raises InputError for fewer than four distances from the start."""
        if len({point.kl for point in points if point.kl > 0}) < 4:
            raise InputError("overoptimisation: expected points at four or more values of kl > 0")
        curve = _Curve.of(points, self.form)
        start = curve.d.max() - self.tail * (curve.d.max() - curve.d.min())
        end = curve.after(start)
        if len(np.unique(end.d)) < 2:
            raise InputError(
                f"overoptimisation: only one distance lies in the last {self.tail:.2f} of the "
                "range of sqrt(kl); widen tail, or measure more points at the end"
            )

        note = curve.drawn
        gold = self._measure(end, lambda w: end.slope(end.gold, w))
        proxy = self._measure(end, lambda w: end.slope(end.proxy, w))
        return [
            _found("gold_slope", gold, note, (0.0, float("inf"))),
            _found("proxy_slope", proxy, note),
            _found("alpha", self._measure(curve, lambda w: curve.fit(w).alpha), note),
            _found("beta", self._measure(curve, lambda w: curve.fit(w).beta), note),
            _found("explained", self._measure(curve, lambda w: curve.fit(w).explained), note),
            *self._extrapolation(curve, start),
            *self._peak(curve),
        ]

    def _peak(self, curve: _Curve) -> list[Finding]:
        """Nothing where the fit never bends down: there is no peak to report."""
        at = self._measure(curve, lambda w: curve.fit(w).peak)
        height = self._measure(curve, lambda w: curve.fit(w).height)
        if not np.isfinite(at.estimate):
            return []
        beyond = at.estimate > curve.d.max()
        note = f"beyond the data, which end at d = {curve.d.max():.3g}" if beyond else curve.drawn
        return [_found("peak_d", at, note), _found("peak_gold", height, note)]

    def _extrapolation(self, curve: _Curve, start: float) -> list[Finding]:
        """Nothing where fewer than three distances lie before the end: a fit would be exact."""
        early = curve.d < start
        if len(np.unique(curve.d[early & (curve.d > 0)])) < 3:
            return []
        missed = self._measure(curve, lambda w: curve.missed(early, w))
        return [
            _found("extrapolation_error", missed, f"fitted below d = {start:.3g}, tested beyond")
        ]

    def read(self, path: Path) -> list[Point]:
        """The points of a file."""
        return read_points(path)

    def recorded(self, points: Sequence[Point]) -> list[Finding]:
        """The same: points are always recorded."""
        return self(points)

    def _measure(self, curve: _Curve, statistic: Callable[[Floats], float]) -> Interval:
        bootstrap = Bootstrap(draws=self.draws, seed=self.seed)
        if curve.clusters is not None:
            return bootstrap(statistic, len(curve.d), curve.clusters)
        # a block bootstrap's error is smallest for lengths of order n^(1/3); a line needs 2 points
        length = max(2, round(len(curve.d) ** (1 / 3)))
        return bootstrap.blocks(statistic, len(curve.d), length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The published form through gold at distances d; ``explained`` is R^2 about gold's mean.

    Example:
        fitted(d, gold, "best_of_n").peak      # alpha / (2 beta)
    """

    form: Form
    alpha: float
    beta: float
    explained: float

    def __call__(self, d: Floats) -> Floats:
        """The gold of the form at these distances."""
        return d * self.alpha - self.beta * _bent(d, self.form)

    @property
    def peak(self) -> float:
        """The distance at which gold is highest; infinite where it never bends down."""
        if np.isnan(self.beta):
            return self.beta
        if self.beta <= 0:
            return float("inf")
        if self.form == "best_of_n":
            return max(0.0, self.alpha / (2 * self.beta))
        ratio = self.alpha / self.beta
        return float(np.exp(ratio - 1)) if ratio < 700 else float("inf")

    @property
    def height(self) -> float:
        """The gold at its peak."""
        return float(self(np.array([self.peak]))[0]) if np.isfinite(self.peak) else self.peak


def fitted(d: Floats, gold: Floats, form: Form, weights: Floats | None = None) -> Fit:
    """Least squares of the form, which is linear in alpha and beta."""
    weights = np.ones(len(d)) if weights is None else weights
    alpha, beta = _least_squares(np.column_stack([d, -_bent(d, form)]), gold, weights)
    fit = Fit(form=form, alpha=alpha, beta=beta, explained=float("nan"))
    mean = np.average(gold, weights=weights)
    spread = float(weights @ (gold - mean) ** 2)
    left = float(weights @ (gold - fit(d)) ** 2)
    return replace(fit, explained=1 - left / spread) if spread > 0 else fit


def _bent(d: Floats, form: Form) -> Floats:
    return d**2 if form == "best_of_n" else np.asarray(special.xlogy(d, d))


def best_of_n_points(
    samples: Mapping[str, tuple[Sequence[float], Sequence[float]]], sizes: Sequence[int]
) -> list[Point]:
    """Points of best-of-n from each prompt's samples (proxies, golds): a cluster a prompt."""
    return [
        Point(
            kl=kl_bound(n),
            proxy=expected_gold(np.asarray(proxies), np.asarray(proxies), [n])[0],
            gold=expected_gold(np.asarray(proxies), np.asarray(golds), [n])[0],
            cluster=prompt,
        )
        for prompt, (proxies, golds) in samples.items()
        for n in sizes
    ]


def read_points(path: Path | str) -> list[Point]:
    """Points from JSON lines or parquet with the fields kl, proxy, gold and, if known, cluster.

    Raises DataError, which names file, row and field.
    """
    return [_point(Path(path), number, row) for number, row in read_rows(Path(path))]


def _point(path: Path, number: int, row: Mapping[str, Any]) -> Point:
    values: list[float] = []
    for field in ("kl", "proxy", "gold"):
        value = row.get(field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            expected = "a finite number"
            raise DataError(path, row=number, field=field, expected=expected, came=repr(value))
        values.append(float(value))
    cluster = str(row.get("cluster") or "")
    return Point(kl=values[0], proxy=values[1], gold=values[2], cluster=cluster)


def _found(
    quantity: str,
    interval: Interval,
    note: str,
    bound: tuple[float, float] = (float("-inf"), float("inf")),
) -> Finding:
    return Finding(
        audit="overoptimisation", quantity=quantity, bound=bound, note=note, **interval.measured
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """Points by distance; every number is a function of how often each was drawn (weights [N])."""

    form: Form
    d: Floats
    proxy: Floats
    gold: Floats
    clusters: tuple[str, ...] | None

    @classmethod
    def of(cls, points: Sequence[Point], form: Form) -> _Curve:
        ordered = sorted(points, key=lambda point: point.kl)
        kl = np.array([point.kl for point in ordered])
        rows = np.array([[point.kl, point.proxy, point.gold] for point in ordered])
        if not np.isfinite(rows).all() or kl[0] < 0:
            raise InputError("overoptimisation: expected finite points with kl >= 0 nats")
        names = tuple(point.cluster for point in ordered)
        return cls(
            form=form,
            d=np.sqrt(kl),
            proxy=_centred(np.array([point.proxy for point in ordered]), kl),
            gold=_centred(np.array([point.gold for point in ordered]), kl),
            clusters=names if len(set(names)) > 1 else None,
        )

    @property
    def drawn(self) -> str:
        """What was resampled, and whether it was little."""
        if self.clusters is None:
            return "one cluster: blocks of points were resampled"
        count = len(set(self.clusters))
        return f"{count} clusters: the interval is too narrow" if count < 8 else ""

    def fit(self, weights: Floats) -> Fit:
        """Where the draw cannot tell alpha and beta apart, both are nan."""
        return fitted(self.d, self.gold, self.form, weights)

    def missed(self, early: NDArray[np.bool_], weights: Floats) -> float:
        """Mean |gold - form| over the later points, of the form through the early ones."""
        late = weights * ~early
        if not late.any():
            return float("nan")
        foretold = fitted(self.d, self.gold, self.form, weights * early)(self.d)
        return float(late @ np.abs(self.gold - foretold) / late.sum())

    def after(self, start: float) -> _Curve:
        """The points at distance ``start`` and beyond."""
        late = self.d >= start
        names = None
        if self.clusters is not None:
            names = tuple(c for c, kept in zip(self.clusters, late, strict=True) if kept)
        gold, proxy = self.gold[late], self.proxy[late]
        return replace(self, d=self.d[late], gold=gold, proxy=proxy, clusters=names)

    def slope(self, values: Floats, weights: Floats) -> float:
        """The slope in d of a straight line through the values."""
        columns = np.column_stack([self.d, np.ones(len(self.d))])
        return _least_squares(columns, values, weights)[0]


def _centred(values: Floats, kl: Floats) -> Floats:
    return values - values[kl == 0].mean() if (kl == 0).any() else values


def _least_squares(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    root = np.sqrt(weights)
    found, _, rank, _ = np.linalg.lstsq(x * root[:, None], y * root)
    return (float(found[0]), float(found[1])) if rank == 2 else (float("nan"), float("nan"))
