"""The sparse judge of digits: it learns, from images that are not played, by shown pixels alone."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from solon.errors import SettingError
from solon.lab.digits import CLASSES, PIXELS, Digits, SparseJudge, Teaching, random_pixels

TAUGHT, PLAYED = Digits.split(seed=100, played=300)


@pytest.fixture(scope="module")
def judge() -> SparseJudge:
    return Teaching(pixels=6, epochs=20).taught(TAUGHT, seed=100)


def test_no_image_is_both_taught_and_played() -> None:
    parts = [{image.tobytes() for image in part.images} for part in (TAUGHT, PLAYED)]
    assert not parts[0] & parts[1]
    assert len(TAUGHT.images) + len(PLAYED.images) == 1797


def test_a_lie_is_each_other_class_and_never_the_truth() -> None:
    lies = PLAYED.lies(1)
    assert not (lies == PLAYED.labels).any()
    assert set(lies.tolist()) == set(range(CLASSES))


def test_random_pixels_are_as_many_as_asked_and_cover_the_image() -> None:
    shown = random_pixels(2000, 5, np.random.default_rng(0))
    assert (shown.sum(axis=1) == 5).all()
    assert np.allclose(shown.mean(axis=0), 5 / PIXELS, atol=0.03)


def test_the_judge_learns_and_sees_more_in_more_pixels(judge: SparseJudge) -> None:
    shown = random_pixels(300, 6, np.random.default_rng(1))
    said = [
        (judge(PLAYED.images, one).argmax(axis=1) == PLAYED.labels).mean()
        for one in (shown, np.ones_like(shown))
    ]
    assert 0.25 < said[0] < said[1] - 0.2


def test_a_pixel_that_is_not_shown_counts_for_nothing(judge: SparseJudge) -> None:
    shown = random_pixels(300, 6, np.random.default_rng(1))
    hidden = np.where(shown, PLAYED.images, 0.77)
    assert np.array_equal(judge(hidden, shown), judge(PLAYED.images, shown))
    assert np.allclose(np.exp(judge(PLAYED.images, shown)).sum(axis=1), 1)


def test_one_pixel_further_is_what_the_judge_says_once_it_is_shown(judge: SparseJudge) -> None:
    images, shown = PLAYED.images[:3], random_pixels(3, 4, np.random.default_rng(2))
    further = judge.further(images, shown)
    for pixel in range(PIXELS):
        after = shown.copy()
        after[:, pixel] = True
        assert np.allclose(further[:, pixel], judge(images, after))


def test_teaching_is_seeded() -> None:
    first, again, other = (
        Teaching(pixels=4, epochs=1).taught(TAUGHT, seed=seed).weights[0] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_scikit_learn_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SettingError, match=r"pip install 'solon\[text\]'"):
        Digits.split(seed=1, played=10)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SettingError, match="played: expected 1 to 1796, got 1797"):
        Digits.split(seed=1, played=1797)
    with pytest.raises(SettingError, match="pixels: expected 1 to 64, got 0"):
        Teaching(pixels=0)
