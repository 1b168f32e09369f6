"""The world of hidden passages: what it draws, and what each dial of it does."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from solon.errors import SettingError
from solon.lab.passages import CLUE, DENIAL, FACTS, Line, Passages, lines

STORIES = Passages().drawn(150, seed=500)


@cache
def whose(world: Passages, n: int = 300) -> dict[bool, list[tuple[Line, bool]]]:
    """Facts of the right and of the wrong answer, and whether each was taken back."""
    found: dict[bool, list[tuple[Line, bool]]] = {True: [], False: []}
    for story in world.drawn(n, seed=501):
        every = lines(story.source)
        right = story.first if story.right == "first" else story.second
        for line in every:
            if line.kind in FACTS:
                found[line.who == right].append((line, line.denial in every))
    return found


def weight(world: Passages, right: bool) -> float:
    return float(np.mean([line.weight for line, _ in whose(world)[right]]))


def back(world: Passages, right: bool) -> float:
    return float(np.mean([denied for _, denied in whose(world)[right]]))


def test_every_sentence_is_read_back_and_says_what_was_drawn() -> None:
    for story in STORIES[:20]:
        sentences = [one.strip() for one in story.source.split(" .") if one.strip()]
        read = [Line.read(one) for one in sentences[2:]]
        assert None not in read
        assert [line.sentence for line in read if line] == sentences[2:]
        kinds = [line.kind for line in read if line]
        assert sum(kind in FACTS for kind in kinds) == 32
        assert kinds.count(CLUE) == 16
        first_denial = kinds.index(DENIAL)
        assert set(kinds[first_denial:]) == {DENIAL}
        denied = [line for line in read if line and line.kind == DENIAL]
        assert all(
            sum(fact.denial == one and fact.kind in FACTS for fact in read if fact) == 1
            for one in denied
        )


def test_stories_follow_from_the_seed_and_the_right_answer_stands_at_either_side() -> None:
    assert Passages().drawn(5, seed=500) == STORIES[:5]
    assert Passages().drawn(5, seed=502) != STORIES[:5]
    share = np.mean([one.right == "first" for one in Passages().drawn(400, seed=1)])
    assert 0.42 < share < 0.58


def test_the_wrong_answer_is_weaker_and_more_often_refuted_by_as_much_as_the_dials_say() -> None:
    expected = {
        sign: float(np.average(np.arange(1, 6) / 2, weights=np.exp(sign * 0.1 * np.arange(1, 6))))
        for sign in (1, -1)
    }
    assert weight(Passages(), True) == pytest.approx(expected[1], abs=0.03)
    assert weight(Passages(), False) == pytest.approx(expected[-1], abs=0.03)
    assert back(Passages(), True) == pytest.approx(0.1, abs=0.02)
    assert back(Passages(), False) == pytest.approx(0.7, abs=0.02)


def test_each_dial_makes_its_own_part_of_the_asymmetry() -> None:
    none = Passages(asymmetry=0.0)
    assert weight(none, True) == pytest.approx(weight(none, False), abs=0.05)
    assert back(none, True) == pytest.approx(back(none, False), abs=0.03)
    assert back(none, True) == pytest.approx(0.4, abs=0.02)
    edge, gap = Passages(gap=0.0), Passages(edge=0.0)
    assert weight(edge, True) > weight(edge, False) + 0.1
    assert back(edge, True) == pytest.approx(back(edge, False), abs=0.03)
    assert weight(gap, True) == pytest.approx(weight(gap, False), abs=0.05)
    assert back(gap, False) > back(gap, True) + 0.5


def test_weaker_in_expectation_is_not_weaker_always() -> None:
    stronger = 0
    for story in STORIES:
        right = story.first if story.right == "first" else story.second
        facts = [line for line in lines(story.source) if line.kind in FACTS]
        lead = sum(line.weight * (1 if line.who == right else -1) for line in facts)
        stronger += lead < 0
    assert 10 < stronger < 75


@pytest.mark.parametrize("asymmetry", [0.0, 1.0])
def test_clues_point_at_the_truth_by_their_weight_whatever_the_asymmetry(asymmetry: float) -> None:
    world, hits = Passages(asymmetry=asymmetry), []
    for story in world.drawn(200, seed=503):
        right = story.first if story.right == "first" else story.second
        hits += [line.who == right for line in lines(story.source) if line.kind == CLUE]
    assert np.mean(hits) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.025)


@pytest.mark.parametrize(
    "wrong", [{"asymmetry": 1.5}, {"taken_back": 0.2}, {"gap": 0.9}, {"facts": 17}, {"clues": -1}]
)
def test_a_world_that_cannot_be_drawn_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        Passages(**wrong)  # pyright: ignore[reportArgumentType]
