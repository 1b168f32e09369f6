"""Doubly-efficient debate: the proved thresholds, chances and costs, and what breaks else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log

import numpy as np
import pytest

from solon.errors import SettingError
from solon.lab.programs import Majority, Poll, Program, Rumour, layers, probability
from solon.oversight.best_response import accepts, best_alice, best_bob, stated
from solon.oversight.doubly_efficient import (
    ALICE,
    BOB,
    VERA,
    Computation,
    DoublyEfficient,
    Ended,
    Stated,
    Step,
    Thresholds,
    samples,
)
from solon.oversight.drive import drive
from solon.oversight.oracle_parties import (
    Checker,
    Estimator,
    Late,
    Pedant,
    Planned,
    Rejecting,
    Shifting,
    honest,
)
from solon.seams.games import Seat

FALSE = [Poll.drawn(16, p=1 / 3, seed=200), Rumour(tellers=12, p_look=1 / 3)]
TRUE = [Poll.drawn(16, p=2 / 3, seed=200), Rumour(tellers=12, p_look=2 / 3)]
NAMES = ["poll", "rumour"]


def played(program: Program, seats: Mapping[str, Seat], games: int = 200) -> list[Ended]:
    game = DoublyEfficient()
    return drive(
        [game.play(Computation(program=program, seed=seed)) for seed in range(games)], seats
    )


def wins(ended: list[Ended]) -> float:
    """Of Alice."""
    return float(np.mean([one.output for one in ended]))


def test_the_thresholds_of_the_proof() -> None:
    at = Thresholds.proved(lipschitz=4, steps=10)
    assert (at.c, at.s, at.b) == pytest.approx((1 / 400, 2 / 400, 5 / 400))
    assert (at.q, at.v) == (1 / 1000, 1 / 100)
    assert samples(0.1, 0.05) == 185
    assert Thresholds.of(Rumour(tellers=10, p_look=0.5)).c == 1 / 200


@pytest.mark.parametrize("program", [*TRUE, Majority(votes=9, p_vote=0.6)])
def test_each_party_costs_at_most_what_was_proved(program: Program) -> None:
    k, steps, at = program.lipschitz, program.steps, Thresholds.of(program)
    grows = log(200 * steps)
    assert Estimator.of(at).calls <= 5000 * k**2 * grows + 1
    assert Checker.bob(at).calls <= 20000 / 9 * k**2 * grows + 1
    assert Checker.vera(at).calls <= 106000 * k**2 + 1
    one = played(program, {**honest(program), BOB: Rejecting(rate=0.0)}, 1)[0]
    assert one.alice == steps * Estimator.of(at).calls
    one = played(program, {**honest(program), ALICE: Shifting(by=0.0)}, 1)[0]
    assert one.bob == steps * Checker.bob(at).calls


def test_vera_asks_as_much_of_a_long_computation_as_of_a_short_one() -> None:
    calls = []
    for tellers in (3, 30, 3000):
        program = Rumour(tellers=tellers, p_look=0.5)
        calls.append(played(program, {**honest(program), BOB: Rejecting(rate=1.0)}, 1)[0].vera)
    assert calls[0] == calls[1] == calls[2] > 0
    sharp = [Checker.vera(Thresholds.of(Majority(votes=n, p_vote=0.5))).calls for n in (9, 901)]
    assert sharp[1] > 20 * sharp[0]


@pytest.mark.parametrize("program", FALSE, ids=NAMES)
def test_honest_bob_wins_with_three_fifths_against_every_alice(program: Program) -> None:
    at = Thresholds.of(program)
    best = best_alice(program, at)
    assert best.wins <= 2 / 5
    assert best.wins > probability(program)  # and she does gain something
    liars: list[Seat] = [
        Shifting(by=0.99 * at.s), Shifting(by=0.99 * at.b), Shifting(by=1.01 * at.b), Late(),
        Shifting(by=1.0),
    ]  # fmt: skip
    for alice in liars:
        # 200 games: four standard errors are 0.14
        assert wins(played(program, {**honest(program), ALICE: alice})) < best.wins + 0.14
    planned = played(program, {**honest(program), ALICE: Planned(best.moves)}, 1000)
    assert wins(planned) == pytest.approx(best.wins, abs=0.06)


@pytest.mark.parametrize("program", TRUE, ids=NAMES)
def test_honest_alice_wins_with_three_fifths_against_every_bob(program: Program) -> None:
    at = Thresholds.of(program)
    best = best_bob(program, at)
    assert 1 - probability(program) - 1e-6 <= best <= 2 / 5
    bobs: list[Seat] = [
        Rejecting(rate=1.0), Rejecting(rate=0.1), Rejecting(rate=0.0), Pedant(above=0.3 * at.c),
        Checker.bob(at),
    ]  # fmt: skip
    for bob in bobs:
        assert 1 - wins(played(program, {**honest(program), BOB: bob})) < best + 0.14


def test_a_bob_who_is_too_lax_lets_a_cheating_alice_win() -> None:
    program = FALSE[0]
    at = Thresholds.of(program)
    assert best_alice(program, replace(at, b=60 * at.b)).wins > 2 / 5
    lax = replace(Checker.bob(at), radius=20 * at.b)
    seats = {**honest(program), BOB: lax, ALICE: Shifting(by=10 * at.b)}
    assert wins(played(program, seats)) > 0.6


def test_a_vera_who_looks_too_rarely_lets_bob_win_against_the_truth() -> None:
    program, at = TRUE[0], Thresholds.of(TRUE[0])
    careless = replace(Checker.vera(at), calls=50)
    seats = {**honest(program), VERA: careless, BOB: Rejecting(rate=1.0)}
    assert wins(played(program, seats)) < 0.2


def test_the_exact_chances_are_those_of_many_draws() -> None:
    program = Rumour(tellers=3, p_look=0.37)
    at = Thresholds.of(program)
    bob = Checker.bob(at)
    for off in (0.0, at.s, 1.1 * bob.radius, at.b):
        claim = 0.37 + off
        votes = bob(
            [
                Step(
                    computation=Computation(program=program, seed=seed), state=(0, 0), stated=claim
                )
                for seed in range(2000)
            ]
        )
        exact = accepts(bob, np.array([[claim]]), np.array([[0.37]])).item()
        assert np.mean([one.accepts for one in votes]) == pytest.approx(exact, abs=0.05)
    claims, mass = stated(Estimator(calls=5000), np.array([[0.37], [1.0]]))
    assert mass.sum(axis=1) == pytest.approx(1)
    assert (claims * mass).sum(axis=1) == pytest.approx([0.37, 1.0], abs=1e-3)


def test_a_plan_has_a_move_for_every_state() -> None:
    program = FALSE[0]
    plan = best_alice(program, Thresholds.of(program)).moves
    assert set(plan) == {state for layer in layers(program) for state in layer}


def test_a_game_ends_alike_alone_and_among_others() -> None:
    program = FALSE[1]
    together = played(program, honest(program), 20)
    game = DoublyEfficient()
    alone = [
        drive([game.play(Computation(program=program, seed=seed))], honest(program))[0]
        for seed in range(20)
    ]
    assert together == alone
    assert len({one.output for one in together}) == 2


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SettingError, match="0 < c < s < b"):
        Thresholds(c=0.1, s=0.1, b=0.2, q=0.01, v=0.01)
    with pytest.raises(SettingError, match="e, q: expected"):
        samples(0.0, 0.1)

    def mad(asked):
        return [Stated(p=1.5) for _ in asked]

    with pytest.raises(SettingError, match=r"alice: expected a probability, got 1\.5"):
        played(FALSE[0], {**honest(FALSE[0]), ALICE: mad}, 1)
