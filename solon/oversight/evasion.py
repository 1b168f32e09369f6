"""Where an estimator that must lie about a true claim lies at the least cost.

It opens at p_0 far below the truth and states one number for all claims at a depth; the best
prover is paid R^k |Gate(p_k) - p_{k-1}| in round k, and R^L |y - p_{L-1}| in the last one, where y
is the truth of a leaf. Above R = 1 a lie that waits costs more; below, it is put off to the last
level, where it costs next to nothing. Our formulation of why stakes must grow (arXiv 2506.13609),
exact on a grid of probabilities, by backward induction.

axes: G grid
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.oversight.argument import Node
from solon.oversight.gates import Gate

GRID = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Evasion:
    """What the cheapest lie costs, and what it states by depth.

    Example:
        evasion(tree, opening=0.2, leaf=0.95, growth=2.5).levels
    """

    cost: float
    """What the best prover gains, over the first stake."""
    levels: tuple[float, ...]
    """What is stated of the root, of its subclaims, and so on to the leaves."""


def evasion(tree: Node, *, opening: float, leaf: float, growth: float) -> Evasion:
    """The cheapest lie on a uniform tree of true claims whose leaves hold with ``leaf``."""
    if not 0 <= opening <= 1:
        raise InputError(f"opening: expected from 0 to 1, got {opening}")
    grid = np.linspace(0, 1, GRID)
    splits = _splits(tree)
    cost = growth ** len(splits) * np.abs(leaf - grid)
    moves: list[np.ndarray] = []
    for k, (gate, m) in reversed(list(enumerate(splits))):
        shown = np.array([gate.expected(np.full(m, p)) for p in grid])
        either = growth**k * np.abs(shown[None, :] - grid[:, None]) + cost[None, :]  # [G G]
        moves.insert(0, either.argmin(axis=1))
        cost = either.min(axis=1)
    at = int(np.abs(grid - opening).argmin())
    first, levels = float(cost[at]), [float(grid[at])]
    for move in moves:
        at = int(move[at])
        levels.append(float(grid[at]))
    return Evasion(cost=first, levels=tuple(levels))


def _splits(tree: Node) -> list[tuple[Gate, int]]:
    """The gate and the number of subclaims at each depth, which must be one everywhere."""
    found: list[tuple[Gate, int]] = []
    level = [tree]
    while any(node.children for node in level):
        alike = {(node.gate, len(node.children)) for node in level}
        if len(alike) > 1:
            raise InputError("tree: expected one gate and one width at each depth, got several")
        found.append(alike.pop())
        level = [child for node in level for child in node.children]
    return found
