"""Self-play: whom a round plays against, what it learns from, and what is cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.errors import SettingError
from solon.recipes.spin import against, beginning, told
from solon.records import Completion, Preference, Prompt
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records

PROMPT = Prompt.of("Why?")


@dataclass(frozen=True)
class Weighs:
    """A scorer whose tokens are pairs of letters, and whose word on each text is given."""

    logps: dict[str, float]

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        return [-(-len(one.text) // 2) + (one.finish == "stop") for one in completions]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        return [self.logps[one.text] for one in completions]


def said(text: str) -> Completion:
    return Completion(prompt=PROMPT, text=text, tokens=(7,))


def pair(real: str, own: str) -> Preference:
    return against(said(real), said(own))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spin")
    recipe, _ = tiny("spin", iterations="3", policy__max_new_tokens="6", rates="1,0.5")
    with Run(folder, seed=1) as run:
        recipe(run)
        assert list(run.policies) == ["sft", "m0", "m1", "m2", "final"]
    return folder


def logged(folder: Path, stage: str) -> list[dict[str, float]]:
    return [line for line in lines.read(folder / "metrics.jsonl") if line["stage"] == stage]


def test_every_round_begins_at_log_two_because_opponent_and_anchor_are_the_policy_itself(
    played: Path,
) -> None:
    for turn in range(3):
        first = logged(played, f"prefer-{turn}")[0]
        assert first["loss"] == pytest.approx(math.log(2), abs=1e-6)
        assert first["margin"] == 0.0


def test_the_opponent_is_the_policy_of_the_round_before(played: Path) -> None:
    versions = [
        {one.rejected.policy for one in read_records(played / "records" / f"preferences-{turn}")}
        for turn in range(3)
    ]
    assert [len(found) for found in versions] == [1, 1, 1]
    numbers = [int(found.pop().partition("@")[2]) for found in versions]
    updates = [len(logged(played, f"prefer-{turn}")) for turn in range(3)]
    assert [b - a for a, b in pairwise(numbers)] == updates[:-1]


def test_the_data_is_always_chosen_and_the_pairs_of_the_round_before_stay(played: Path) -> None:
    for turn in range(3):
        data = read_records(played / "records" / f"preferences-{turn}")
        assert {one.chosen.policy for one in data} == {"people"}
        assert all(one.p == 1.0 for one in data)
    learnt = [logged(played, f"play-{turn}")[0]["learnt"] for turn in range(3)]
    batches = [len(logged(played, f"prefer-{turn}")) for turn in range(3)]
    alone, both = learnt[0], [learnt[0] + learnt[1], learnt[1] + learnt[2]]
    assert batches == [math.ceil(n / 8) for n in (alone, *both)]


def test_a_later_round_may_learn_more_slowly(played: Path) -> None:
    rates = [logged(played, f"prefer-{turn}")[0]["lr"] for turn in range(3)]
    assert rates[1:] == pytest.approx([rates[0] / 2, rates[0] / 2])


def test_neither_side_is_longer_than_the_opponent_can_be(played: Path) -> None:
    assert logged(played, "cut")[0]["cut"] > 0
    pairs = read_records(played / "records" / "preferences-0")
    cut = [one.chosen for one in pairs if one.chosen.finish == "length"]
    assert cut
    assert {len(one.text.split()) for one in cut} == {6}
    assert max(len(one.chosen.text.split()) for one in pairs) == 6
    whole = [one.chosen for one in pairs if one.chosen.finish == "stop"]
    assert max(len(one.text.split()) for one in whole) == 5  # and the end is the sixth


def test_what_is_cut_keeps_as_much_as_fits_and_loses_its_tokens_and_end() -> None:
    cut = beginning(Weighs({}), said("abc defgh"), 3)
    assert (cut.text, cut.finish, cut.tokens) == ("abc de", "length", ())
    assert beginning(Weighs({}), said("abcd  fgh"), 3).text == "abcd"


def test_equal_texts_are_recorded_and_weigh_nothing() -> None:
    assert pair("yes", "yes").weight == 0.0
    assert pair("yes", "no").weight == 1.0


def test_the_classifier_is_right_wrong_or_even_and_nll_is_of_peoples_completions() -> None:
    policy = Weighs({"good": -1.0, "bad": -3.0, "same": -9.0, "odd": -2.0})
    opponent = Weighs({"good": -2.0, "bad": -2.0, "same": -1.0, "odd": -1.0})
    held = [pair("good", "bad"), pair("odd", "good"), pair("same", "same"), pair("bad", "odd")]
    found = told(policy, opponent, held)
    # margins 1 - -1, -1 - 1, none, -1 - -1
    assert found["told_apart"] == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert found["told_margin"] == pytest.approx((2 - 2 + 0 + 0) / 4)
    assert found["nll"] == pytest.approx((1 + 2 + 9 + 3) / 4)
    assert told(policy, opponent, []) == {}


def test_rates_must_be_given(run: Run) -> None:
    recipe, _ = tiny("spin", rates="")
    with pytest.raises(SettingError, match="rates: expected at least one share"):
        recipe(run)


def test_a_run_that_is_stopped_in_its_second_round_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "spin", shows=5)
    assert stopped == whole
