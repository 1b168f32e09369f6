"""Prover-estimator debate: a prover points at an estimate that is wrong, in which direction.

Brown-Cohen, Irving & Piliouras (arXiv 2506.13609). The estimator states how probable a claim is;
the prover says that the truth lies higher or lower, and splits the claim; the estimator states the
subclaims, one after another; what they imply for the claim settles that round. Then the prover
points at one of the estimates, and the same is asked of that subclaim, until the judge reads a
leaf. The prover gains wherever the estimator contradicts itself, or the judge.

Our operationalisation: (1) payoffs are expectations over the trusted bits, or (``drawn``) bits
tossed after the prover has committed to a row and a direction; (2) an estimate holds under an
assumption on earlier siblings: the judge is asked about those too, and where one is not as
assumed, the last payoff is void; (3) an earlier sibling above the leaves costs the judge one
question, though a person would read all below it; (4) the prover may split every claim, at most
``depth`` deep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from solon.errors import InputError, SettingError
from solon.oversight.conditionals import Estimates, Questions
from solon.oversight.moves import (
    JUDGE,
    PROVER,
    SEATS,
    Check,
    Choose,
    Disputed,
    Point,
    Propose,
    Row,
    Split,
)
from solon.oversight.payoffs import Direction, Payoffs
from solon.oversight.tally import Tally, unless_given_up
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One claim on the path: what was stated and found, and what the prover was paid."""

    claim: str
    assumed: tuple[tuple[str, bool], ...]
    """Earlier siblings, and what the estimate takes them for."""
    stated: float
    direction: Direction
    found: float
    """What the subclaims imply, or the judge's word."""
    payoff: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A whole debate.

    Example:
        Ended(rounds=(..., ...), kept=1.0, stake=6.25, asked={"judge": 1}, calls={"prover": 20})
    """

    rounds: tuple[Round, ...]
    kept: float
    """The judge's probability that all was as assumed; 0 makes the last payoff void."""
    stake: float
    """The last round's."""
    asked: Mapping[str, int]
    """Questions to each seat."""
    calls: Mapping[str, int]
    """What each seat spent."""
    failed: str = ""
    """Why there was no verdict."""

    @property
    def payoff(self) -> float:
        """The prover's; the estimator's is the negative."""
        return sum(one.payoff for one in self.rounds)

    @property
    def share(self) -> float:
        """The payoff over the last stake: what a claim is accepted by."""
        return self.payoff / self.stake

    @property
    def void(self) -> bool:
        return self.kept == 0


@dataclass(slots=True)
class _Course:
    """A debate under way."""

    coin: np.random.Generator
    tally: Tally = field(default_factory=Tally)
    rounds: list[Round] = field(default_factory=list[Round])
    kept: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pointed:
    """Where the prover stands in one round."""

    k: int
    claim: str
    row: Row
    direction: Direction
    assumed: tuple[tuple[str, bool], ...]

    def round(self, found: float, payoff: float) -> Round:
        return Round(
            claim=self.claim,
            assumed=self.assumed,
            stated=self.row.p,
            direction=self.direction,
            found=found,
            payoff=payoff,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProverEstimator:
    """The rules.

    Example:
        drive([ProverEstimator(depth=2).play(Disputed(claim="all is well"))], seats)
    """

    depth: int = 1
    """How often a claim may be split on the way down; 1 reads the root's own subclaims."""
    payoffs: Payoffs = Payoffs()
    samples: int = 2000
    """Rows of bits where a gate is too wide to be estimated exactly."""

    def __post_init__(self) -> None:
        if self.depth < 1 or self.samples < 1:
            came = f"{self.depth} and {self.samples}"
            raise SettingError(f"depth, samples: expected at least 1, got {came}")

    @property
    def seats(self) -> tuple[str, ...]:
        return SEATS

    def play(self, disputed: Disputed, /) -> Play[Ended]:
        """The debate; a reply that cannot be read ends it, with the reason."""
        course = _Course(coin=np.random.default_rng([disputed.seed, 1]))
        failed = yield from unless_given_up(lambda: self._descend(disputed, course))
        return Ended(
            rounds=tuple(course.rounds),
            kept=course.kept,
            stake=self.payoffs.stake(max(1, len(course.rounds))),
            asked=dict(course.tally.asked),
            calls=dict(course.tally.calls),
            failed=failed,
        )

    def _descend(self, disputed: Disputed, course: _Course) -> Play[None]:
        path: tuple[str, ...] = ()
        split = Split(claims=(disputed.claim,))
        seen = yield from self._estimated(path, split, disputed, course)
        assumed: tuple[tuple[str, bool], ...] = ()
        for k in range(1, self.depth + 2):
            at = yield from _pointed(k, Choose(path=path, split=split, rows=seen.rows), course)
            path, assumed = (*path, at.claim), (*assumed, *at.assumed)
            split = Split(claims=())
            if k <= self.depth:
                split = yield from course.tally.one(PROVER, Propose(path=path))
            if not split.claims:
                return (yield from self._judged(at, assumed, disputed, course))
            seen = yield from self._estimated(path, split, disputed, course)
            paid = self.payoffs.inner(
                k, at.direction, stated=at.row.p, found=seen.implied, coin=course.coin
            )
            course.rounds.append(at.round(seen.implied, paid))

    def _estimated(
        self, path: tuple[str, ...], split: Split, disputed: Disputed, course: _Course
    ) -> Play[Estimates]:
        asking = Questions(path=path, split=split, seed=disputed.seed, samples=self.samples)
        return asking.play(course.tally)

    def _judged(
        self,
        at: _Pointed,
        assumed: tuple[tuple[str, bool], ...],
        disputed: Disputed,
        course: _Course,
    ) -> Play[None]:
        """The leaf, and at the same time every earlier sibling that the path assumes."""
        claims = (at.claim, *(claim for claim, _ in assumed))
        checks = [Check(claim=claim, root=disputed.claim) for claim in claims]
        word, *siblings = yield from course.tally.ask(JUDGE, checks)
        for (_, bit), one in zip(assumed, siblings, strict=True):
            course.kept *= one.p if bit else 1 - one.p
        paid = self.payoffs.last(
            at.k, at.direction, stated=at.row.p, found=word.p, coin=course.coin
        )
        course.rounds.append(at.round(word.p, course.kept * paid))


def _pointed(k: int, asked: Choose, course: _Course) -> Play[_Pointed]:
    point: Point = yield from course.tally.one(PROVER, asked)
    if not 0 <= point.row < len(asked.rows):
        raise InputError(f"row: expected from 0 to {len(asked.rows) - 1}, got {point.row}")
    row = asked.rows[point.row]
    siblings = zip(asked.split.claims, row.given, strict=False)  # later ones are not assumed
    return _Pointed(
        k=k,
        claim=asked.split.claims[row.child],
        row=row,
        direction=point.direction,
        assumed=tuple(siblings),
    )
