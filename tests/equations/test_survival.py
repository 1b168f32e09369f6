"""Kaplan and Meier's estimator with Greenwood's variance, against a worked example."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from solon.errors import InputError
from solon.statistics.survival import kaplan_meier

# 6-mercaptopurine against leukaemia (Freireich et al. 1963), weeks of remission
RELAPSED = (6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0)
CENSORED = (6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0)
TIMES = [*RELAPSED, *CENSORED]
ENDED = [True] * len(RELAPSED) + [False] * len(CENSORED)
# time, at risk, events, share, standard error, as textbooks give them
TABLE = [
    (6, 21, 3, 0.857, 0.0764),
    (7, 17, 1, 0.807, 0.0869),
    (10, 15, 1, 0.753, 0.0963),
    (13, 12, 1, 0.690, 0.1068),
    (16, 11, 1, 0.627, 0.1141),
    (22, 7, 1, 0.538, 0.1282),
    (23, 6, 1, 0.448, 0.1346),
]


def test_remission_under_6_mercaptopurine_is_as_in_the_textbooks() -> None:
    found = kaplan_meier(TIMES, ENDED)
    assert [(one.time, one.at_risk, one.events) for one in found] == [row[:3] for row in TABLE]
    for one, (*_, share, error) in zip(found, TABLE, strict=True):
        assert one.share == pytest.approx(share, abs=0.0006)
        assert one.share - one.low == pytest.approx(1.96 * error, abs=0.0005)
        assert one.high == pytest.approx(min(1.0, one.share + 1.96 * error), abs=0.0006)


def test_without_censoring_it_is_the_share_and_the_binomial_variance() -> None:
    [first, second] = kaplan_meier([1] * 30 + [2] * 20 + [3] * 50, [True] * 50 + [False] * 50)
    assert (first.share, second.share) == pytest.approx((0.7, 0.5))
    assert second.high - second.share == pytest.approx(1.96 * sqrt(0.25 / 100), abs=1e-4)


def test_rows_of_one_cluster_are_one_observation() -> None:
    times, ended = [*TIMES * 4], [*ENDED * 4]
    alone = kaplan_meier(TIMES, ENDED)[-1]
    again = kaplan_meier(times, ended, [*range(21)] * 4)[-1]
    assert again.share == pytest.approx(alone.share)
    assert again.high - again.low == pytest.approx(alone.high - alone.low, rel=0.1)
    naive = kaplan_meier(times, ended)[-1]
    assert naive.high - naive.low == pytest.approx((alone.high - alone.low) / 2, rel=0.01)


def test_where_nothing_lasts_the_interval_keeps_a_width() -> None:
    [one] = kaplan_meier([1.0] * 8, [True] * 8)
    assert (one.share, one.low) == (0.0, 0.0)
    assert one.high == pytest.approx(0.324, abs=0.001)


def test_where_nothing_ends_there_is_no_step() -> None:
    assert kaplan_meier([3.0, 4.0], [False, False]) == []


def test_the_interval_covers_the_true_share_nineteen_times_in_twenty() -> None:
    inside = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        flips, watched = rng.geometric(0.2, size=150), rng.integers(1, 6, size=150)
        found = kaplan_meier(np.minimum(flips, watched).tolist(), (flips <= watched).tolist())
        third = next(one for one in found if one.time == 3)
        inside += third.low <= 0.8**3 <= third.high
    assert inside >= 182


def test_times_at_0_and_unequal_lengths_are_refused() -> None:
    for times, ended in (([0.0], [True]), ([1.0, 2.0], [True]), ([], [])):
        with pytest.raises(InputError, match="as many times above 0"):
            kaplan_meier(times, ended)
