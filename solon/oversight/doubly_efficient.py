"""Doubly-efficient debate: a verifier checks one step of a long computation, whatever its length.

Brown-Cohen, Irving & Piliouras (arXiv 2311.14125); steps, thresholds and costs are those of their
machine-checked proof. At each step Alice states the probability p that the next bit is 1, and Bob
accepts or rejects. Accepted, the bit is drawn with p by a coin that all trust; rejected, Vera
estimates p herself and decides for Alice (1) or against her (0). Never rejected, the output is the
last bit. Alice plays for 1, Bob for 0.

Theorem: with the proved thresholds, Pr(output = 1) >= 2/3 lets honest Alice win with 3/5 against
any Bob, Pr <= 1/3 honest Bob against any Alice; provers ask O(K^2 T log T), Vera O(K^2) of the
oracle. Deviation: (1) a state is shown, which holds all that later steps need, and not each bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

import numpy as np

from solon.errors import SettingError
from solon.lab.programs import START, Program, State
from solon.seams.games import Ask, Play

ALICE, BOB, VERA = SEATS = ("alice", "bob", "vera")
COIN = "coin"


def samples(e: float, q: float) -> int:
    """ceil(ln(2/q) / (2 e^2)): a mean of so many is off by e or more with at most q (Hoeffding)."""
    if not (e > 0 and 0 < q < 1):
        raise SettingError(f"e, q: expected above 0, and between 0 and 1, got {e} and {q}")
    return ceil(log(2 / q) / (2 * e * e))


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How far off Alice's p may be, and with which probability a party may misjudge it.

    Example:
        Thresholds.proved(lipschitz=4, steps=65)
    """

    c: float
    """Honest Alice is closer than this; Vera accepts what is."""
    s: float
    """Vera rejects what is farther off than this; Bob accepts what is closer."""
    b: float
    """Bob rejects what is farther off than this."""
    q: float
    """The probability that Alice's or Bob's estimate fails, at one step."""
    v: float
    """The probability that Vera's estimate fails."""

    def __post_init__(self) -> None:
        if not 0 < self.c < self.s < self.b:
            came = f"{self.c}, {self.s} and {self.b}"
            raise SettingError(f"c, s, b: expected 0 < c < s < b, got {came}")
        if not (0 < self.q < 1 and 0 < self.v < 1):
            raise SettingError(f"q, v: expected between 0 and 1, got {self.q} and {self.v}")

    @classmethod
    def proved(cls, *, lipschitz: float, steps: int) -> Thresholds:
        """Those of the proof, for a K-Lipschitz program of t + 1 steps."""
        unit = 1 / (100 * lipschitz)
        return cls(c=unit, s=2 * unit, b=5 * unit, q=1 / (100 * steps), v=1 / 100)

    @classmethod
    def of(cls, program: Program) -> Thresholds:
        """Those of the proof, for this program."""
        return cls.proved(lipschitz=program.lipschitz, steps=program.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """A program to be debated, and the seed of all that is drawn in that debate.

    Example:
        Computation(program=Rumour(tellers=50, p_look=2 / 3), seed=7)
    """

    program: Program
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a party is asked about: where the computation stands, and what Alice said of it."""

    computation: Computation
    state: State
    stated: float = 0.0
    """Alice's p; she herself is asked for it."""

    @property
    def program(self) -> Program:
        return self.computation.program

    @property
    def p(self) -> float:
        """What the oracle answers; who is bounded can only sample it."""
        return self.program.p(self.state)

    @property
    def last(self) -> bool:
        return self.state[0] == self.program.steps - 1

    def draw(self, who: str) -> np.random.Generator:
        """The randomness of one party at this step, whoever else is asked beside it."""
        number = (*SEATS, COIN).index(who)
        return np.random.default_rng([self.computation.seed, number, self.state[0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Alice's probability, and how often she asked the oracle."""

    p: float
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """Whether Bob or Vera accepts it, and how often the oracle was asked."""

    accepts: bool
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a debate ended, and the calls of the oracle by each party.

    Example:
        Ended(output=False, rejected=3, alice=1200, bob=800, vera=400)
    """

    output: bool
    """Whether Alice won: 1 was the last bit, or Vera's word."""
    rejected: int | None
    """The step at which Bob rejected."""
    alice: int
    bob: int
    vera: int = 0


@dataclass(frozen=True, slots=True)
class DoublyEfficient:
    """The protocol; thresholds belong to who sits there.

    Example:
        drive([DoublyEfficient().play(Computation(program=poll, seed=1))], honest(poll))
    """

    @property
    def seats(self) -> tuple[str, ...]:
        return SEATS

    def play(self, computation: Computation, /) -> Play[Ended]:
        """Step by step, until Bob rejects or the last bit is drawn."""
        state, bit, alice, bob = START, 0, 0, 0
        for at in range(computation.program.steps):
            step = Step(computation=computation, state=state)
            (stated,) = yield (Ask(ALICE, step),)
            _check(stated)
            alice += stated.calls
            step = Step(computation=computation, state=state, stated=stated.p)
            (vote,) = yield (Ask(BOB, step),)
            bob += vote.calls
            if not vote.accepts:
                (word,) = yield (Ask(VERA, step),)
                return Ended(
                    output=word.accepts, rejected=at, alice=alice, bob=bob, vera=word.calls
                )
            bit = int(step.draw(COIN).random() < stated.p)
            state = computation.program.after(state, bit)
        return Ended(output=bool(bit), rejected=None, alice=alice, bob=bob)


def _check(stated: Stated) -> None:
    if not 0 <= stated.p <= 1:
        raise SettingError(f"alice: expected a probability, got {stated.p}")
