"""Programs with a stochastic oracle: their output's probability and their Lipschitz constants."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from solon.errors import SettingError
from solon.lab.programs import START, Majority, Poll, Program, Rumour, State, layers, probability

PROGRAMS: list[Program] = [
    Poll(votes=(0.2, 0.9, 0.5, 0.7), slope=3.0),
    Poll(votes=(0.4, 0.6, 0.3), slope=0.5),
    Majority(votes=5, p_vote=0.55),
    Rumour(tellers=6, p_look=0.4, repeats=0.5),
]


@dataclass(frozen=True)
class Nudged:
    """The program under an oracle whose answers are off by at most ``by``."""

    program: Program
    by: float
    signs: tuple[int, ...]

    @property
    def steps(self) -> int:
        return self.program.steps

    @property
    def lipschitz(self) -> float:
        return self.program.lipschitz

    def p(self, state: State, /) -> float:
        sign = self.signs[(3 * state[0] + state[1]) % len(self.signs)]
        return min(1.0, max(0.0, self.program.p(state) + sign * self.by))

    def after(self, state: State, bit: int, /) -> State:
        return self.program.after(state, bit)


def by_enumeration(program: Program) -> float:
    """Over all strings of bits."""
    total = 0.0
    for bits in product((0, 1), repeat=program.steps):
        state, mass = START, 1.0
        for bit in bits:
            p = program.p(state)
            mass *= p if bit else 1 - p
            state = program.after(state, bit)
        total += mass * bits[-1]
    return total


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: type(one).__name__)
def test_the_probability_of_the_output_is_that_of_all_strings_of_bits(program: Program) -> None:
    assert probability(program) == pytest.approx(by_enumeration(program))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("by", [1e-3, 0.05, 0.3])
def test_no_oracle_so_close_moves_the_output_by_more_than_k_times_as_much(
    program: Program, by: float
) -> None:
    moved = [
        abs(probability(Nudged(program, by, signs)) - probability(program))
        for signs in [(1,), (-1,), (1, -1), (1, 1, -1, 1), (-1, 1, 0)]
    ]
    assert max(moved) <= program.lipschitz * by + 1e-12
    assert max(moved) > 0.2 * by


def test_the_constant_of_a_majority_grows_with_the_root_of_its_votes_and_no_others_does() -> None:
    k = [Majority(votes=n, p_vote=0.5).lipschitz - 1 for n in (101, 401)]
    assert k[1] / k[0] == pytest.approx(2, rel=0.01)
    assert k[1] == pytest.approx(np.sqrt(2 * 401 / np.pi), rel=0.01)
    assert Poll(votes=(0.5,) * 10).lipschitz == Poll(votes=(0.5,) * 1000).lipschitz == 4
    assert Rumour(tellers=5, p_look=0.5).lipschitz == Rumour(tellers=500, p_look=0.5).lipschitz == 2


def test_a_rumour_says_what_its_tellers_would_see() -> None:
    assert probability(Rumour(tellers=40, p_look=0.3, repeats=0.9)) == pytest.approx(0.3)


def test_a_drawn_poll_has_the_probability_that_was_asked_for_and_uneven_votes() -> None:
    poll = Poll.drawn(20, p=2 / 3, seed=4)
    assert probability(poll) == pytest.approx(2 / 3)
    assert np.std(poll.votes) > 0.05
    assert poll == Poll.drawn(20, p=2 / 3, seed=4)
    assert poll != Poll.drawn(20, p=2 / 3, seed=5)


def test_layers_hold_each_state_once() -> None:
    assert [len(one) for one in layers(Poll(votes=(0.5,) * 4))] == [1, 2, 3, 4, 5]


def test_a_program_that_makes_no_sense_is_refused() -> None:
    for bad in (
        lambda: Poll(votes=()), lambda: Poll(votes=(1.2,)), lambda: Majority(votes=4, p_vote=0.5),
        lambda: Majority(votes=3, p_vote=2), lambda: Rumour(tellers=3, p_look=0.5, repeats=1),
        lambda: Poll(votes=(0.5,), slope=-1),
    ):  # fmt: skip
        with pytest.raises(SettingError, match="expected"):
            bad()
