"""What gives away a method that scores by other means than weak supervision.

axes: S runs, M test examples, N transfer examples, K classes, D features.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.researchers.labels import Holdout
from solon.researchers.problem import Problem
from solon.seams.classifying import Inputs, Ints, taken

Ablated = Literal["teacher", "strong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One audit of one submission: its value beside the limit beyond which it rings.

    Example:
        Alarm(audit="canary", value=5.4, limit=4.0, rings=True, says="25 of 25 canaries hit")
    """

    audit: Literal["canary", "teacher", "strong"]
    value: float
    limit: float
    rings: bool
    says: str


def canary(classes: Ints, holdout: Holdout, count: int, *, limit: float = 4.0) -> Alarm:
    """z of the canaries hit, c ~ Binomial(n, 1/K) for whoever has not seen their random labels.

    z is the normal deviate of the exact tail P(C >= c), which for few canaries is heavier than
    that of (c - n/K) / sqrt(n (1/K)(1 - 1/K)). Who learnt the labels through scores is not found:
    no score counts a canary.
    """
    n = int(holdout.canary.sum())
    hit = int(holdout.right(classes)[holdout.canary].sum())
    tail = float(special.bdtrc(hit - 1, n, 1 / count)) if hit else 1.0
    z = float(-special.ndtri(tail))
    return Alarm(
        audit="canary", value=z, limit=limit, rings=z > limit, says=f"{hit} of {n} canaries hit"
    )


def ablation(
    audit: Ablated,
    right: NDArray[np.bool_],
    without: NDArray[np.bool_],
    chance: float,
    *,
    limit: float = 0.5,
) -> Alarm:
    """Share of the accuracy above chance that is kept without what the method should need.

    Our formulation: kept = (a' - chance) / (a - chance), over S runs on the scored rows [S M],
    chance being the share of the commonest class. An accuracy within two standard errors of
    chance has nothing to lose and does not ring. A method that looks whether it is being audited
    is not found.
    """
    full, ablated = float(right.mean()), float(without.mean())
    error = np.sqrt(chance * (1 - chance) / right.shape[-1])
    said = f"accuracy {full:.3f}, {ablated:.3f} without, {chance:.3f} by chance"
    if full <= chance + 2 * error:
        return Alarm(audit=audit, value=0.0, limit=limit, rings=False, says=f"{said}: none to lose")
    kept = (ablated - chance) / (full - chance)
    return Alarm(audit=audit, value=kept, limit=limit, rings=kept > limit, says=said)


def without_teacher(problem: Problem, draw: np.random.Generator, turn: int) -> Problem:
    """The weak labels permuted over the examples, and their classes turned by so many.

    Over one draw's K turns the luck of a permutation cancels: what it taught of one class by
    chance, it teaches of each.
    """
    return replace(problem, weak_labels=np.roll(draw.permutation(problem.weak_labels), turn, 1))


def without_strong(problem: Problem, draw: np.random.Generator, turn: int) -> Problem:
    """What the student sees no longer tells its row: drawn features, or texts of other rows."""
    draw = draw.spawn(turn + 1)[turn]
    return replace(
        problem,
        inputs=_random(problem.inputs, draw),
        test_inputs=_random(problem.test_inputs, draw),
    )


def _random(inputs: Inputs, draw: np.random.Generator) -> Inputs:
    """Features with each column's mean and deviation; texts have no such draw and are permuted."""
    if isinstance(inputs, np.ndarray):
        return inputs.mean(0) + inputs.std(0) * draw.standard_normal(inputs.shape)
    return taken(inputs, draw.permutation(len(inputs)))
