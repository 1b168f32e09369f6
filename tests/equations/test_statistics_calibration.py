"""Calibration and voting against their formulas, peers and identities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as theirs

from solon.statistics import (
    calibrated_ece,
    calibration_slope,
    ece,
    effective_rows,
    equal_mass,
    equal_width,
    log_loss,
    logits,
    murphy,
    reliability_table,
)
from solon.statistics.voting import (
    effective_voters,
    error_correlation,
    independent_majority,
    majority,
)


def _said(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stated = rng.beta(4, 2, size=n)
    return stated, (rng.random(n) < stated).astype(float)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10**6), st.integers(1, 15))
def test_murphys_parts_add_up_for_any_bins_weights_and_rate(n: int, seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    stated, right, weights = rng.random(n), rng.random(n), rng.integers(1, 5, n).astype(float)
    for number in (equal_width(stated, bins), equal_mass(stated, bins)):
        for rate in (None, 0.5):
            m = murphy(stated, right, number, weights, rate=rate)
            parts = m.reliability - m.resolution + m.uncertainty + m.within
            assert m.brier == pytest.approx(parts, abs=1e-12)


def test_nothing_is_within_a_bin_whose_probabilities_are_equal() -> None:
    stated = np.array([0.05, 0.05, 0.35, 0.35, 0.95])
    right = np.array([0.0, 1.0, 0.0, 0.0, 1.0])
    found = murphy(stated, right, equal_width(stated, 10), np.ones(5))
    assert found.within == pytest.approx(0.0, abs=1e-15)
    assert found.brier == pytest.approx(brier_score_loss(right, stated))
    assert found.uncertainty == pytest.approx(0.4 * 0.6)
    assert found.reliability == pytest.approx((2 * 0.45**2 + 2 * 0.35**2 + 0.05**2) / 5)
    assert found.resolution == pytest.approx((2 * 0.1**2 + 2 * 0.4**2 + 0.6**2) / 5)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_the_table_and_the_error_are_scikit_learns(strategy: str) -> None:
    stated, right = _said(500)
    number = equal_width(stated, 10) if strategy == "uniform" else equal_mass(stated, 10)
    came, said = calibration_curve(right, stated, n_bins=10, strategy=strategy)
    table = reliability_table(stated, right, number, np.ones(500))
    assert [row.stated for row in table] == pytest.approx(said)
    assert [row.right.estimate for row in table] == pytest.approx(came)
    counts = np.array([row.right.n for row in table])
    gaps = float(counts @ np.abs(came - said) / 500)
    assert ece(stated, right, number, np.ones(500)) == pytest.approx(gaps)
    assert counts.sum() == 500


def test_a_weight_is_a_repeated_row() -> None:
    stated, right = _said(40)
    weights = np.random.default_rng(1).integers(0, 4, 40)
    number = equal_width(stated, 5)
    many = [np.repeat(values, weights) for values in (stated, right, number)]
    once = np.ones(len(many[0]))
    assert ece(stated, right, number, weights.astype(float)) == pytest.approx(ece(*many, once))
    one, two = murphy(stated, right, number, weights.astype(float)), murphy(*many, once)
    assert (one.reliability, one.resolution) == pytest.approx((two.reliability, two.resolution))


@pytest.mark.parametrize(("n", "error"), [(200, 0.080), (500, 0.051), (2000, 0.026)])
def test_a_calibrated_judge_shows_an_error_that_shrinks_with_its_rows(n: int, error: float) -> None:
    stated, _ = _said(n)
    found = calibrated_ece(stated, equal_width(stated, 15), np.ones(n), rows=n, draws=400)
    assert found.estimate == pytest.approx(error, abs=0.006)
    assert found.low < found.estimate < found.high


def test_repeated_clusters_are_as_few_rows_as_there_are_clusters() -> None:
    stated, right = _said(300)
    alone = effective_rows(stated, right, [str(k) for k in range(300)])
    thrice = [np.repeat(values, 3) for values in (stated, right)]
    assert alone == pytest.approx(300, abs=1)
    together = effective_rows(*thrice, np.repeat(np.arange(300), 3).tolist())
    assert together == pytest.approx(300, abs=2)


def test_equal_bins_hold_their_edges_and_as_many_rows() -> None:
    edges = np.array([0.5, 0.59, 0.6, 0.99, 1.0])
    assert equal_width(edges, 5, 0.5).tolist() == [0, 0, 1, 4, 4]
    stated, _ = _said(1000)
    assert np.bincount(equal_mass(stated, 10)).tolist() == [100] * 10
    assert len(set(equal_mass(np.array([0.5] * 5 + [1.0] * 5), 4).tolist())) == 2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_slope_is_the_inverse_temperature(temperature: float) -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0, 1.5, 20_000)
    right = (rng.random(20_000) < special.expit(true)).astype(float)
    found = calibration_slope(special.expit(temperature * true), right)
    assert found.estimate == pytest.approx(1 / temperature, rel=0.05)
    assert found.low < 1 / temperature < found.high
    assert np.isnan(calibration_slope(np.full(9, 0.5), right[:9]).estimate)


def test_the_log_loss_is_scikit_learns_and_a_certainty_is_capped() -> None:
    stated, right = _said(200)
    stated = np.clip(stated, 0.002, 0.998)
    assert log_loss(logits(stated), right).mean() == pytest.approx(theirs(right, stated))
    assert log_loss(logits(np.ones(1)), np.zeros(1))[0] == pytest.approx(-np.log(0.001))


def _voters(rho: float, n: int, voters: int = 3, q: float = 0.3) -> np.ndarray:
    """With probability sqrt(rho) a voter errs as all do that look there, else alone."""
    rng = np.random.default_rng(5)
    shared = rng.random((n, 1)) < q
    own = rng.random((n, voters)) < q
    looks = rng.random((n, voters)) < np.sqrt(rho)
    return 1.0 - np.where(looks, shared, own)


@pytest.mark.parametrize("rho", [0.0, 0.25, 0.81])
def test_the_effective_number_is_the_design_effects(rho: float) -> None:
    right = _voters(rho, 100_000)
    assert error_correlation(right, np.ones(100_000)) == pytest.approx(rho, abs=0.01)
    expected = 3 / (1 + 2 * rho)
    assert effective_voters(right, np.ones(100_000)) == pytest.approx(expected, rel=0.02)


def test_correlation_and_effective_number_are_one_identity() -> None:
    right, weights = _voters(0.5, 60, voters=4), np.random.default_rng(1).random(60)
    rho = error_correlation(right, weights)
    assert effective_voters(right, weights) == pytest.approx(4 / (1 + 3 * rho), abs=1e-12)
    copies = np.repeat(right[:, :1], 3, axis=1)
    assert effective_voters(copies, weights) == pytest.approx(1.0)
    assert np.isnan(effective_voters(np.ones((5, 3)), np.ones(5)))


def test_a_majority_is_strict() -> None:
    right = np.array([[1, 1, 0, 0.5], [1, 1, 1, 0], [0, 0, 0, 1], [0.5] * 4])
    assert majority(right).tolist() == [0.5, 1.0, 0.0, 0.5]


def test_condorcets_jury() -> None:
    assert independent_majority(np.full(3, 0.7)) == pytest.approx(0.7**3 + 3 * 0.7**2 * 0.3)
    assert independent_majority(np.array([0.9, 0.6])) == pytest.approx(0.54 + (0.06 + 0.36) / 2)
    assert independent_majority(np.full(7, 0.5)) == pytest.approx(0.5)
