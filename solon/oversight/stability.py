"""Whether small errors in subclaims can move a claim: (eps, rho)-stability.

A gate is (eps, rho)-stable at p where no p' within eps of p in every coordinate moves its
expectation by more than rho; an argument is where every gate in it is, at the true probabilities.
The name is from prover-estimator debate (arXiv 2506.13609), which needs it for completeness alone;
the definition is our operationalisation. A conjunction of q true claims moves by 1 - (1 - eps)^q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.oversight.argument import Node
from solon.oversight.gates import Circuit, Floats, Gate
from solon.oversight.moves import ESTIMATOR, Conditional, Split
from solon.oversight.tally import Tally
from solon.records import Reworded
from solon.seams.games import Play


def moved(gate: Gate, p: Floats, eps: float) -> float:
    """sup |Gate(p') - Gate(p)| over |p' - p| <= eps, exactly.

    The expectation is linear in each probability, so it is largest at a corner of the box; a gate
    that is no circuit is monotone, and two corners are enough.
    """
    if not 0 <= eps <= 1:
        raise InputError(f"eps: expected from 0 to 1, got {eps}")
    low, high = np.clip(p - eps, 0, 1), np.clip(p + eps, 0, 1)
    if isinstance(gate, Circuit):
        ends = gate.corners(np.stack([low, high], axis=1))
    else:
        ends = np.array([gate.expected(low), gate.expected(high)])
    return float(np.abs(ends - gate.expected(p)).max())


def instability(node: Node, leaf: Callable[[str], float], eps: float) -> float:
    """The least rho for which the argument is (eps, rho)-stable: the worst gate's."""
    truth = node.truth(leaf)
    return max(
        (
            moved(one.gate, np.array([truth[child.claim] for child in one.children]), eps)
            for one in node.nodes()
            if one.children
        ),
        default=0.0,
    )


def corrects(node: Node, leaf: Callable[[str], float], eps: float) -> bool:
    """Whether rho <= eps, so that an error above eps at the root sits below it at every level.

    Then a prover can walk from any such error to a leaf that has one.
    """
    return instability(node, leaf, eps) <= eps


@dataclass(frozen=True, slots=True, kw_only=True)
class Wavering:
    """How far an estimator moves where a claim is only put in other words.

    Example:
        Wavering(spread=(0.02, 0.31), mean=(0.9, 0.5)).above(0.1)     # 0.5
    """

    mean: tuple[float, ...]
    """Of each claim."""
    spread: tuple[float, ...]
    """Standard deviation over the wordings of each claim."""

    @classmethod
    def of(cls, reworded: Sequence[Reworded]) -> Wavering:
        """Of claims on record; InputError where one was not estimated in two wordings or more."""
        if not reworded or any(len(one.p) < 2 for one in reworded):
            raise InputError("wordings: expected two or more of every claim, got fewer")
        return cls(
            mean=tuple(float(np.mean(one.p)) for one in reworded),
            spread=tuple(float(np.std(one.p, ddof=1)) for one in reworded),
        )

    def above(self, eps: float) -> float:
        """The share of claims whose spread exceeds eps."""
        return float(np.mean([one > eps for one in self.spread]))


def wavering(wordings: Sequence[Sequence[str]]) -> Play[Wavering]:
    """Asks the estimator for each wording of each claim by itself; our operationalisation.

    Example:
        drive([wavering([("The lamp is hidden.", "Somebody hid the lamp.")])], {"estimator": seat})
    """
    asked = [
        Conditional(path=(), split=Split(claims=(words,)), given=())
        for claim in wordings
        for words in claim
    ]
    replies = iter((yield from Tally().ask(ESTIMATOR, asked)))
    return Wavering.of(
        [
            Reworded(
                claim=next(iter(claim), ""),
                wordings=tuple(claim),
                p=tuple(next(replies).p for _ in claim),
            )
            for claim in wordings
        ]
    )
