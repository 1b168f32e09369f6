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

from dataclasses import dataclass, field, replace

import numpy as np

from solon.errors import InputError, SettingError
from solon.oversight.conditionals import Estimates, Questions
from solon.oversight.gate_names import spelt
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
from solon.records import (
    Assumption,
    Estimated,
    TreeDebate,
    TreeRound,
    chance_kept,
    digest,
)
from solon.seams.games import Play


@dataclass(slots=True)
class _Course:
    """A debate under way."""

    coin: np.random.Generator
    tally: Tally = field(default_factory=Tally)
    opening: float | None = None
    rounds: list[TreeRound] = field(default_factory=list[TreeRound])
    checked: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pointed:
    """Where the prover stands in one round."""

    k: int
    asked: Choose
    at: int
    direction: Direction

    @property
    def row(self) -> Row:
        return self.asked.rows[self.at]

    @property
    def claim(self) -> str:
        return self.asked.split.claims[self.row.child]

    @property
    def assumed(self) -> tuple[Assumption, ...]:
        """Earlier siblings; later ones are not assumed."""
        bits = zip(self.asked.split.claims, self.row.given, strict=False)
        return tuple(Assumption(claim=claim, holds=bit) for claim, bit in bits)

    def round(self, found: float, *, stake: float, payoff: float) -> TreeRound:
        return TreeRound(
            claim=self.claim,
            assumed=self.assumed,
            stated=self.row.p,
            direction=self.direction,
            found=found,
            stake=stake,
            payoff=payoff,
        )

    def whole(self, one: TreeRound) -> TreeRound:
        """The round with all that stood beside its claim."""
        split = self.asked.split
        estimates = tuple(
            Estimated(claim=split.claims[row.child], given=row.given, p=row.p)
            for row in self.asked.rows
        )
        return replace(
            one,
            siblings=split.claims,
            gate=spelt(split.gate),
            estimates=estimates,
            chosen=self.at,
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
    whole: bool = False
    """Whether the record keeps every estimate of a split, or the path that was disputed alone."""

    def __post_init__(self) -> None:
        if self.depth < 1 or self.samples < 1:
            came = f"{self.depth} and {self.samples}"
            raise SettingError(f"depth, samples: expected at least 1, got {came}")

    @property
    def id(self) -> str:
        """The game's name, and four digits of its rules."""
        return f"prover-estimator@{digest(self)[:4]}"

    @property
    def seats(self) -> tuple[str, ...]:
        return SEATS

    def play(self, disputed: Disputed, /) -> Play[TreeDebate]:
        """The debate; a reply that cannot be read ends it, with the reason."""
        course = _Course(coin=np.random.default_rng([disputed.seed, 1]))
        failed = yield from unless_given_up(lambda: self._descend(disputed, course))
        return TreeDebate(
            game=self.id,
            id=disputed.name,
            claim=disputed.claim,
            opening=course.opening,
            rounds=tuple(course.rounds),
            stake=self.payoffs.stake(max(1, len(course.rounds))),
            checked=course.checked,
            spent=course.tally.spent(),
            failed=failed,
        )

    def _descend(self, disputed: Disputed, course: _Course) -> Play[None]:
        path: tuple[str, ...] = ()
        split = Split(claims=(disputed.claim,))
        seen = yield from self._estimated(path, split, disputed, course)
        course.opening = seen.implied
        assumed: tuple[Assumption, ...] = ()
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
            self._settle(at, seen.implied, paid, course)

    def _estimated(
        self, path: tuple[str, ...], split: Split, disputed: Disputed, course: _Course
    ) -> Play[Estimates]:
        asking = Questions(path=path, split=split, seed=disputed.seed, samples=self.samples)
        return asking.play(course.tally)

    def _judged(
        self,
        at: _Pointed,
        assumed: tuple[Assumption, ...],
        disputed: Disputed,
        course: _Course,
    ) -> Play[None]:
        """The leaf, and at the same time every earlier sibling that the path assumes."""
        claims = (at.claim, *(one.claim for one in assumed))
        checks = [Check(claim=claim, root=disputed.claim) for claim in claims]
        word, *siblings = yield from course.tally.ask(JUDGE, checks)
        course.checked = tuple(one.p for one in siblings)
        kept = chance_kept(assumed, course.checked)
        paid = self.payoffs.last(
            at.k, at.direction, stated=at.row.p, found=word.p, coin=course.coin
        )
        self._settle(at, word.p, kept * paid, course)

    def _settle(self, at: _Pointed, found: float, paid: float, course: _Course) -> None:
        one = at.round(found, stake=self.payoffs.stake(at.k), payoff=paid)
        course.rounds.append(at.whole(one) if self.whole else one)


def _pointed(k: int, asked: Choose, course: _Course) -> Play[_Pointed]:
    point: Point = yield from course.tally.one(PROVER, asked)
    if not 0 <= point.row < len(asked.rows):
        raise InputError(f"row: expected from 0 to {len(asked.rows) - 1}, got {point.row}")
    return _Pointed(k=k, asked=asked, at=point.row, direction=point.direction)
