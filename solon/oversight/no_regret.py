"""Estimators that learn from settled debates, with bounds that hold on any sequence of them.

Who keeps what every selector gains low cannot be exploited by any of them: the idea of the
no-regret theorem of prover-estimator debate (arXiv 2506.13609). Both learners are our formulation.

axes: N debates, C contexts, M subclaims, F selectors
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from solon.oversight.gates import Bools, Floats
from solon.oversight.selectors import Contexts, Selectors, alive


@dataclass(slots=True, kw_only=True)
class Gradient:
    """Online gradient descent on (y - p)^2, with the step 1 / (2 (n + 1)) at the n-th outcome.

    After n outcomes y of a subclaim: sum (y - p_t)^2 <= min_p sum (y - p)^2 + 1/4 + 2 ln(n + 1).

    Example:
        Gradient.fresh(contexts=8, m=16)
    """

    table: Floats
    """[C M], what it states now."""
    seen: Floats
    """[C M], debates in which that subclaim was settled."""

    @classmethod
    def fresh(cls, *, contexts: int, m: int) -> Gradient:
        return cls(table=np.full((contexts, m), 0.5), seen=np.zeros((contexts, m)))

    def learn(self, context: int, bits: Bools) -> None:
        """One settled debate; nothing is learned of subclaims after a false one."""
        row, live = self.table[context], alive(bits)
        self.seen[context] += live
        gradient = 2 * (row - bits)
        row -= live * gradient / (2 * (self.seen[context] + 1))


@dataclass(slots=True, kw_only=True)
class Multiplicative:
    """Multiplicative weights over F, and at every subclaim the p that gives the weighted F nothing.

    p_i = 1 where the weights of "higher" at i exceed those of "lower", else 0: whatever y is, the
    weighted gain is not positive, so the best of F gains at most sqrt(2 ln|F| / T) a debate. A
    prover is told the mean of what was played: gains are linear in p.

    Example:
        Multiplicative.fresh(selectors, m=16, debates=10_000)
    """

    selectors: Selectors
    rate: float
    gains: Floats
    """[F], so far."""
    stated: Floats
    """[C M], the sum of what was played."""
    visits: Floats
    """[C]"""

    @classmethod
    def fresh(cls, selectors: Selectors, *, m: int, debates: int) -> Multiplicative:
        """With the rate that is best for so many debates."""
        number, contexts = selectors.sign.shape
        return cls(
            selectors=selectors,
            rate=sqrt(2 * log(number) / debates),
            gains=np.zeros(number),
            stated=np.zeros((contexts, m)),
            visits=np.zeros(contexts),
        )

    @property
    def table(self) -> Floats:
        """What it states to a prover; 1/2 in a context that it never met."""
        visits = self.visits[:, None]
        return np.where(visits, self.stated / np.maximum(visits, 1), 0.5)

    def play(self, context: int) -> Floats:
        """[M], the reply to the weights as they stand."""
        weights = np.exp(self.rate * (self.gains - self.gains.max()))
        net = weights * self.selectors.sign[:, context]
        pull = np.bincount(self.selectors.child[:, context], net, minlength=self.stated.shape[1])
        return (pull > 0).astype(np.float64)

    def learn(self, context: int, bits: Bools) -> None:
        """One settled debate."""
        p = self.play(context)
        self.stated[context] += p
        self.visits[context] += 1
        higher = alive(bits) * (bits - p)
        child, sign = self.selectors.child[:, context], self.selectors.sign[:, context]
        self.gains += sign * higher[child]

    @property
    def bound(self) -> float:
        """What no selector's mean gain exceeds: ln|F| / (rate T) + rate / 2."""
        debates = self.visits.sum()
        return float(log(len(self.gains)) / (self.rate * debates) + self.rate / 2)


def taught(
    learner: Gradient | Multiplicative, contexts: Contexts, bits: Bools
) -> Gradient | Multiplicative:
    """The learner after these debates, in their order."""
    for context, row in zip(contexts.tolist(), bits, strict=True):
        learner.learn(context, row)
    return learner
