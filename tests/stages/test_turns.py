"""Turns sampled and rewarded ahead of the learner: staleness, order, resume, faults."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import PIPE
from typing import Any, ClassVar

import pytest
from recipes.stopping import Stopped, Stops, left, stopped_and_whole
from tiny import tiny

from solon.engines.local.policy import LocalPolicy
from solon.errors import BudgetSpent, SettingError
from solon.records import Completion, Group, Prompt
from solon.run import lines
from solon.run.ahead import begin
from solon.run.ranks import Alone
from solon.run.run import Run
from solon.run.shards import read_records, shards
from solon.seams.feedback import Policy
from solon.stages.staleness import staleness

STEPS = 6
AHEAD = {"climb__ahead": "2", "climb__steps": str(STEPS)}
CORRECTED = {"climb__objective__importance": "sequence"}


def letters(completion: Completion) -> float:
    """A reward without a model: something that sampling differs in."""
    return completion.text.count("a") - 0.1 * len(completion.text)


@dataclass
class Asked:
    """A reward that remembers what it was asked, and in which thread; ``before`` may delay it."""

    before: Callable[[int], None] = lambda number: None
    batches: list[list[Completion]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    lock: Any = field(default_factory=threading.Lock)

    def open(self, run: Run) -> Asked:
        return self

    def __call__(self, completions: Sequence[Completion]) -> list[float]:
        with self.lock:
            number = len(self.batches)
            self.batches.append(list(completions))
            self.threads.add(threading.current_thread().name)
        self.before(number)
        return [letters(one) for one in completions]


def climbed(folder: Path, reward: Asked, *, shows: int = 0, **changes: str) -> list[dict[str, Any]]:
    """The metrics of a climb, after all of it or up to the so-many-eth look."""
    recipe, _ = tiny("direct", **{**AHEAD, **changes})
    with Run(folder, seed=3, checkpoint_seconds=0.0) as run:
        if shows:
            run.watch(Stops(shows=shows), every=1)
        replace(recipe, scorer=reward)(run)
    return metrics(folder)


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [line for line in lines.read(folder / "metrics.jsonl") if line["stage"] == "climb"]


def notes(folder: Path) -> list[str]:
    return [line["note"] for line in lines.read(folder / "notes.jsonl")]


# -- staleness


@pytest.mark.parametrize("ahead", [1, 2, 4])
def test_in_fixed_order_every_turn_but_the_first_is_as_stale_as_it_is_ahead(
    ahead: int, tmp_path: Path
) -> None:
    seen = climbed(tmp_path, Asked(), climb__ahead=str(ahead), **CORRECTED)
    assert [line["staleness"] for line in seen] == [min(step, ahead) for step in range(STEPS)]
    assert [line["staleness_max"] for line in seen] == [line["staleness"] for line in seen]
    # that is what the records say of themselves
    begun = int(read_records(tmp_path / "records" / "rollouts")[0].completion.policy.split("@")[1])
    for turn in range(STEPS):
        rollouts = read_records(tmp_path / "records" / "rollouts", first=turn, last=turn + 1)
        drew = {rollout.completion.policy.split("@")[1] for rollout in rollouts}
        assert drew == {str(begun + max(0, turn - ahead))}
    assert [line["sampler_kl"] > 0 for line in seen] == [step > 0 for step in range(STEPS)]


def test_on_policy_nothing_is_begun_early_and_nothing_new_is_logged(tmp_path: Path) -> None:
    reward = Asked()
    seen = climbed(tmp_path, reward, climb__ahead="0")
    assert reward.threads == {"MainThread"}
    assert not any("staleness" in line for line in seen)
    assert {line["approx_kl"] for line in seen} == {0.0}
    assert notes(tmp_path) == []


def test_several_updates_a_turn_count_as_several(tmp_path: Path) -> None:
    several = {"climb__objective__minibatches": "2", "climb__objective__clip": "0.2"}
    seen = climbed(tmp_path, Asked(), climb__ahead="1", **several)
    assert [line["staleness"] for line in seen] == [0.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def test_an_id_without_a_number_of_updates_is_refused() -> None:
    with pytest.raises(SettingError, match="whose id is name@updates, .* got 'served@a1b2c3'"):
        staleness("served@a1b2c3", [])


def test_a_loss_without_a_ratio_is_told_of(tmp_path: Path) -> None:
    climbed(tmp_path / "plain", Asked())
    (note,) = notes(tmp_path / "plain")
    assert note.startswith("ahead=2: RLOO takes older weights' batches for its own")
    climbed(tmp_path / "corrected", Asked(), **CORRECTED)
    climbed(tmp_path / "clipped", Asked(), climb__objective__clip="0.2")
    assert notes(tmp_path / "corrected") == notes(tmp_path / "clipped") == []


# -- order


def test_the_same_twice_however_long_each_reward_takes(tmp_path: Path) -> None:
    def slow(number: int) -> None:
        time.sleep(0.02 * (number % 3))

    climbed(tmp_path / "one", Asked(), **CORRECTED)
    climbed(tmp_path / "two", Asked(before=slow), **CORRECTED)
    assert left(tmp_path / "one") == left(tmp_path / "two")


def test_in_order_of_arrival_a_reward_that_hangs_does_not_freeze_the_climb(tmp_path: Path) -> None:
    others = threading.Event()

    def hang(number: int) -> None:
        assert number != 1 or others.wait(timeout=30), "the others never went on"

    def watch(step: int, policy: Policy) -> dict[str, float]:
        if step == STEPS - 2:
            others.set()  # all but the one that hangs have been learnt from
        return {}

    recipe, _ = tiny("direct", **AHEAD, **CORRECTED, climb__ahead_order="arrival")
    with Run(tmp_path, seed=3) as run:
        run.watch(watch, every=1)
        replace(recipe, scorer=Asked(before=hang))(run)
    seen = metrics(tmp_path)
    assert [line["step"] for line in seen] == list(range(STEPS))
    # among the first three that were asked, so drawn before the first update
    assert seen[-1]["staleness"] == STEPS - 1
    assert all(line["staleness"] < STEPS - 1 for line in seen[:-1])
    assert len(shards(tmp_path / "records" / "rollouts")) == STEPS


def test_in_fixed_order_a_reward_that_is_late_is_waited_for(tmp_path: Path) -> None:
    asked = Asked(before=lambda number: time.sleep(0.3 * (number == 1)))
    seen = climbed(tmp_path, asked)
    assert [line["staleness"] for line in seen] == [0, 1, 2, 2, 2, 2]


def test_as_many_as_that_are_under_way_and_no_more(tmp_path: Path) -> None:
    going: list[int] = []
    most: list[int] = []
    lock, three = threading.Lock(), threading.Barrier(3, timeout=30)

    def count(number: int) -> None:
        with lock:
            going.append(number)
            most.append(len(going))
        if number < 3:
            three.wait()  # the one that is due, and two ahead: else this would break
        with lock:
            going.remove(number)

    reward = Asked(before=count)
    climbed(tmp_path, reward, climb__ahead_order="arrival")
    assert max(most) == 3
    assert all(name.startswith("reward-") for name in reward.threads)


# -- resume


@pytest.mark.parametrize("shows", range(1, STEPS + 1))
def test_stopped_at_any_step_and_resumed_ends_as_an_uninterrupted_climb(
    shows: int, tmp_path: Path
) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "direct", shows=shows, **AHEAD, **CORRECTED)
    assert whole == stopped


def test_no_reward_is_asked_twice_whenever_the_climb_breaks_off(tmp_path: Path) -> None:
    first, then = Asked(), Asked()
    with pytest.raises(Stopped):
        climbed(tmp_path, first, shows=3)
    climbed(tmp_path, then)
    asked = [one for batch in (*first.batches, *then.batches) for one in batch]
    rows = read_records(tmp_path / "records" / "rollouts")
    assert len(asked) == len(rows) == STEPS * 8
    assert {one.text for one in asked} == {row.completion.text for row in rows}


def test_without_any_checkpoint_the_rewards_on_disk_serve_again(tmp_path: Path) -> None:
    first, then = Asked(), Asked()
    recipe, _ = tiny("direct", **AHEAD)
    with Run(tmp_path, seed=3, checkpoint_seconds=1e9) as run, pytest.raises(Stopped):
        run.watch(Stops(shows=4), every=1)
        replace(recipe, scorer=first)(run)
    climbed(tmp_path, then)
    assert sum(map(len, first.batches)) + sum(map(len, then.batches)) == STEPS * 8


def test_in_order_of_arrival_a_resumed_climb_learns_from_every_turn_once(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        climbed(tmp_path, Asked(), shows=3, climb__ahead_order="arrival")
    seen = climbed(tmp_path, Asked(), climb__ahead_order="arrival")
    assert [line["step"] for line in seen] == list(range(STEPS))
    assert [int(path.stem) for path in shards(tmp_path / "records" / "rollouts")] == list(
        range(STEPS)
    )


# -- faults


def test_an_error_behind_the_scenes_comes_out_of_its_own_step_and_what_was_paid_is_kept(
    tmp_path: Path,
) -> None:
    def spent(number: int) -> None:
        if number == 3:
            raise BudgetSpent("budget 1.0: spent 1.0")

    first = Asked(before=spent)
    with pytest.raises(BudgetSpent, match="budget 1.0"):
        climbed(tmp_path, first)
    assert [line["step"] for line in metrics(tmp_path)] == [0, 1, 2]
    paid = len(shards(tmp_path / "records" / "rollouts"))
    assert paid >= 3
    then = Asked()
    climbed(tmp_path, then)
    assert len(then.batches) == STEPS - paid
    climbed(tmp_path / "whole", Asked())
    assert left(tmp_path)[:2] == left(tmp_path / "whole")[:2]


HANGS = """
import sys, time
from dataclasses import dataclass, replace
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tiny import tiny
from solon.run.run import Run
class Hangs:
    asked = 0
    def open(self, run): return self
    def __call__(self, completions):
        Hangs.asked += 1
        if Hangs.asked > 2:
            print("hangs", flush=True)
            time.sleep(1000)
        return [1.0] * len(completions)
recipe, _ = tiny("direct", climb__ahead="2")
with Run(Path(sys.argv[1])) as run:
    replace(recipe, scorer=Hangs())(run)
"""


def test_an_interrupt_ends_the_process_though_a_reward_hangs(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HANGS, str(tmp_path), str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hangs\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode in (-signal.SIGINT, 130, 1)
    assert "KeyboardInterrupt" in said
    assert "Fatal" not in said


@dataclass(frozen=True)
class Two(Alone):
    count: int = 2


def test_several_processes_are_refused(tmp_path: Path) -> None:
    recipe, _ = tiny("direct", **AHEAD)
    with Run(tmp_path) as run:
        run.ranks = Two()
        policy = recipe.policy.open(run)
        with pytest.raises(SettingError, match="expected 0 in a run of 2 processes, .* got 2"):
            recipe.climb(run, policy, Asked(), recipe.prompts.open(run), anchor=policy.freeze())


# -- a learner that is sampled elsewhere


class Away(LocalPolicy):
    """A learner whose samples are drawn by a copy of its weights, behind the scenes."""

    elsewhere = True
    threads: ClassVar[set[str]] = set()

    def begin_sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> Future[list[Group]]:
        copy = self.freeze()

        def draw() -> list[Group]:
            self.threads.add(threading.current_thread().name)
            time.sleep(0.01)
            return copy.sample(prompts, n=n)

        return begin(draw, name="away")


def climbed_by(folder: Path, *, away: bool) -> list[Any]:
    """The rollouts of a climb alone, sampled here or elsewhere."""
    recipe, _ = tiny("direct", **AHEAD)
    with Run(folder, seed=3, checkpoint_seconds=0.0) as run, run.stage("climb"):
        policy = recipe.policy.open(run)
        anchor = policy.freeze()
        if away:
            policy = Away(name=policy.name, voice=policy.voice, optimiser=policy.optimiser)
        recipe.climb(run, policy, Asked(), recipe.prompts.open(run), anchor=anchor)
    assert [line["staleness"] for line in metrics(folder)] == [0, 1, 2, 2, 2, 2]
    return read_records(folder / "records" / "rollouts")


def test_what_answers_elsewhere_is_sampled_behind_the_scenes_and_says_the_same(
    tmp_path: Path,
) -> None:
    here, there = (climbed_by(tmp_path / str(away), away=away) for away in (False, True))
    assert here == there
    assert Away.threads == {"away"}


@pytest.mark.parametrize("cut", ["top_p=0.7", "top_k=4", "temperature=0"])
def test_a_climb_refuses_samples_of_a_part_of_the_distribution(cut: str, tmp_path: Path) -> None:
    name, value = cut.split("=")
    recipe, _ = tiny("direct", **{f"policy__{name}": value})
    asked = Asked()
    with Run(tmp_path) as run, pytest.raises(SettingError, match=f"{cut}: expected samples of the"):
        replace(recipe, scorer=asked)(run)
    assert not asked.batches
