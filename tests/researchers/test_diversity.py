"""Bits of entropy over families, their interval, and the steps that are left out."""

from __future__ import annotations

import numpy as np
import pytest

from solon.errors import InputError
from solon.researchers.diversity import diversity, entropy


def test_entropy_is_in_bits_and_of_shares() -> None:
    assert entropy(np.array([1.0, 1.0, 1.0, 1.0])) == pytest.approx(2)
    assert entropy(np.array([5.0, 0.0])) == 0
    assert entropy(np.array([3.0, 1.0])) == pytest.approx(0.25 * 2 + 0.75 * np.log2(4 / 3))


def test_each_step_counts_the_agents_active_at_it() -> None:
    ideas = {
        "a": ["x", "x", "x"],
        "b": ["x", "y", "x"],
        "c": ["x", "z", "x"],
        "d": ["x", "w", None],
        "e": ["x", "x", "x"],
        "f": ["x", None],
    }
    found = diversity(ideas)
    assert [(one.step, one.bits.n) for one in found] == [(0, 6), (1, 5)], "4 active are too few"
    assert (found[0].bits.estimate, found[0].bits.low, found[0].bits.high) == (0, 0, 0)
    assert found[1].bits.estimate == pytest.approx(0.4 * np.log2(5 / 2) + 0.6 * np.log2(5))
    assert [one.step for one in diversity(ideas, least=4)] == [0, 1, 2]


def test_the_interval_is_the_bootstrap_over_agents() -> None:
    ideas = {str(k): [k % 2] for k in range(10)}
    found = diversity(ideas, draws=4000)[0].bits
    draws = np.random.default_rng(5).integers(2, size=(200_000, 10)).mean(1)
    each = [0.0 if p in (0, 1) else entropy(np.array([p, 1 - p])) for p in draws[:20_000]]
    low, high = np.quantile(each, [0.05, 0.95])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert diversity(ideas, seed=3) == diversity(ideas, seed=3)


def test_where_all_differ_no_drawn_sample_has_more() -> None:
    found = diversity({str(k): [k] for k in range(9)})[0].bits
    assert found.estimate == pytest.approx(np.log2(9))
    assert found.high < found.estimate


def test_nothing_active_is_nothing_and_least_is_one_or_more() -> None:
    assert diversity({}) == []
    assert diversity({"a": [None], "b": []}) == []
    with pytest.raises(InputError, match="1 active agent"):
        diversity({"a": ["x"]}, least=0)
