"""Prediction-powered means: by hand, by simulation, and equal to the plain mean at weight 0."""

from __future__ import annotations

import numpy as np
import pytest

from solon.errors import InputError
from solon.statistics import mean
from solon.statistics.powered import powered


def test_the_estimate_by_hand() -> None:
    labels, judged = np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 1.0])
    found = powered(labels, judged, np.array([1.0, 0.0]), weight=1.0)
    # people say 2/3 where the judge says 1: it is 1/3 too high, and says 1/2 of the others
    assert found.interval.estimate == pytest.approx(2 / 3 - (1 - 0.5))
    assert found.interval.n == 5


def test_weight_0_is_the_mean_of_the_labels() -> None:
    draw = np.random.default_rng(0)
    labels, judged, rest = draw.random(40), draw.random(40), draw.random(400)
    found, plain = powered(labels, judged, rest, weight=0.0).interval, mean(labels)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (plain.estimate, plain.low, plain.high)
    )


def test_a_judge_that_says_nothing_gets_no_weight_and_a_perfect_one_nearly_all() -> None:
    draw = np.random.default_rng(1)
    labels = (draw.random(400) < 0.6).astype(float)
    noise, rest = draw.random(400), draw.random(4000)
    assert powered(labels, noise, rest).weight < 0.1
    truth = (draw.random(4000) < 0.6).astype(float)
    assert powered(labels, labels, truth).weight == pytest.approx(1 / 1.1, abs=0.03)
    assert powered(labels, np.full(400, 0.5), np.full(9, 0.5)).weight == 0.0


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_cover_where_the_judges_own_do_not(clustered: bool) -> None:
    draw = np.random.default_rng(2)
    covered, narrower, judge_alone = 0, 0, 0
    for _ in range(400):
        truth = (draw.random(660) < 0.55).astype(float)
        said = np.clip(0.25 + 0.5 * truth + 0.15 + 0.15 * draw.normal(size=660), 0, 1)
        if clustered:  # each row stands twice
            truth, said = np.repeat(truth, 2), np.repeat(said, 2)
        n = len(truth) // 11
        names = [str(k // 2) for k in range(len(truth))] if clustered else None
        found = powered(truth[:n], said[:n], said[n:], clusters=names).interval
        alone = mean(truth[:n], names[:n] if names else None)
        covered += found.low <= 0.55 <= found.high
        narrower += found.high - found.low < alone.high - alone.low
        judge = mean(said, names)
        judge_alone += judge.low <= 0.55 <= judge.high
    assert 368 <= covered <= 392  # 380 of 400, three deviations either way
    assert narrower > 390
    assert judge_alone < 40


def test_too_few_rows_are_refused() -> None:
    one = np.array([1.0])
    with pytest.raises(InputError, match="expected two or more labelled rows"):
        powered(one, one, one)
    with pytest.raises(InputError, match="got 2, 2 and 0"):
        powered(np.ones(2), np.ones(2), np.ones(0))
