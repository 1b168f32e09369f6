"""Who sits in a doubly-efficient debate: honest parties by sampling, cheaters who know the oracle.

Honest parties are bounded: all that they know of p is a mean of samples, and each is counted.
Cheaters are not: they read p, and pay nothing for it, so that a bound that holds against them
holds against those who sample too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.lab.programs import Program, State
from solon.oversight.doubly_efficient import (
    ALICE,
    BOB,
    VERA,
    Stated,
    Step,
    Thresholds,
    Vote,
    samples,
)
from solon.seams.games import Seat


def sampled(step: Step, calls: int, who: str) -> float:
    """The mean of so many calls of the oracle at this step: one binomial draw, the same law."""
    return float(step.draw(who).binomial(calls, step.p)) / calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """Honest Alice: states a mean.

    Example:
        Estimator(calls=samples(0.01, 0.001))
    """

    calls: int
    """Samples at each step."""

    @classmethod
    def of(cls, at: Thresholds) -> Estimator:
        return cls(calls=samples(at.c, at.q))

    def __call__(self, asked: Sequence[Step], /) -> list[Stated]:
        return [Stated(p=sampled(one, self.calls, ALICE), calls=self.calls) for one in asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Honest Bob, and Vera: accepts what is closer than ``radius`` to a mean of its own.

    Example:
        Checker.between(0.02, 0.05, failing=0.001, who="bob")
    """

    who: str
    calls: int
    radius: float

    @classmethod
    def between(cls, closer: float, farther: float, *, failing: float, who: str) -> Checker:
        """Accepts what is off by less than ``closer``, rejects by more than ``farther``."""
        calls = samples((farther - closer) / 2, failing)
        return cls(who=who, calls=calls, radius=(closer + farther) / 2)

    @classmethod
    def bob(cls, at: Thresholds) -> Checker:
        return cls.between(at.s, at.b, failing=at.q, who=BOB)

    @classmethod
    def vera(cls, at: Thresholds) -> Checker:
        return cls.between(at.c, at.s, failing=at.v, who=VERA)

    def __call__(self, asked: Sequence[Step], /) -> list[Vote]:
        return [Vote(accepts=self._accepts(one), calls=self.calls) for one in asked]

    def _accepts(self, step: Step) -> bool:
        return abs(step.stated - sampled(step, self.calls, self.who)) < self.radius


def honest(program: Program) -> dict[str, Seat]:
    """All three parties, with the proved thresholds of this program."""
    at = Thresholds.of(program)
    return {ALICE: Estimator.of(at), BOB: Checker.bob(at), VERA: Checker.vera(at)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifting:
    """Alice who overstates every p by as much.

    Example:
        Shifting(by=0.99 * thresholds.s)     # too little for Vera to mind
    """

    by: float

    def __call__(self, asked: Sequence[Step], /) -> list[Stated]:
        return [Stated(p=min(1.0, one.p + self.by)) for one in asked]


@dataclass(frozen=True, slots=True)
class Late:
    """Alice who states the truth, and at the last step that the bit is surely 1."""

    def __call__(self, asked: Sequence[Step], /) -> list[Stated]:
        return [Stated(p=1.0 if one.last else one.p) for one in asked]


@dataclass(frozen=True, slots=True)
class Planned:
    """Alice by a plan, as of ``best_alice``.

    Example:
        Planned(best_alice(program, thresholds).moves)
    """

    moves: Mapping[State, float]

    def __call__(self, asked: Sequence[Step], /) -> list[Stated]:
        return [Stated(p=self.moves[one.state]) for one in asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejecting:
    """Bob who looks at nothing and rejects with this probability: 1 always, 0 never.

    Example:
        Rejecting(rate=0.1)
    """

    rate: float

    def __call__(self, asked: Sequence[Step], /) -> list[Vote]:
        return [Vote(accepts=one.draw(BOB).random() >= self.rate) for one in asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pedant:
    """Bob who rejects what errs to his cost by more than this, however little it is.

    Example:
        Pedant(above=0.5 * thresholds.c)
    """

    above: float

    def __call__(self, asked: Sequence[Step], /) -> list[Vote]:
        return [Vote(accepts=one.stated - one.p <= self.above) for one in asked]
