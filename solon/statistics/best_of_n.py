"""Best-of-n from one set of samples, for every n at once.

axes: N samples of one prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from solon.errors import InputError
from solon.statistics.interval import Floats


def best_of_n(proxy: Sequence[float] | Floats, gold: Sequence[float] | Floats, n: int) -> float:
    """The expected gold of the best of n by proxy, without bias, from N >= n samples.

    sum_i C(i - 1, n - 1) / C(N, n) gold_(i), i the rank by proxy (Nakano et al., arXiv 2112.09332);
    samples of equal proxy share their mean gold, as a random choice among them would.
    """
    ranked, value = np.asarray(proxy, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    size = len(ranked)
    if len(value) != size or not 1 <= n <= size:
        raise InputError(f"best_of_n: expected 1 <= n <= {size} samples with a gold each, got {n}")
    _, tied = np.unique(ranked, return_inverse=True)
    value = (np.bincount(tied, weights=value) / np.bincount(tied))[tied]
    i = np.arange(n, size + 1, dtype=np.float64)
    weights = np.exp(_log_choose(i - 1, n - 1) - _log_choose(np.float64(size), n))
    return float(weights @ value[np.argsort(ranked)][n - 1 :])


def best_of_n_kl(n: int) -> float:
    """ln n - (n - 1) / n nats: KL(best of n || policy) without ties, an upper bound with them."""
    return float(np.log(n) - (n - 1) / n)


def _log_choose(whole: Floats | np.float64, part: int) -> Floats:
    return (
        special.gammaln(whole + 1) - special.gammaln(part + 1) - special.gammaln(whole - part + 1)
    )
