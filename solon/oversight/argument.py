"""A tree of claims, and what an estimator's conditional probabilities imply for a parent.

Siblings are estimated one after another, each given the bits of those before it (the chain rule):
so an estimator may know that one of many claims is false and not which, and contradict itself
nowhere. Only prefixes that leave the parent open are asked about: m of them for a conjunction.
Our formulation of "consistent" in prover-estimator debate (arXiv 2506.13609).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from solon.errors import InputError
from solon.oversight.gates import And, Bits, Gate

EXACTLY = 4095  # prefixes that are asked about one by one: all those of 12 subclaims


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A claim, and the subclaims that it follows from; without any it is a leaf.

    Example:
        Node(claim="x is even and small", children=(Node(claim="x is even"),
                                                    Node(claim="x is small")))
    """

    claim: str
    """Its words or its name; no two nodes of one tree share it."""
    children: tuple[Node, ...] = ()
    gate: Gate = And()

    def __post_init__(self) -> None:
        if self.children:
            decidable(self.gate, len(self.children))

    def nodes(self) -> Iterator[Node]:
        """Itself and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.nodes()

    def leaves(self) -> Iterator[Node]:
        """From the first to the last."""
        return (node for node in self.nodes() if not node.children)

    def truth(self, leaf: Callable[[str], float]) -> dict[str, float]:
        """The probability of every claim in the tree, its leaves independent."""
        if not self.children:
            return {self.claim: leaf(self.claim)}
        below: dict[str, float] = {}
        for child in self.children:
            below |= child.truth(leaf)
        p = np.array([below[child.claim] for child in self.children])
        return {**below, self.claim: self.gate.expected(p)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Bits of the first subclaims that leave the parent open, and what the next bit decides."""

    given: Bits
    low: float | None
    """The parent's value where the next subclaim is false; None where it is still open."""
    high: float | None
    """The same where it is true."""


@lru_cache(maxsize=256)
def prefixes(gate: Gate, m: int) -> tuple[Open, ...] | None:
    """Everything an exact estimate of the parent must ask, short ones first; None beyond 4,095."""
    found: list[Open] = []
    level: list[Bits] = [()]
    while level:
        if len(found) + len(level) > EXACTLY:
            return None
        now = [_opened(gate, given, m) for given in level]
        found += now
        level = [
            (*one.given, bit)
            for one in now
            for bit, end in ((False, one.low), (True, one.high))
            if end is None
        ]
    return tuple(found)


def _opened(gate: Gate, given: Bits, m: int) -> Open:
    low, high = (gate.decided((*given, bit), m) for bit in (False, True))
    return Open(given=given, low=low, high=high)


def implied(opened: tuple[Open, ...], p: Mapping[Bits, float]) -> float:
    """The parent's probability, p being each next subclaim's given the bits before it.

    sum_y Gate(y) prod_i p_i(y_<i)^y_i (1 - p_i(y_<i))^(1 - y_i); for a conjunction prod_i p_i.
    """
    value: dict[Bits, float] = {}
    for one in reversed(opened):
        low = value[*one.given, False] if one.low is None else one.low
        high = value[*one.given, True] if one.high is None else one.high
        value[one.given] = p[one.given] * high + (1 - p[one.given]) * low
    return value[()]


def decidable(gate: Gate, m: int) -> None:
    """InputError where the gate says the same whatever its m subclaims are."""
    if m < 1 or gate.decided((), m) is not None:
        raise InputError(f"gate: expected one that its {m} subclaims decide, got {gate}")


def by_claim(*trees: Node) -> dict[str, Node]:
    """Every node of these trees by its claim; InputError where two differ under one name."""
    found: dict[str, Node] = {}
    for tree in trees:
        for node in tree.nodes():
            if found.setdefault(node.claim, node) != node:
                raise InputError(f"claims: expected each once, got {node.claim!r} twice")
    return found
