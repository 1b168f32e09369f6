"""Ratings: the formula, its freedom, and players that nothing joins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import InputError
from solon.statistics.elo import elo, expected


def test_expected_is_the_formula() -> None:
    assert expected(1500, 1500) == 0.5
    assert expected(1900, 1500) == pytest.approx(10 / 11)
    assert expected(1500, 1900) == pytest.approx(1 / 11)


@given(st.lists(st.floats(-300, 300), min_size=2, max_size=6))
def test_ratings_that_made_the_rates_are_found_again_up_to_their_mean(given: list[float]) -> None:
    true = np.array(given) - np.mean(given) + 1500
    rates = {
        (i, j): (expected(true[i], true[j]), 100)
        for i in range(len(true))
        for j in range(i + 1, len(true))
    }
    assert list(elo(rates).values()) == pytest.approx(true.tolist(), abs=0.1)


def test_a_player_that_always_wins_is_held_and_groups_that_never_met_are_refused() -> None:
    ratings = elo({("a", "b"): (1.0, 10)})
    assert 400 < ratings["a"] - ratings["b"] <= 4000
    with pytest.raises(InputError, match="got c apart"):
        elo({("a", "b"): (0.5, 1), ("c", "d"): (0.5, 1)})
    with pytest.raises(InputError, match="got none"):
        elo({})
