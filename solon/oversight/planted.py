"""Trees of names whose truth is known, and the judge that knows it: what games are measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.oversight.argument import Node
from solon.oversight.gates import And, Gate
from solon.oversight.moves import Check, Estimate
from solon.oversight.provers import Truth


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge that knows every claim of a tree; each is a call."""

    truth: Truth

    def __call__(self, asked: Sequence[Check], /) -> list[Estimate]:
        return [Estimate(p=self.truth[one.claim], calls=1) for one in asked]


def uniform_tree(m: int, depth: int, *, gate: Gate | None = None, name: str = "claim") -> Node:
    """A tree of names: m subclaims under one gate (a conjunction), so many levels deep.

    Example:
        uniform_tree(4, 3, name="plan")     # 64 leaves, the first of them plan.0.0.0
    """
    if depth < 1:
        return Node(claim=name)
    below = (uniform_tree(m, depth - 1, gate=gate, name=f"{name}.{k}") for k in range(m))
    return Node(claim=name, children=tuple(below), gate=gate or And())


def planted(tree: Node, flaw: int) -> dict[str, float]:
    """Every claim's truth where one leaf is false, by its place."""
    false = [leaf.claim for leaf in tree.leaves()][flaw]
    return tree.truth(lambda claim: float(claim != false))
