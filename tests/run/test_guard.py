"""Alarms: each rule rings where it should and nowhere else, and a stop survives a kill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from solon.errors import SettingError
from solon.records import Group, Prompt
from solon.run import lines
from solon.run.guard import Alarm, Guard, slope_range
from solon.run.run import Run

CALM = {"kl": 1.0, "entropy": 2.0, "length": 40.0, "eos_rate": 1.0, "reward": 0.0}


def rung(guard: Guard, looks: Sequence[Mapping[str, float]]) -> list[str]:
    return [alarm.series for alarm in guard.alarms(looks)]


@pytest.mark.parametrize(
    ("series", "beyond", "within"),
    [
        ("kl", 30.1, 29.9),
        ("entropy", 0.19, 0.21),  # of 2.0, a tenth
        ("length", 81.0, 79.0),
        ("length", 19.0, 21.0),
        ("eos_rate", 0.49, 0.51),
        ("drift", 2.1, 1.9),
        ("disagreement", 2.1, 1.9),
    ],
)
def test_a_level_rings_beyond_its_limit_and_not_within(
    series: str, beyond: float, within: float
) -> None:
    for value, expected in ((beyond, [series]), (within, [])):
        looks = [CALM, *[{**CALM, series: value}] * 3]
        assert rung(Guard(), looks) == expected


def test_patience_counts_looks_in_a_row_that_have_the_series() -> None:
    high, low, blind = {"kl": 1.0, "drift": 3.0}, {"kl": 1.0, "drift": 0.1}, {"kl": 1.0}
    assert rung(Guard(), [high, high]) == []
    assert rung(Guard(), [high, high, low, high]) == []
    assert rung(Guard(), [high, blind, high, blind, high]) == ["drift"]
    assert rung(Guard(patience=1), [low, high]) == ["drift"]


def test_a_rule_is_silent_at_a_look_without_its_series() -> None:
    assert rung(Guard(), [{"kl": 1.0, "drift": 3.0}] * 3 + [{"kl": 1.0}]) == []


def test_a_number_that_is_none_rings() -> None:
    assert rung(Guard(), [{**CALM, "kl": float("nan")}] * 3) == ["kl"]


def test_imitation_has_no_anchor_and_never_rings() -> None:
    assert rung(Guard(), [{"length": 10.0}] + [{"length": 90.0}] * 5) == []


def test_a_policy_that_no_anchor_holds_rings_as_well() -> None:
    """With a KL coefficient of 0 no anchor is asked, and no ``kl`` is logged."""
    free = {name: value for name, value in CALM.items() if name != "kl"}
    assert rung(Guard(), [free, *[{**free, "eos_rate": 0.1, "length": 99.0}] * 3]) == [
        "length",
        "eos_rate",
    ]
    falls = [{**free, "reward": x, "held_out": -x} for x in range(8)]
    assert rung(Guard(), falls) == []  # its rule is in sqrt(kl)


def test_off_and_infinite_limits_are_silent() -> None:
    wild = [CALM, *[{**CALM, "kl": 99.0}] * 3]
    assert rung(Guard(mode="off"), wild) == []
    assert rung(Guard(kl=inf), wild) == []


def test_a_held_out_judge_that_falls_while_the_reward_rises_rings_and_may_stop() -> None:
    d = np.linspace(0.5, 3.0, 8)
    fall = [{"kl": x * x, "reward": x, "held_out": 0.8 - 0.1 * x, "gold": -0.1 * x} for x in d]
    held, gold = Guard().alarms(fall)
    assert (held.series, held.stops) == ("held_out", True)
    assert (gold.series, gold.stops) == ("gold", False)
    assert held.value == pytest.approx(-0.1)
    rise = [{**look, "held_out": look["reward"], "gold": look["reward"]} for look in fall]
    assert Guard().alarms(rise) == []
    spent = [{**look, "reward": -look["reward"]} for look in fall]
    assert Guard().alarms(spent) == []  # a reward that falls as well was not hacked
    assert Guard().alarms(fall[:5]) == []


def test_a_flat_noisy_judge_seldom_rings() -> None:
    """At one look; a one-sided 5 % interval asks no more."""
    draw, d = np.random.default_rng(3), np.linspace(0.5, 3.0, 6)
    rings = 0
    for _ in range(400):
        flat = draw.normal(size=6)
        looks = [{"kl": x * x, "reward": x, "held_out": y} for x, y in zip(d, flat, strict=True)]
        rings += bool(Guard().alarms(looks))
    assert 6 <= rings <= 34  # 20 expected, four deviations either way


def test_the_slopes_interval_is_students() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 1.0, 2.0])
    # slope 0.6, residual sum of squares 0.2, so its error is sqrt(0.2 / 2 / 5); t(0.95, 2) = 2.920
    low, high = slope_range(x, y)
    assert (low + high) / 2 == pytest.approx(0.6)
    assert (high - low) / 2 == pytest.approx(2.91999 * np.sqrt(0.02), rel=1e-5)


def test_a_rule_that_cannot_work_is_refused() -> None:
    with pytest.raises(SettingError, match="patience: expected at least 1 look, got 0"):
        Guard(patience=0)
    with pytest.raises(SettingError, match="trend: expected at least 4 looks, got 3"):
        Guard(trend=3)


@dataclass
class Weights:
    """A policy and learner whose whole state is a number."""

    value: int = 0
    id: str = "weights@0"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        raise AssertionError("a guard reads what was measured and never asks the policy")

    def save_state(self, folder: Path) -> None:
        (folder / "value").write_text(str(self.value))

    def load_state(self, folder: Path) -> None:
        self.value = int((folder / "value").read_text())


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def climb(folder: Path, guard: Guard, *, kill_at: int = -1, every: float = 0.0) -> Weights:
    policy = Weights()
    with Run(folder, checkpoint_seconds=every) as run, run.stage("climb"):
        run.guard(guard)
        run.watch(lambda step, _: {"drift": float(step)}, every=2)
        for step, _ in run.steps(range(20), policy):
            policy.value += 1
            run.log(step, kl=float(step))
            run.show(step, policy)
            if step == kill_at:
                raise Killed
    return policy


STRICT = Guard(mode="stop", kl=7.5, drift=inf, patience=2)


def test_a_stop_ends_the_loop_with_its_weights_and_says_when_and_why(tmp_path: Path) -> None:
    assert climb(tmp_path, STRICT).value == 10  # kl is above 7.5 at steps 8 and 9
    [alarm] = lines.read(tmp_path / "alarms.jsonl")
    assert (alarm["stage"], alarm["step"], alarm["series"]) == ("climb", 9, "kl")
    assert alarm["stops"] is True
    assert alarm["says"] == "9 nats, above 7.5"
    [note] = lines.read(tmp_path / "notes.jsonl")
    assert note["note"] == ("alarm at step 9: kl 9 nats, above 7.5; the guard ends this loop here")


def test_a_flag_tells_once_and_goes_on(tmp_path: Path) -> None:
    assert climb(tmp_path, replace(STRICT, mode="flag")).value == 20
    [alarm] = lines.read(tmp_path / "alarms.jsonl")
    assert (alarm["step"], alarm["stops"]) == (9, False)


def test_what_was_stopped_stays_stopped(tmp_path: Path) -> None:
    climb(tmp_path, STRICT)
    assert climb(tmp_path, STRICT).value == 10
    assert len(lines.read(tmp_path / "alarms.jsonl")) == 1
    assert len(lines.read(tmp_path / "metrics.jsonl")) == 10


@pytest.mark.parametrize("kill_at", [3, 8, 9])
@pytest.mark.parametrize("every", [0.0, 1e9])
def test_a_kill_changes_neither_the_stop_nor_the_alarm(
    tmp_path: Path, kill_at: int, every: float
) -> None:
    """At step 9 the alarm is written and the checkpoint is not: the step is made again."""
    with pytest.raises(Killed):
        climb(tmp_path, STRICT, kill_at=kill_at, every=every)
    assert climb(tmp_path, STRICT).value == 10
    [alarm] = lines.read(tmp_path / "alarms.jsonl")
    assert alarm["step"] == 9


def test_watched_series_ring_by_their_own_looks(tmp_path: Path) -> None:
    climb(tmp_path, Guard(mode="flag", drift=9.0, kl=inf, patience=2))
    [alarm] = lines.read(tmp_path / "alarms.jsonl")
    assert (alarm["series"], alarm["step"]) == ("drift", 12)  # looks at 10 and 12


def test_an_alarm_is_a_value() -> None:
    looks = [CALM, *[{**CALM, "kl": 31.2}] * 3]
    assert Guard().alarms(looks) == [
        Alarm(series="kl", value=31.2, limit=30.0, says="31.2 nats, above 30", stops=True)
    ]
