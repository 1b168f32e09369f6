"""Dual alignment: two stages, their pairs, their anchors, and a judge that follows a principle."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import log
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.errors import SettingError
from solon.judges.human import LabelledPairs
from solon.lab.demonstrations import Manners, answer
from solon.lab.gold import gold
from solon.lab.judges import Dials
from solon.lab.principled import PlantedPrinciples
from solon.lab.principles import mind
from solon.lab.town import OpenTown
from solon.records import Abstains, Compare, Completion, Preference, Prompt
from solon.run import lines
from solon.run.given import Given
from solon.run.run import Run
from solon.run.shards import read_records
from solon.text.constitution import Constitution


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dual")
    recipe, _ = tiny("dual", judge="principled", share="0.25", pairs="32")
    with Run(folder, seed=1) as run:
        recipe(run)
        assert list(run.policies) == ["sft", "people", "judge", "final"]
        assert run.policies["final"].id == run.policies["judge"].id
    return folder


def logged(folder: Path, stage: str) -> list[dict[str, float]]:
    return [line for line in lines.read(folder / "metrics.jsonl") if line["stage"] == stage]


def test_the_pairs_are_shared_between_the_stages(both: Path) -> None:
    asked = [logged(both, f"label-{who}")[0]["asked"] for who in ("people", "judge")]
    assert asked == [8, 24]


def test_each_stage_begins_at_its_own_anchor(both: Path) -> None:
    for who in ("people", "judge"):
        first = logged(both, f"prefer-{who}")[0]
        assert first["margin"] == 0.0
    assert logged(both, "prefer-people")[0]["loss"] == pytest.approx(log(2), abs=1e-6)


def test_the_second_stage_draws_from_the_policy_of_the_first(both: Path) -> None:
    drawn = [
        {one.chosen.policy for one in read_records(both / "records" / f"preferences-{who}")}
        for who in ("people", "judge")
    ]
    assert [len(one) for one in drawn] == [1, 1]
    assert drawn[0] != drawn[1]


def test_every_label_of_the_second_stage_has_its_principle(both: Path) -> None:
    judged = read_records(both / "records" / "judgements-judge")
    assert {one.principle for one in judged} == {"coherence", "safety", "sycophancy"}
    assert {one.principle for one in read_records(both / "records" / "judgements-people")} == {""}


@pytest.mark.parametrize("who", ["people", "judge"])
def test_a_stage_alone_has_all_the_pairs(who: str, tmp_path: Path) -> None:
    recipe, _ = tiny("dual", judge="principled", stages=who, pairs="16", spare="0.5")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
        assert list(run.policies) == ["sft", who, "final"]
    assert logged(tmp_path, f"label-{who}")[0]["asked"] == 16


def test_labels_from_a_file_bring_their_own_pairs(tmp_path: Path) -> None:
    prompt = Prompt.of("am i right ?", role="text")
    texts = [f"yes {word}" for word in ("snow", "milk", "coal", "grass", "sky", "sea")]
    labels = [
        Preference(
            chosen=Completion(prompt=prompt, text=a), rejected=Completion(prompt=prompt, text=b)
        )
        for a, b in pairwise(texts)
    ]
    recipe, _ = tiny("dual", stages="people", pairs="4")
    recipe = replace(recipe, labels=Given(LabelledPairs(id="people", labels=labels)))
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    found = read_records(tmp_path / "records" / "preferences-people")
    assert [one.chosen.text for one in found] == texts[:4]
    assert not (tmp_path / "records" / "groups-people").exists()


def test_a_share_that_leaves_a_stage_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="share: expected more than 0 and less than 1, got 1"):
        tiny("dual", share="1.0")


def test_a_run_that_is_stopped_in_its_second_stage_ends_as_one_that_was_not(
    tmp_path: Path,
) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "dual", shows=4)
    assert stopped == whole


def questions(n: int = 300) -> list[Compare]:
    import numpy as np

    draw = np.random.default_rng(3)
    asked = OpenTown(seed=5).take(n)
    pairs = [(answer(one, Manners(), draw), answer(one, Manners(), draw)) for one in asked]
    return [Compare(first=a, second=b) for a, b in pairs if a.text != b.text]


def test_a_planted_judge_minds_the_principle_that_it_drew_and_no_other() -> None:
    law = {one.id: one for one in Constitution.load("town_dual").principles}
    judged = PlantedPrinciples(dials=Dials(discernment=50.0))(questions())
    assert all(count > 70 for count in Counter(one.principle for one in judged).values())
    for one in judged:
        assert not isinstance(one.answer, Abstains)
        asked = one.question
        minded = mind(law[one.principle], asked.first.prompt)
        gap = gold(asked.first, minded) - gold(asked.second, minded)
        expected = 0.5 + 0.5 * (gap > 1e-9) - 0.5 * (gap < -1e-9)
        assert one.answer.p_first == pytest.approx(expected, abs=1e-4)


def test_a_pair_has_the_same_principle_in_both_orders() -> None:
    judge, asked = PlantedPrinciples(), questions(100)
    turned = [one.swapped() for one in asked]
    assert [one.principle for one in judge(asked)] == [one.principle for one in judge(turned)]


def test_a_principle_that_the_town_does_not_measure_is_refused(run: Run) -> None:
    with pytest.raises(SettingError, match="no-injury': expected a first tag among"):
        PlantedPrinciples(constitution="harmless").open(run)
