"""Programs that ask a stochastic oracle for one bit a step: what long computations are here.

Each bit is 1 with the probability that the oracle gives to the bits before it; the output is the
last bit (Brown-Cohen, Irving & Piliouras, arXiv 2311.14125). A program is K-Lipschitz where
Pr(output = 1) moves by at most K e when all of the oracle's answers move by at most e. The three
programs are our formulation. A state keeps what later steps need of the bits, not all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Any, Protocol, TypeAlias

import numpy as np
from scipy import optimize

from solon.errors import SettingError

State: TypeAlias = tuple[int, int]
"""Steps done, and one number that sums up their bits."""
START: State = (0, 0)


class Program(Protocol):
    """A computation of so many steps by one oracle."""

    @property
    def steps(self) -> int: ...

    @property
    def lipschitz(self) -> float:
        """K."""
        ...

    def p(self, state: State, /) -> float:
        """The oracle's answer: the probability that the next bit is 1."""
        ...

    def after(self, state: State, bit: int, /) -> State: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Counts votes, and answers 1 with a probability that rises with their share: K = slope + 1.

    K does not grow with the votes, as that of a sharp majority does.

    Example:
        Poll(votes=(0.7, 0.5, 0.6), slope=3.0)      # surely 1 from two thirds of the votes on
    """

    votes: tuple[float, ...]
    """The probability of each vote for 1."""
    slope: float = 3.0
    """How steeply the answer rises around one half."""

    def __post_init__(self) -> None:
        if not self.votes or not all(0 <= one <= 1 for one in self.votes):
            raise SettingError(f"votes: expected probabilities, got {self.votes}")
        if self.slope < 0:
            raise SettingError(f"slope: expected 0 or more, got {self.slope}")

    @classmethod
    def drawn(cls, votes: int, *, p: float, seed: int, slope: float = 3.0) -> Poll:
        """Votes that differ by up to 0.4 from one to another, and whose answer is 1 with p."""
        tilt = np.random.default_rng(seed).uniform(-0.2, 0.2, votes)

        def at(level: float) -> Poll:
            held = np.clip(level + tilt, 0.0, 1.0)
            return cls(votes=tuple(float(one) for one in held), slope=slope)

        root: Any = optimize.brentq(lambda level: probability(at(level)) - p, -0.2, 1.2)
        return at(float(root))

    @property
    def steps(self) -> int:
        return len(self.votes) + 1

    @property
    def lipschitz(self) -> float:
        return self.slope + 1.0

    def p(self, state: State, /) -> float:
        at, ones = state
        if at < len(self.votes):
            return self.votes[at]
        return min(1.0, max(0.0, 0.5 + self.slope * (ones / at - 0.5)))

    def after(self, state: State, bit: int, /) -> State:
        return state[0] + 1, state[1] + bit


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """The majority of n votes: K = 1 + n C(n - 1, (n - 1) / 2) / 2^(n - 1), about sqrt(2 n / pi).

    Example:
        Majority(votes=65, p_vote=0.5).lipschitz      # 7.5
    """

    votes: int
    """How many; odd, so that none ties."""
    p_vote: float
    """The probability of each vote for 1."""

    def __post_init__(self) -> None:
        if self.votes < 1 or self.votes % 2 == 0:
            raise SettingError(f"votes: expected an odd number, got {self.votes}")
        _check("p_vote", self.p_vote)

    @property
    def steps(self) -> int:
        return self.votes + 1

    @property
    def lipschitz(self) -> float:
        return 1.0 + self.votes * comb(self.votes - 1, self.votes // 2) / 2 ** (self.votes - 1)

    def p(self, state: State, /) -> float:
        at, ones = state
        return self.p_vote if at < self.votes else float(2 * ones > self.votes)

    def after(self, state: State, bit: int, /) -> State:
        return state[0] + 1, state[1] + bit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rumour:
    """Each teller repeats what it heard, or with 1 - repeats looks for itself: K = 1/(1 - repeats).

    Example:
        Rumour(tellers=200, p_look=2 / 3, repeats=0.5)      # K = 2, whatever the tellers
    """

    tellers: int
    p_look: float
    """The probability that who looks sees 1; that of the output too."""
    repeats: float = 0.5
    """The probability of repeating."""

    def __post_init__(self) -> None:
        if self.tellers < 1 or not 0 <= self.repeats < 1:
            came = f"{self.tellers} and {self.repeats}"
            raise SettingError(f"tellers, repeats: expected 1 or more, and below 1, got {came}")
        _check("p_look", self.p_look)

    @property
    def steps(self) -> int:
        return self.tellers

    @property
    def lipschitz(self) -> float:
        return 1.0 / (1.0 - self.repeats)

    def p(self, state: State, /) -> float:
        at, heard = state
        return self.p_look if at == 0 else (1 - self.repeats) * self.p_look + self.repeats * heard

    def after(self, state: State, bit: int, /) -> State:
        return state[0] + 1, bit


def probability(program: Program) -> float:
    """Pr(output = 1), exactly."""
    mass: Mapping[State, float] = {START: 1.0}
    for _ in range(program.steps - 1):
        reached: dict[State, float] = defaultdict(float)
        for state, held in mass.items():
            p = program.p(state)
            reached[program.after(state, 1)] += held * p
            reached[program.after(state, 0)] += held * (1 - p)
        mass = reached
    return sum(held * program.p(state) for state, held in mass.items())


def layers(program: Program) -> list[list[State]]:
    """The states that can be reached, by steps done, from the start to before the last step."""
    found = [[START]]
    for _ in range(program.steps - 1):
        after = {program.after(state, bit) for state in found[-1] for bit in (0, 1)}
        found.append(sorted(after))
    return found


def _check(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise SettingError(f"{name}: expected a probability, got {p}")
