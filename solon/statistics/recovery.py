"""How much of a gap is recovered (PGR), never without the three accuracies that it is made of.

axes: S seeds of training, N items of the test, C clusters of items, D draws. Burns et al. (arXiv
2312.09390); the bootstrap, the flag and the delta method are our formulation. PGR is never clipped:
it is below 0 where the student is worse than its supervisor, above 1 beyond the ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solon.errors import InputError
from solon.statistics.interval import Clusters, Floats, Interval, numbered, proportion

SMALL = 0.02  # a gap below this, or below twice its standard error, is no gap to recover


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What one student recovered of one gap; ``flagged`` where the gap is too small to tell.

    Example:
        recovered(weak_right, student_right, ceiling_right).pgr.estimate
    """

    pgr: Interval
    weak: Interval
    student: Interval
    ceiling: Interval
    flagged: bool


def pgr(weak: float, student: float, ceiling: float) -> float:
    """(student - weak) / (ceiling - weak) of three accuracies; nan where there is no gap."""
    return (student - weak) / (ceiling - weak) if ceiling != weak else nan


def delta_error(
    weak: tuple[float, float], student: tuple[float, float], ceiling: tuple[float, float]
) -> float:
    """Standard error of PGR for independent (accuracy, standard error)s, by the delta method.

    sqrt(Var(s) + (1 - PGR)^2 Var(w) + PGR^2 Var(c)) / |c - w|. On one test set errors go together:
    ``recovered`` resamples them together and is the one to report.
    """
    gap = ceiling[0] - weak[0]
    if gap == 0:
        return nan
    share = pgr(weak[0], student[0], ceiling[0])
    spread = student[1] ** 2 + ((1 - share) * weak[1]) ** 2 + (share * ceiling[1]) ** 2
    return sqrt(spread) / abs(gap)


def recovered(
    weak: ArrayLike,
    student: ArrayLike,
    ceiling: ArrayLike,
    *,
    clusters: Clusters = None,
    draws: int = 1000,
    seed: int = 0,
) -> Recovered:
    """PGR of mean accuracies from who was right [S N], row s the same seed and column i the item.

    Percentile bootstrap of clusters of items and of seeds together, all three alike in each draw.
    Few seeds vary less in a resample than they do: with five of them an interval is somewhat
    narrow. Raises InputError where the three are not of one shape.
    """
    right = _stacked(weak, student, ceiling)
    drawn = _resampled(right, clusters, draws, seed)
    gap = drawn[:, 2] - drawn[:, 0]
    shares = np.divide(
        drawn[:, 1] - drawn[:, 0], gap, out=np.full(len(gap), np.nan), where=gap != 0
    )
    means = right.mean(axis=(1, 2))
    small = max(SMALL, 2 * float(gap.std(ddof=1)))
    intervals = [_interval(means[k], drawn[:, k], right[k].size) for k in range(3)]
    share = pgr(*map(float, means))
    return Recovered(
        pgr=_interval(share, shares, right[0].size),
        weak=intervals[0],
        student=intervals[1],
        ceiling=intervals[2],
        flagged=bool(means[2] - means[0] < small),
    )


def median_pgr(
    tasks: Sequence[Recovered], *, draws: int = 1000, seed: int = 0
) -> tuple[Interval, int]:
    """The median over tasks that are not flagged, resampling tasks, and how many were.

    The mean is ruled by the tasks with the smallest gaps. With fewer than six tasks the bootstrap
    cannot leave the smallest and the largest: then the interval is those two.
    """
    kept = np.array([one.pgr.estimate for one in tasks if not one.flagged])
    flagged = len(tasks) - len(kept)
    if not len(kept):
        return Interval.unknown(), flagged
    rows = np.random.default_rng(seed).integers(len(kept), size=(draws, len(kept)))
    drawn = np.median(kept[rows], axis=1)
    low, high = (kept.min(), kept.max()) if len(kept) < 6 else np.quantile(drawn, (0.025, 0.975))
    middle = float(np.median(kept))
    return Interval(estimate=middle, low=float(low), high=float(high), n=len(kept)), flagged


def agreement(
    student: NDArray[np.int64],
    weak: NDArray[np.int64],
    labels: NDArray[np.int64],
    clusters: Clusters = None,
) -> tuple[Interval, Interval]:
    """How often the student says the weak class [N]: where that was right, and where it was wrong.

    The second is the measure of imitation: a student that learnt the truth disagrees there.
    """
    same, right = student == weak, weak == labels
    number = numbered(clusters, len(labels))

    def share(rows: NDArray[np.bool_]) -> Interval:
        if not rows.any():
            return Interval.unknown()
        return proportion(same[rows].astype(float), number[rows].tolist())

    return share(right), share(~right)


def _stacked(*right: ArrayLike) -> Floats:
    """[3 S N]."""
    arrays = [np.atleast_2d(np.asarray(one, dtype=np.float64)) for one in right]
    shapes = {one.shape for one in arrays}
    if len(shapes) != 1 or 0 in arrays[0].shape:
        said = ", ".join(str(one.shape) for one in arrays)
        raise InputError(f"recovered: expected three arrays [seeds items] alike, got {said}")
    return np.stack(arrays)


def _resampled(right: Floats, clusters: Clusters, draws: int, seed: int) -> Floats:
    """Accuracies [D 3] over resampled clusters of items and resampled seeds."""
    _, seeds, items = right.shape
    number = numbered(clusters, items)
    count = int(number.max()) + 1
    rng = np.random.default_rng(seed)
    found = np.empty((draws, 3))
    for draw in range(draws):
        of_items = rng.multinomial(count, np.full(count, 1 / count))[number].astype(float)
        of_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds)).astype(float)
        total = of_items.sum() * seeds
        found[draw] = (right @ of_items) @ of_seeds / total if total else np.nan
    return found


def _interval(estimate: float, drawn: Floats, n: int) -> Interval:
    kept = drawn[~np.isnan(drawn)]
    if np.isnan(estimate) or len(kept) < 0.95 * len(drawn):
        return Interval(estimate=float(estimate), low=-np.inf, high=np.inf, n=n)
    low, high = np.quantile(kept, (0.025, 0.975))
    return Interval(estimate=float(estimate), low=float(low), high=float(high), n=n)
