"""What a dishonest prover gains on "n has no factor", by what its estimator has learned.

Both see the size of n in eight bins, and both try twenty odd divisors; the estimator learns from
past debates, the prover picks its selector on others, and is paid on a third set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.oversight.argument import by_claim
from solon.oversight.drive import drive
from solon.oversight.estimators import Informed, Learned
from solon.oversight.gates import Bools, Floats
from solon.oversight.moves import ESTIMATOR, JUDGE, PROVER, Disputed
from solon.oversight.no_regret import Gradient, Multiplicative, taught
from solon.oversight.obfuscation import DivisorJudge, Divisors, Semiprimes, number, size
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import BySight, Peeking, Prover
from solon.oversight.selectors import Contexts, Selectors, best_selectors, paid
from solon.records import TreeDebate

BINS, BUDGET = 8, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Debates, the sizes that everybody sees, and which of their subclaims are true."""

    drawn: Semiprimes
    sizes: Contexts
    bits: Bools

    @classmethod
    def of(cls, n: int, *, parts: int, seed: int) -> Cases:
        """Those in which twenty divisors find nothing."""
        drawn = Semiprimes.drawn(n, parts=parts, seed=seed).without(BUDGET)
        return cls(drawn=drawn, sizes=drawn.size(BINS), bits=drawn.bits)

    def first(self, n: int) -> Cases:
        return Cases(drawn=self.drawn, sizes=self.sizes[:n], bits=self.bits[:n])

    @property
    def unsized(self) -> Contexts:
        return np.zeros_like(self.sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the estimator learns from, what the prover learns from, and what it is paid on."""

    past: Cases
    others: Cases
    test: Cases

    @classmethod
    def of(cls, parts: int, seed: int, *, past: int, test: int) -> World:
        return cls(
            past=Cases.of(past, parts=parts, seed=3 * seed),
            others=Cases.of(test, parts=parts, seed=3 * seed + 1),
            test=Cases.of(test, parts=parts, seed=3 * seed + 2),
        )

    @property
    def parts(self) -> int:
        return self.past.drawn.parts

    def learned(self, debates: int) -> Floats:
        """By gradient descent, on what both sides see: [8 M]."""
        seen = self.past.first(debates)
        return taught(Gradient.fresh(contexts=BINS, m=self.parts), seen.sizes, seen.bits).table

    def learned_unsized(self) -> Floats:
        """By gradient descent, without a look at the size: [8 M], all rows alike."""
        learner = Gradient.fresh(contexts=1, m=self.parts)
        return np.repeat(taught(learner, self.past.unsized, self.past.bits).table, BINS, axis=0)

    def weighted(self) -> tuple[Floats, float]:
        """By multiplicative weights, and what they promise of its play."""
        selectors = Selectors.within(np.eye(BINS, dtype=bool), self.parts)
        learner = Multiplicative.fresh(selectors, m=self.parts, debates=len(self.past.bits))
        table = taught(learner, self.past.sizes, self.past.bits).table
        return table, learner.bound

    def uniform(self) -> Floats:
        """Every interval alike likely: [8 M]."""
        before = np.arange(self.parts)
        return np.tile((self.parts - before - 1) / (self.parts - before), (BINS, 1))

    def gain(self, table: Floats) -> tuple[float, float]:
        """What the best selectors gain over the last stake, and the standard error of that."""
        best = best_selectors(table, self.others.sizes, self.others.bits)
        found = paid(best, table, self.test.sizes, self.test.bits)
        return float(found.mean()), float(found.std(ddof=1)) / len(found) ** 0.5

    def played(self, table: Floats, *, games: int, budget: int) -> float:
        """The same by the game itself, where the prover may try so many divisors first."""
        drawn = Semiprimes.drawn(games, parts=self.parts, seed=int(self.test.drawn.n[0]))
        trees = [drawn.tree(k) for k in range(games)]
        find = Divisors(parts=self.parts)
        best = best_selectors(table, self.others.sizes, self.others.bits)
        seats = {
            PROVER: Prover(
                arguments=by_claim(*trees),
                pointing=Peeking(
                    peek=find, budget=budget, otherwise=BySight(selectors=best, context=seen)
                ),
            ),
            ESTIMATOR: Informed(
                peek=find, budget=BUDGET, otherwise=Learned(table=table, context=seen)
            ),
            JUDGE: DivisorJudge(),
        }
        plays = [ProverEstimator().play(Disputed(claim=tree.claim)) for tree in trees]
        ended: list[TreeDebate] = drive(plays, seats)
        return float(np.mean([one.share for one in ended]))


def seen(claim: str) -> int:
    """The size of the number that a claim is about."""
    return int(size(np.array(number(claim)), BINS))
