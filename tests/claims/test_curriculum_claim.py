"""The arms of the curriculum's claim are of equal size, and its slices are in gold's order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solon.claims.curriculum_generalises import (
    OTHERS,
    CurriculumGeneralises,
    gold_order,
    ordered,
    peoples,
)
from solon.lab.demonstrations import PERFECT, answer
from solon.lab.gold import gold
from solon.lab.town import OpenTown
from solon.records import Compare, Preference

PROMPTS = OpenTown(seed=2).take(60, split="test")


def test_every_arm_makes_as_many_updates_and_equal_calls_are_the_curriculums() -> None:
    claim = CurriculumGeneralises()
    courses = claim.courses()
    assert set(courses) == {"curriculum", *OTHERS}
    met = {name: course.pairs * passes for name, (course, passes) in courses.items()}
    assert set(met.values()) == {claim.pairs}
    calls = {name: course.fresh.get("hard", 0) for name, (course, _) in courses.items()}
    assert calls["calls"] == calls["curriculum"] == calls["shuffled"] == claim.pairs // 4
    assert (calls["random"], calls["contrastive"]) == (claim.pairs, 0)


def test_the_slices_leave_ties_out_and_choose_the_higher_gold() -> None:
    asked = peoples(PROMPTS, 1)
    even = Compare(first=asked[0].first, second=asked[0].first)
    data = ordered([*asked, even])
    assert 20 < len(data) <= len(asked) < 60
    assert min(gold(one.chosen) - gold(one.rejected) for one in data) > 1e-9


def test_labels_are_right_by_golds_order_and_a_tie_counts_neither_way() -> None:
    pen = np.random.default_rng(0)
    good = [answer(one, PERFECT, pen) for one in PROMPTS[:3]]
    bad = [replace(one, text="sorry .") for one in good]
    right = [Preference(chosen=a, rejected=b) for a, b in zip(good, bad, strict=True)]
    wrong = Preference(chosen=bad[0], rejected=good[0])
    tie = Preference(chosen=bad[1], rejected=bad[1])
    assert gold_order([*right, wrong, tie]) == [1.0, 1.0, 1.0, 0.0]


def test_a_contrast_is_the_mean_over_seeds_of_differences_within_a_seed() -> None:
    claim = CurriculumGeneralises()
    measures = ("easy", "medium", "hard", "people", "style", "gold")
    column = {
        f"{name}/{what}": np.array([0.5, 0.6, 0.7, 0.8, 0.9])
        for name in ("curriculum", *OTHERS)
        for what in measures
    }
    column["random/hard"] = column["random/hard"] - np.array([0.1, 0.1, 0.1, 0.1, 0.2])
    column["contrastive/gold"] = column["contrastive/gold"][::-1]
    said = {one.says: one for one in claim.predictions(column)}
    found = said["curriculum less random pairs alone, equal pairs, accuracy on random pairs"]
    assert found.finding.estimate == pytest.approx(0.12)
    assert (found.verdict, found.finding.n) == ("holds", 5)
    other = said["curriculum less contrastive pairs alone, gold of the best of 16"]
    assert (other.verdict, other.finding.estimate) == ("inconclusive", pytest.approx(0.0))
    assert len(said) == 16
