"""How the truth of a claim follows from its subclaims.

A gate is a function of bits; its expectation over independent bits is its multilinear extension.
Our formulation, after the aggregations of prover-estimator debate (arXiv 2506.13609).

axes: N rows, M subclaims
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from solon.errors import InputError

Bits: TypeAlias = tuple[bool, ...]
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
MOST = 12  # inputs of a circuit: a table of 4,096 rows


class Gate(Protocol):
    """What a claim's truth is, given the bits of its subclaims: a number from 0 to 1."""

    def value(self, bits: Bools, /) -> Floats:
        """Of each row: [N M] -> [N]."""
        ...

    def decided(self, prefix: Bits, m: int, /) -> float | None:
        """The value that the first bits force upon m of them, whatever the others are."""
        ...

    def expected(self, p: Floats, /) -> float:
        """The mean value where subclaims are true independently with p: [M]."""
        ...


@dataclass(frozen=True, slots=True)
class And:
    """True where all subclaims are.

    Example:
        And().expected(np.array([0.9, 0.9]))    # 0.81
    """

    def value(self, bits: Bools, /) -> Floats:
        return np.logical_and.reduce(bits, axis=1).astype(np.float64)

    def decided(self, prefix: Bits, m: int, /) -> float | None:
        if not all(prefix):
            return 0.0
        return 1.0 if len(prefix) == m else None

    def expected(self, p: Floats, /) -> float:
        return float(np.prod(p))


@dataclass(frozen=True, slots=True)
class Or:
    """True where one subclaim is."""

    def value(self, bits: Bools, /) -> Floats:
        return np.logical_or.reduce(bits, axis=1).astype(np.float64)

    def decided(self, prefix: Bits, m: int, /) -> float | None:
        if any(prefix):
            return 1.0
        return 0.0 if len(prefix) == m else None

    def expected(self, p: Floats, /) -> float:
        return 1 - float(np.prod(1 - p))


@dataclass(frozen=True, slots=True)
class Threshold:
    """True where k or more subclaims are: redundancy that corrects errors.

    Example:
        Threshold(3)      # three of however many there are
    """

    k: int

    def value(self, bits: Bools, /) -> Floats:
        return (bits.sum(axis=1) >= self.k).astype(np.float64)

    def decided(self, prefix: Bits, m: int, /) -> float | None:
        true = sum(prefix)
        if true >= self.k:
            return 1.0
        return 0.0 if true + m - len(prefix) < self.k else None

    def expected(self, p: Floats, /) -> float:
        """The upper tail of the Poisson binomial law, one subclaim at a time."""
        count = np.zeros(len(p) + 1)
        count[0] = 1.0
        for one in p:
            count[1:] = count[1:] * (1 - one) + count[:-1] * one
            count[0] *= 1 - one
        return float(count[self.k :].sum())


@dataclass(frozen=True, slots=True)
class Mean:
    """The share of subclaims that are true: arithmetic, never decided before the last bit."""

    def value(self, bits: Bools, /) -> Floats:
        return bits.mean(axis=1)

    def decided(self, prefix: Bits, m: int, /) -> float | None:
        return sum(prefix) / m if len(prefix) == m else None

    def expected(self, p: Floats, /) -> float:
        return float(np.mean(p))


@dataclass(frozen=True, slots=True)
class Circuit:
    """Any boolean function of at most 12 subclaims, by its truth table; the first bit is highest.

    Example:
        Circuit.of(lambda bits: bits[0] != bits[1], 2)      # one of the two
    """

    table: Bits

    def __post_init__(self) -> None:
        if len(self.table) not in {1 << m for m in range(1, MOST + 1)}:
            raise InputError(f"table: expected 2^m rows, m from 1 to {MOST}, got {len(self.table)}")

    @classmethod
    def of(cls, function: Callable[[Bits], bool], m: int) -> Circuit:
        """The table of a function of m bits."""
        return cls(tuple(bool(function(bits)) for bits in product((False, True), repeat=m)))

    @property
    def inputs(self) -> int:
        return len(self.table).bit_length() - 1

    def value(self, bits: Bools, /) -> Floats:
        places = 1 << np.arange(self.inputs)[::-1]
        return np.array(self.table, dtype=np.float64)[bits @ places]

    def decided(self, prefix: Bits, m: int, /) -> float | None:
        if m != self.inputs:
            raise InputError(f"circuit: expected {self.inputs} subclaims, got {m}")
        rest = 1 << (m - len(prefix))
        first = int("0" + "".join("01"[bit] for bit in prefix), 2) * rest
        seen = set(self.table[first : first + rest])
        return float(seen.pop()) if len(seen) == 1 else None

    def expected(self, p: Floats, /) -> float:
        return float(self.corners(p[:, None]).item())

    def corners(self, p: Floats) -> Floats:
        """The expectation at each choice of one of K probabilities an input: [M K] -> K^M."""
        rest = np.array(self.table, dtype=np.float64).reshape((2,) * self.inputs)
        for one in p:
            rest = np.tensordot(rest, np.stack([1 - one, one]), axes=(0, 0))
        return rest
