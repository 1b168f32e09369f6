"""A course is the same size whatever its order, and keeps to its order."""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given

from solon.errors import SettingError
from solon.records import Completion, Preference, Prompt
from solon.stages.course import DIFFICULTIES, PER_PROMPT, Course, Graded

STAGES = st.lists(st.sampled_from(DIFFICULTIES), min_size=1, unique=True).map(tuple)
ORDERED = st.builds(
    Course,
    pairs=st.integers(8, 90),
    stages=STAGES,
    order=st.sampled_from(("easy_to_hard", "reversed")),
    replay=st.floats(0, 0.5),
)
SHUFFLED = st.builds(Course, pairs=st.integers(8, 90), stages=STAGES, order=st.just("shuffled"))


def pair(name: str, number: int) -> Preference:
    prompt = Prompt.of(f"{name} {number}")
    good, bad = (Completion(prompt=prompt, text=text) for text in ("good", "bad"))
    return Preference(chosen=good, rejected=bad, source=name)


def graded(course: Course) -> Graded:
    return {name: [pair(name, i) for i in range(n)] for name, n in course.fresh.items()}


def names(data: list[Preference]) -> list[str]:
    return [one.source for one in data]


@given(st.one_of(ORDERED, SHUFFLED))
def test_every_course_has_the_same_number_of_pairs(course: Course) -> None:
    found = course.arranged(graded(course), seed=3)
    assert len(found) == course.pairs == sum(course.places.values())
    assert set(found) == {one for of in graded(course).values() for one in of}
    for name, n in course.fresh.items():
        assert n <= course.prompts * PER_PROMPT[name]


@given(ORDERED)
def test_no_stage_begins_before_the_one_before_has_ended(course: Course) -> None:
    found = course.arranged(graded(course), seed=3)
    start = 0
    for turn, (name, size) in enumerate(course.places.items()):
        part = names(found[start : start + size])
        assert set(part) <= set(course.sequence[: turn + 1])
        assert part.count(name) == course.fresh[name]
        start += size


def test_the_stages_are_shuffled_within_and_medium_pairs_stay_widest_first() -> None:
    course = Course(pairs=80)
    data = graded(course)
    found = course.arranged(data, seed=1)
    assert names(found) == ["easy"] * 20 + ["medium"] * 40 + ["hard"] * 20
    assert found[:20] != data["easy"]
    assert found[20:60] == data["medium"]
    assert found[60:] != data["hard"]
    assert course.arranged(data, seed=1) == found
    assert course.arranged(data, seed=2) != found


def test_reversed_ends_with_the_widest_gap_and_the_easy_pairs() -> None:
    course = Course(pairs=80, order="reversed", stages=("easy", "medium", "hard"))
    data = graded(course)
    found = course.arranged(data, seed=1)
    assert names(found) == ["hard"] * 20 + ["medium"] * 40 + ["easy"] * 20
    assert found[20:60] == data["medium"][::-1]


def test_shuffled_mixes_the_stages() -> None:
    course = Course(pairs=80, order="shuffled")
    found = names(course.arranged(graded(course), seed=1))
    assert Counter(found) == {"easy": 20, "medium": 40, "hard": 20}
    assert len(set(found[:20])) == 3


def test_replay_takes_places_of_later_stages_and_none_of_the_first() -> None:
    course = Course(pairs=80, replay=0.25)
    assert course.fresh == {"easy": 20, "medium": 30, "hard": 15}
    found = course.arranged(graded(course), seed=1)
    assert Counter(names(found[20:60])) == {"medium": 30, "easy": 10}
    again = Counter(Counter(found).values())
    assert again[1] + 2 * again[2] + 3 * again[3] == 80
    assert again[2] + again[3] > 0


def test_pairs_of_one_difficulty_alone_fill_every_place() -> None:
    assert Course(pairs=50, stages=("hard",)).fresh == {"hard": 50}
    assert Course(pairs=50, stages=("hard", "easy")).fresh == {"easy": 25, "hard": 25}
    assert Course(pairs=51, stages=("medium",)).prompts == 26


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stages": ()}, "some difficulties"),
        ({"stages": ("easy", "easy")}, "some difficulties"),
        ({"pairs": 2}, "one a stage"),
        ({"replay": 1.0}, "below 1"),
        ({"replay": 0.1, "order": "shuffled"}, "no earlier stage"),
    ],
)
def test_a_course_that_cannot_be_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        Course(**changes)  # type: ignore[arg-type]


def test_replay_takes_no_more_than_was_met() -> None:
    course = Course(pairs=62, replay=0.5)
    assert course.places == {"easy": 15, "medium": 31, "hard": 16}
    assert course.fresh == {"easy": 15, "medium": 16, "hard": 8}  # half of 31 is more than 15
    assert len(course.arranged(graded(course), seed=3)) == 62
