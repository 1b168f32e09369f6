"""What a round pays, and the one place where the direction is fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import SettingError
from solon.oversight.payoffs import DIRECTIONS, HIGHER, LOWER, RIGHT, Payoffs, edge

COIN = np.random.default_rng(0)
P = st.floats(0, 1)


def test_higher_says_that_the_truth_lies_above_what_was_stated() -> None:
    assert HIGHER == 1
    assert edge(HIGHER, stated=0.2, found=0.9) == pytest.approx(0.7)
    assert edge(LOWER, stated=0.2, found=0.9) == pytest.approx(-0.7)
    assert edge(RIGHT, stated=0.2, found=0.9) == 0


@given(stated=P, found=P, k=st.integers(1, 5))
def test_linear_payoffs_by_the_formula(stated: float, found: float, k: int) -> None:
    pay = Payoffs(growth=2.5)
    for s in DIRECTIONS:
        want = 2.5**k * s * (found - stated)
        assert pay.inner(k, s, stated=stated, found=found, coin=COIN) == pytest.approx(want)
        assert pay.last(k, s, stated=stated, found=found, coin=COIN) == pytest.approx(want)


@given(stated=P, found=P)
def test_signs_are_paid_whole_and_only_beyond_the_resolution(stated: float, found: float) -> None:
    pay = Payoffs(growth=3.0, kind="sign", resolution=0.1)
    got = pay.inner(2, HIGHER, stated=stated, found=found, coin=COIN)
    gap = found - stated
    assert got == (9 if gap > 0.1 else -9 if gap < -0.1 else 0)
    assert pay.inner(2, LOWER, stated=stated, found=found, coin=COIN) == -got
    assert pay.last(1, HIGHER, stated=stated, found=found, coin=COIN) == pytest.approx(3 * gap)


def test_a_calibrated_estimate_gives_signs_nothing_at_the_leaf() -> None:
    pay, p = Payoffs(kind="sign"), 0.75
    ends = [pay.last(2, HIGHER, stated=p, found=y, coin=COIN) for y in (1.0, 0.0)]
    assert p * ends[0] + (1 - p) * ends[1] == pytest.approx(0)


@pytest.mark.parametrize("what", ["inner", "last"])
def test_trusted_bits_pay_the_same_on_average(what: str) -> None:
    coin, n = np.random.default_rng(4), 20_000
    pay = getattr(Payoffs(kind="drawn"), what)
    paid = [pay(1, LOWER, stated=0.7, found=0.4, coin=coin) for _ in range(n)]
    assert np.mean(paid) == pytest.approx(2.5 * 0.3, abs=4 * 2.5 * 0.7 / n**0.5)
    assert len(set(paid)) <= 3


@pytest.mark.parametrize(
    "wrong", [{"growth": 0}, {"growth": 2.0, "kind": "sign"}, {"resolution": 1.0}]
)
def test_stakes_that_break_the_game_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="expected"):
        Payoffs(**wrong)
