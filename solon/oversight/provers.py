"""Provers of arguments that are known: they recite a tree, and differ in where they point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from solon.errors import InputError
from solon.oversight.argument import Node
from solon.oversight.moves import Choose, Point, Propose, Row, Split
from solon.oversight.payoffs import HIGHER, LOWER, RIGHT, Direction

Truth: TypeAlias = Mapping[str, float]
"""The probability of each claim, 0 or 1 where it is known."""
Pointing: TypeAlias = Callable[[Choose], Point]
Peek: TypeAlias = Callable[[str, int], int | None]
"""A claim and a budget -> which of its subclaims is false, where so many calls find one."""


def split(node: Node) -> Split:
    """The node's own subclaims."""
    return Split(claims=tuple(child.claim for child in node.children), gate=node.gate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Splits every claim as its tree does, and points as it is told.

    Example:
        Prover(arguments=by_claim(tree), pointing=Honest(truth))
    """

    arguments: Mapping[str, Node]
    pointing: Pointing

    def __call__(self, asked: Sequence[Propose | Choose], /) -> list[Split | Point]:
        return [
            split(self.arguments[one.path[-1]]) if isinstance(one, Propose) else self.pointing(one)
            for one in asked
        ]


@dataclass(frozen=True, slots=True)
class Honest:
    """Points at the widest gap between an estimate and the truth, of estimates not void.

    Looks one round ahead only; every truth that it looks up is one call.
    """

    truth: Truth

    def __call__(self, asked: Choose, /) -> Point:
        true = [self.truth[claim] for claim in asked.split.claims]
        gaps = [chance(row, true) * (true[row.child] - row.p) for row in asked.rows]
        best = int(np.argmax(np.abs(gaps)))
        return Point(row=best, direction=toward(gaps[best]), calls=len(true))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A blind choice: this subclaim, all earlier ones assumed to be true, in this direction.

    Example:
        Selector(child=3, direction=HIGHER)
    """

    child: int
    direction: Direction

    def __call__(self, asked: Choose, /) -> Point:
        """Of the root there is but one estimate; its direction is the selector's too."""
        given = (True,) * min(self.child, len(asked.split.claims) - 1)
        rows = [place for place, one in enumerate(asked.rows) if one.given == given]
        if not rows:
            raise InputError(f"child: expected one that is open after all before, got {self.child}")
        return Point(row=rows[0], direction=self.direction)


@dataclass(frozen=True, slots=True, kw_only=True)
class BySight:
    """A selector for each thing that is seen of the root claim for nothing.

    Example:
        BySight(selectors=best_selectors(table, contexts, bits), context=size_of)
    """

    selectors: Sequence[Selector]
    context: Callable[[str], int]

    def __call__(self, asked: Choose, /) -> Point:
        return self.selectors[self.context(asked.root)](asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeking:
    """Looks for a false subclaim within a budget, and says of it "lower"; else a selector's choice.

    Example:
        Peeking(peek=peek, budget=20, otherwise=Selector(child=3, direction=HIGHER))
    """

    peek: Peek
    budget: int
    otherwise: Pointing

    def __call__(self, asked: Choose, /) -> Point:
        if not asked.path:
            return self.otherwise(asked)
        false = self.peek(asked.path[-1], self.budget)
        if false is None:
            point = self.otherwise(asked)
        else:
            point = Selector(child=false, direction=LOWER)(asked)
        return Point(row=point.row, direction=point.direction, calls=self.budget)


def chance(row: Row, true: Sequence[float]) -> float:
    """The probability that the earlier siblings are as the row assumes."""
    bits = zip(row.given, true, strict=False)
    return float(np.prod([p if bit else 1 - p for bit, p in bits]))


def toward(gap: float) -> Direction:
    """Where the truth lies of what was stated, by truth - stated."""
    if gap == 0:
        return RIGHT
    return HIGHER if gap > 0 else LOWER
