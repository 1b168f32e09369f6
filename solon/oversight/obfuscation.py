"""Obfuscated arguments: one subclaim is false, which is cheap to know, and costly to say which.

After Barnes & Christiano (2020): "n has no factor from 2 to sqrt(n)" is split into intervals. For a
product of two primes exactly one of them fails; that n is composite is known at once by Miller and
Rabin's test, and to say which interval fails is to factor n. Sizes and budgets are our formulation.

axes: N claims, M intervals
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from solon.errors import InputError
from solon.oversight.argument import Node
from solon.oversight.gates import Bools
from solon.oversight.moves import Check, Estimate

Integers = NDArray[np.int64]
LEAST, MOST = 1000, 6000
WITNESSES = (2, 3, 5, 7, 11, 13, 17)  # decide every n below 3.4e14


@dataclass(frozen=True, kw_only=True)
class Semiprimes:
    """Products of two primes from 1000 to 6000, and the argument that they have no factor.

    Example:
        Semiprimes.drawn(100, parts=16, seed=3).tree(0)
    """

    n: Integers
    factor: Integers
    """[N], the smaller prime of each."""
    parts: int
    """M, the intervals that 2 to sqrt(n) is cut into."""

    @classmethod
    def drawn(cls, number: int, *, parts: int, seed: int) -> Semiprimes:
        """Of pairs of primes, all alike likely."""
        draw = np.random.default_rng([seed, 0])
        first, second = draw.choice(primes(LEAST, MOST), (2, number))
        return cls(n=first * second, factor=np.minimum(first, second), parts=parts)

    @cached_property
    def root(self) -> Integers:
        """[N], the whole part of sqrt(n)."""
        return np.array([isqrt(n) for n in self.n.tolist()])

    @cached_property
    def flaw(self) -> Integers:
        """[N], the interval in which the factor lies."""
        return interval(self.factor, self.root, self.parts)

    @property
    def bits(self) -> Bools:
        """[N M], which subclaims are true."""
        return np.arange(self.parts) != self.flaw[:, None]

    def found(self, budget: int) -> Bools:
        """[N], whether so many odd divisors tried downward from the root find the factor."""
        return self.factor > self._top - 2 * budget

    def without(self, budget: int) -> Semiprimes:
        """Those in which such a search finds nothing."""
        left = ~self.found(budget)
        return Semiprimes(n=self.n[left], factor=self.factor[left], parts=self.parts)

    @property
    def _top(self) -> Integers:
        return self.root - (self.root + 1) % 2

    def size(self, bins: int) -> NDArray[np.intp]:
        """[N], how large n is, from 0 to bins - 1: what anyone sees for nothing."""
        return size(self.n, bins)

    def tree(self, k: int) -> Node:
        """The argument about the k-th of them."""
        return argument(int(self.n[k]), self.parts)


def argument(n: int, parts: int) -> Node:
    """No factor from 2 to sqrt(n), as there is none in any of so many intervals."""
    root = isqrt(n)
    if not 1 < parts < root:
        raise InputError(f"parts: expected from 2 to {root - 1}, got {parts}")
    starts = [2 - (-k * (root - 1) // parts) for k in range(parts + 1)]
    children = tuple(
        Node(claim=f"{n} has no factor from {low} to {after - 1}")
        for low, after in pairwise(starts)
    )
    return Node(claim=f"{n} has no factor from 2 to {root}", children=children)


def interval(x: Integers, root: Integers, parts: int) -> Integers:
    """In which of the intervals from 2 to root a divisor lies."""
    return (x - 2) * parts // (root - 1)


def size(n: Integers, bins: int) -> NDArray[np.intp]:
    """The bin of log n, from two of the least primes to two of the greatest."""
    share = np.log(n / LEAST**2) / np.log(MOST**2 / LEAST**2)
    return np.clip((share * bins).astype(np.intp), 0, bins - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisors:
    """Who tries odd divisors from the root of n downward: ``Peek`` on these arguments.

    Example:
        Divisors(parts=16)("221 has no factor from 2 to 14", 3)     # 15: by 13
    """

    parts: int

    def __call__(self, claim: str, budget: int, /) -> int | None:
        n = number(claim)
        root = isqrt(n)
        top = root - (root + 1) % 2
        for divisor in range(top, max(top - 2 * budget, 2), -2):
            if n % divisor == 0:
                return int(interval(np.array(divisor), np.array(root), self.parts))
        return None


@dataclass(frozen=True, slots=True)
class DivisorJudge:
    """A judge that tries every divisor that one claim names; each is a call."""

    def __call__(self, asked: Sequence[Check], /) -> list[Estimate]:
        return [self._judged(one.claim) for one in asked]

    def _judged(self, claim: str) -> Estimate:
        n = number(claim)
        low, high = (int(word) for word in claim.split() if word.isdigit() and word != str(n))
        divides = (n % np.arange(low, high + 1) == 0).any()
        return Estimate(p=float(not divides), calls=high + 1 - low)


def number(claim: str) -> int:
    """The n that a claim is about."""
    return int(claim.split(maxsplit=1)[0])


def composite(n: int) -> bool:
    """Miller and Rabin's test: a few modular powers, and no factor; exact below 3.4e14."""
    if n < 2 or n in WITNESSES:
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return any(_witness(base, n, odd, twos) for base in WITNESSES)


def _witness(base: int, n: int, odd: int, twos: int) -> bool:
    x = pow(base, odd, n)
    if x in (1, n - 1):
        return False
    return all((x := x * x % n) != n - 1 for _ in range(twos - 1))


def primes(low: int, high: int) -> Integers:
    """All primes from low to below high."""
    sieve = np.ones(high, dtype=bool)
    sieve[:2] = False
    for k in range(2, isqrt(high) + 1):
        sieve[k * k :: k] &= not sieve[k]
    return np.flatnonzero(sieve[low:]) + low
