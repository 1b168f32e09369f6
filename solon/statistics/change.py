"""Changes of paired rows: what one intervention moved, with an interval that never vanishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solon.statistics.interval import Clusters, Floats, Interval, mean, proportion


def mean_change(
    changes: Sequence[float] | Floats, clusters: Clusters = None, *, confidence: float = 0.95
) -> Interval:
    """The mean of changes in [-1, 1] with Student's interval over clusters.

    Where every row changed by the same v, as where none changed at all, no spread was seen: at most
    Wilson's high end w of 0 rows may still behave otherwise, which leaves v - w (1 + v) to
    v + w (1 - v).
    """
    found = mean(changes, clusters, confidence=confidence)
    if np.ptp(changes) > 1e-9:
        return found
    unseen = proportion(np.zeros(len(changes)), clusters, confidence=confidence).high
    low = found.estimate - unseen * (1 + found.estimate)
    return replace(found, low=low, high=found.estimate + unseen * (1 - found.estimate))
