from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from solon.report.figure import figure, fixed, moment, number, places, quantity, span
from solon.report.scale import Scale, cover, ticks


def test_a_linear_scale_maps_ends_and_middle() -> None:
    scale = Scale(low=-1, high=3, start=48, stop=348)
    assert [scale(-1), scale(1), scale(3)] == [48, 198, 348]


def test_a_scale_may_run_downwards_as_the_height_of_a_picture_does() -> None:
    scale = Scale(low=0, high=1, start=180, stop=10)
    assert scale(0.25) == pytest.approx(137.5)


def test_a_log_scale_gives_each_decade_the_same_width() -> None:
    scale = Scale(low=1e-4, high=1e2, start=0, stop=600, log=True)
    assert [round(scale(10.0**k), 6) for k in range(-4, 3)] == [0, 100, 200, 300, 400, 500, 600]
    assert scale.ticks() == pytest.approx([1e-4, 1e-2, 1e0, 1e2])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.31, 0.42, [-0.2, 0, 0.2, 0.4]),
        (98, 102, [98, 99, 100, 101, 102]),
        (0, 119, [0, 20, 40, 60, 80, 100]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_there_are_two_to_six_ticks_and_all_lie_within(low: float, width: float) -> None:
    high = low + width
    assume(high > low)
    found = ticks(low, high)
    assert 2 <= len(found) <= 6
    room = 1e-6 * width + 1e-9 * abs(low)
    assert all(low - room <= tick <= high + room for tick in found)
    assert found == sorted(found)


def test_a_single_value_stands_in_the_middle() -> None:
    scale = cover([5.0], 0, 100)
    assert scale(5.0) == 50
    assert cover([0.0], 0, 100)(0.0) == 50


def test_figures_are_short_and_keep_their_sign() -> None:
    values = [0, 1234567, -0.5, 0.06234, 1e-7, 2.5e12, math.nan, -math.inf, 99.996]
    written = [figure(value) for value in values]
    assert written == ["0", "1,234,567", "−0.5", "0.06234", "1e−7", "2.5e12", "–", "−∞", "100"]


def test_a_column_shares_its_decimals() -> None:
    values = [0.55, 0.412, -0.3]
    assert [fixed(value, places(values)) for value in values] == ["0.550", "0.412", "−0.300"]
    assert places([28.1, 39.6]) == 1
    assert places([math.nan]) == 2


def test_durations_and_moments_are_words() -> None:
    assert [span(0.42), span(59.4), span(192), span(7384)] == [
        "0.42 s",
        "59 s",
        "3 min 12 s",
        "2 h 3 min",
    ]
    assert moment("2026-08-23T09:14:05+02:00") == "2026-08-23 07:14 UTC"
    assert moment(0) == "1970-01-01 00:00 UTC"
    assert moment(None) == "–"


def test_shares_are_per_cent_and_unknown_names_their_own_label() -> None:
    assert quantity("win rate")(0.714) == "71.4\u00a0%"
    assert quantity("gold/tone").title == "gold: tone"
    assert quantity("KL, nats").title == quantity("kl").title == "KL (nats)"
    assert quantity("win rate, equal length").title == "win rate, equal length (%)"
    assert quantity("clip_fraction").share
    assert quantity("length, characters").title == "length (characters)"
    assert quantity("length").title == "length"


def test_what_is_no_number_is_not_a_number() -> None:
    assert all(math.isnan(number(value)) for value in (None, "3", True, {}))
    assert number(3) == 3.0
