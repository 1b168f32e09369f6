"""Best-of-n without a policy gradient: what it costs in KL, what it wins, what it is worth.

axes: V outcomes, N samples. numpy only.
"""

from collections.abc import Sequence
from math import log

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def kl_bound(n: int) -> float:
    """log n - (n-1)/n >= KL(best-of-n || reference) in nats; equal only where no two scores tie.

    Beirami et al., arXiv 2401.01879.
    """
    return log(n) - (n - 1) / n


def win_bound(n: int) -> float:
    """n/(n+1) >= P(best-of-n beats one sample), a tie counting as a half; equal without ties."""
    return n / (n + 1)


def pmf(reference: Float[Vector, " V"], scores: Float[Vector, " V"], n: int) -> Float[Vector, " V"]:
    """P(best-of-n is y): F(y)^n - F_-(y)^n, shared among ties in proportion to the reference.

    F(y) is the reference's mass of scores up to y's, F_- its mass of scores below.
    """
    _, rank = np.unique(scores, return_inverse=True)
    mass = np.bincount(rank, weights=reference)
    upto = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    best = upto[1:] ** n - upto[:-1] ** n
    share = np.divide(best, mass, out=np.zeros_like(mass), where=mass > 0)
    return reference * share[rank]


def expected_gold(
    scores: Float[Vector, " N"], gold: Float[Vector, " N"], ns: Sequence[int]
) -> list[float]:
    """Unbiased estimate of E[gold of the best of n by score], for each n <= N, from N samples.

    sum_i C(i-1, n-1) / C(N, n) gold_(i), i the rank by score: the mean over all subsets of size n
    (Nakano et al., arXiv 2112.09332, appendix I). Ties are broken at random, in expectation.
    Raises ValueError for an n outside 1..N.
    """
    size = len(scores)
    for n in ns:
        if not 1 <= n <= size:
            raise ValueError(f"best-of-n: expected 1 <= n <= {size} samples, got n={n}")
    _, rank = np.unique(scores, return_inverse=True)
    shared = np.bincount(rank, weights=gold)[rank] / np.bincount(rank)[rank]
    ordered = shared[np.argsort(scores)]
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
    return [float(_weights(factorial, n) @ ordered[n - 1 :]) for n in ns]


def _weights(factorial: Vector, n: int) -> Vector:
    """C(i-1, n-1) / C(N, n) for i = n..N, from log factorials."""
    size = len(factorial) - 1
    below = np.arange(n - 1, size)
    chosen = factorial[below] - factorial[n - 1] - factorial[below - n + 1]
    every = factorial[size] - factorial[n] - factorial[size - n]
    return np.exp(chosen - every)
