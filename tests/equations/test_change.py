"""Changes of paired rows: Student's interval where they vary, a width that is owed where not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from solon.statistics import mean_change, wilson


def test_changes_that_vary_have_students_interval() -> None:
    rows = np.random.default_rng(0).uniform(-1, 1, size=40)
    found = mean_change(rows, confidence=0.995)
    low, high = stats.t.interval(0.995, 39, loc=rows.mean(), scale=stats.sem(rows))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("v", [-1.0, 0.0, 0.25, 1.0])
def test_changes_that_are_all_the_same_leave_room_for_what_was_not_seen(v: float) -> None:
    w = wilson(0, 50).high
    found = mean_change([v] * 50)
    # the share w, all of it at -1 or all of it at 1
    expected = ((1 - w) * v - w, (1 - w) * v + w)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert found.estimate == v


def test_repeating_a_prompt_makes_nothing_surer() -> None:
    once = mean_change([0.0] * 20, [str(k) for k in range(20)])
    thrice = mean_change([0.0] * 60, [str(k % 20) for k in range(60)])
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
    alone = mean_change([0.0] * 9, ["p"] * 9)
    assert (alone.low, alone.high) == (-1.0, 1.0)


def test_a_rare_change_is_covered() -> None:
    rng = np.random.default_rng(1)
    drawn = [mean_change((rng.random(60) < 0.02).astype(float)) for _ in range(400)]
    inside = np.mean([one.low <= 0.02 <= one.high for one in drawn])
    assert inside >= 0.9
