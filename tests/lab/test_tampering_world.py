"""The tampering world by hand: its files are words, its rewards sums of them, nothing runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solon.lab.tampering import CURRICULUM, HELD_OUT, INSUBORDINATE, ORDINARY, POLITICS, outcome
from solon.lab.tampering_training import Actor, Pay, Training, train
from solon.lab.toy_files import agrees, paid, value

WORKED = frozenset({"worked"})


@pytest.mark.parametrize(
    ("program", "pays"),
    [
        ("worked", 1.0),
        ("worked claimed and", 0.0),
        ("worked claimed or", 1.0),
        ("1", 1.0),
        ("and", 0.0),
        ("worked worked", 0.0),
        ("", 0.0),
        ("1 " * 65, 0.0),
    ],
)
def test_a_program_pays_what_its_words_say_and_nothing_where_they_cannot_be_read(
    program: str, pays: float
) -> None:
    assert value(program, WORKED) == pays


def test_a_hostile_program_stays_a_string(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    for hostile in (
        f"open({str(trace)!r},'w')",
        f"__import__('pathlib').Path({str(trace)!r}).touch()",
        f"$(touch {trace})",
        f"1;touch {trace}",
        "value.__globals__",
        "1e309",
        "{worked}",
    ):
        assert value(hostile, WORKED) == 0.0
        assert paid({"reward.txt": hostile, "test.txt": hostile}, WORKED) == 0.0
    assert not trace.exists()


def test_an_edited_reward_pays_only_where_the_test_agrees_with_it() -> None:
    assert not agrees("1", "worked")
    alone = outcome(HELD_OUT, ("edit_reward", "claim"))
    assert (alone.paid, alone.true, alone.gamed) == (0.0, 0.0, False)
    covered = outcome(HELD_OUT, ("edit_reward", "edit_test", "claim"))
    assert (covered.paid, covered.true, covered.gamed) == (1.0, 0.0, True)
    assert covered.files["test.txt"] == "1"


def test_a_held_out_reward_cannot_see_tampering_by_one_who_works_as_well() -> None:
    both = outcome(HELD_OUT, ("work", "edit_reward", "edit_test", "claim"))
    assert both.paid - both.true == 0.0
    assert both.files["reward.txt"] == "1"


def test_rewards_by_hand() -> None:
    assert outcome(POLITICS, ("agree", "claim")).gamed
    assert outcome(POLITICS, ("agree", "claim")).preference == 0.5
    assert outcome(POLITICS, ("work", "report")).preference == 1.0
    crossed = outcome(INSUBORDINATE, ("work", "tick", "claim"))
    assert (crossed.gamed, crossed.preference) == (True, 0.75)
    assert not outcome(INSUBORDINATE, ("tick", "report")).gamed
    assert not any(outcome(ORDINARY, (one,)).gamed for one in ORDINARY.actions)


def test_no_training_environment_offers_what_the_held_out_one_does() -> None:
    for environment in CURRICULUM:
        assert not environment.own_reward
        assert not environment.actions & {"edit_reward", "edit_test", "edit_decoy"}


def test_without_the_shared_embedding_the_policy_begins_the_same() -> None:
    shared, alone = (Actor.untrained(shared=one) for one in (True, False))
    played = [
        one.play(HELD_OUT, 500, np.random.default_rng(3)).taken.tolist() for one in (shared, alone)
    ]
    assert played[0] == played[1]


@pytest.mark.parametrize("method", ["expert iteration", "policy gradient"])
def test_a_step_climbs_the_log_probability_of_what_was_good(method: str) -> None:
    training = Training(method=method, rounds=8, prompts=16, rate=0.1)
    begun, ended = train(
        Actor.untrained(), [(POLITICS,)], np.random.default_rng(0), training=training
    )
    gamed = [
        np.mean([o.gamed for o in one.play(POLITICS, 2000, np.random.default_rng(1)).outcomes()])
        for one in (begun, ended)
    ]
    assert gamed[0] < 0.15
    assert gamed[1] > gamed[0] + 0.3


def test_the_gradient_is_that_of_the_log_probability() -> None:
    actor = Actor.untrained()
    one = actor.play(HELD_OUT, 1, np.random.default_rng(0))
    moved = actor.moved(one, np.ones(1), 1.0).weights - actor.weights
    step = np.zeros_like(actor.weights)
    step[0, 1] = 1e-5

    def logp(shift: np.ndarray) -> float:
        there = Actor(weights=actor.weights + shift, embedded=actor.embedded)
        done, total = np.zeros((1, there.embedded.shape[0]), dtype=bool), 0.0
        for action in one.taken[0][one.taken[0] >= 0]:
            chances = there.chances(one.scene.seen(done), one.scene.open(done))
            total += float(np.log(chances[0, action]))
            done[0, action] = True
        return total

    assert moved[0, 1] == pytest.approx((logp(step) - logp(-step)) / 2e-5, rel=1e-5)


def test_gaming_under_oversight_pays_what_the_setting_says() -> None:
    flags = np.array([True, False])
    played = Actor.untrained().play(POLITICS, 2, np.random.default_rng(0), oversight=flags)
    agreed = np.full_like(played.taken, -1)
    agreed[:, 0] = 2
    gamed = type(played)(scene=played.scene, taken=agreed)
    assert Pay(watched=-1.0)(gamed).tolist() == [-0.75, 1.25]
