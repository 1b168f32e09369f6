"""Estimators of arguments that are known: what each believes of a claim, given earlier siblings.

All of them follow the chain rule, so that none contradicts itself unless it is made to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.oversight.argument import Node
from solon.oversight.gates import Floats, Gate
from solon.oversight.moves import Conditional, Estimate
from solon.oversight.provers import Peek, Truth


@dataclass(frozen=True, slots=True)
class Exact:
    """Knows the truth of every claim; each that it looks up is one call."""

    truth: Truth

    def __call__(self, asked: Sequence[Conditional], /) -> list[Estimate]:
        return [Estimate(p=self.truth[one.claim], calls=1) for one in asked]


@dataclass(frozen=True, slots=True)
class UniformPrior:
    """Knows that exactly one leaf of a conjunction is false, and takes each for as likely.

    Given that a leaves are true, the next b - a are with (N - b) / (N - a).

    Example:
        UniformPrior.of(tree)
    """

    spans: Mapping[str, tuple[int, int, int]]
    """By claim, its first leaf's place, the one after its last, and the leaves of its tree."""

    @classmethod
    def of(cls, *trees: Node) -> UniformPrior:
        spans: dict[str, tuple[int, int, int]] = {}
        for tree in trees:
            place = {leaf.claim: at for at, leaf in enumerate(tree.leaves())}
            for node in tree.nodes():
                own = [place[leaf.claim] for leaf in node.leaves()]
                spans[node.claim] = own[0], own[-1] + 1, len(place)
        return cls(spans)

    def __call__(self, asked: Sequence[Conditional], /) -> list[Estimate]:
        return [Estimate(p=self._p(one)) for one in asked]

    def _p(self, asked: Conditional) -> float:
        if not all(asked.given):
            return 1.0
        first, after, leaves = self.spans[asked.claim]
        return (leaves - after) / (leaves - first)


@dataclass(frozen=True, slots=True)
class Learned:
    """States what a learner has of a conjunction of leaves: a row of survival for each context.

    Example:
        Learned(table=learner.table, context=size_of)
    """

    table: Floats
    """[C M]: the probability that a subclaim is true, given that all before it are."""
    context: Callable[[str], int]
    """What of the root claim is seen for nothing: the row of the table."""

    def __call__(self, asked: Sequence[Conditional], /) -> list[Estimate]:
        return [Estimate(p=self._p(one)) for one in asked]

    def _p(self, asked: Conditional) -> float:
        row = self.table[self.context(asked.root)]
        if not asked.path:
            return float(np.prod(row))
        return float(row[asked.child]) if all(asked.given) else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Informed:
    """Looks for a false subclaim within a budget, and states what another one does where it fails.

    One that finds the false subclaim takes all others for true. A split is searched once a batch.
    """

    peek: Peek
    budget: int
    otherwise: Callable[[Sequence[Conditional]], Sequence[Estimate]]

    def __call__(self, asked: Sequence[Conditional], /) -> list[Estimate]:
        found: dict[str, int | None] = {}
        return [
            self._informed(one, own, found)
            for one, own in zip(asked, self.otherwise(asked), strict=True)
        ]

    def _informed(
        self, asked: Conditional, own: Estimate, found: dict[str, int | None]
    ) -> Estimate:
        if not asked.path:
            return own
        claim, calls = asked.path[-1], 0
        if claim not in found:
            found[claim], calls = self.peek(claim, self.budget), self.budget
        false = found[claim]
        return Estimate(p=own.p if false is None else float(asked.child != false), calls=calls)


@dataclass(frozen=True, slots=True)
class Levels:
    """States one number for every claim at the same depth, the root's first.

    Example:
        Levels(consistent(tree, 0.2))
    """

    p: tuple[float, ...]

    def __call__(self, asked: Sequence[Conditional], /) -> list[Estimate]:
        return [Estimate(p=self.p[len(one.path)]) for one in asked]


def consistent(tree: Node, opening: float) -> tuple[float, ...]:
    """What each level of a uniform tree must state for the root to be at ``opening``."""
    found, node = [opening], tree
    while node.children:
        found.append(spread(node.gate, len(node.children), found[-1]))
        node = node.children[0]
    return tuple(found)


def spread(gate: Gate, m: int, p: float) -> float:
    """The probability that m subclaims must share for the gate's to be p, by bisection."""
    low, high = 0.0, 1.0
    if not gate.expected(np.zeros(m)) <= p <= gate.expected(np.ones(m)):
        raise InputError(f"p: expected one that {gate} of {m} reaches, got {p}")
    for _ in range(60):
        middle = (low + high) / 2
        if gate.expected(np.full(m, middle)) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2
