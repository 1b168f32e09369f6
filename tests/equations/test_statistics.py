"""Intervals and the bootstrap against statsmodels, scipy and their own coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import proportion as sm_proportion
from statsmodels.stats.weightstats import ttost_paired

from solon.errors import InputError
from solon.statistics import (
    Bootstrap,
    Interval,
    clopper_pearson,
    difference,
    equivalence,
    mean,
    paired_difference,
    pearson,
    proportion,
    spearman,
    standard_error,
    wilson,
)


@pytest.mark.parametrize(("wins", "n"), [(0, 10), (3, 10), (10, 10), (419, 859)])
def test_wilson_and_clopper_pearson_are_statsmodels(wins: int, n: int) -> None:
    for ours, method in ((wilson(wins, n), "wilson"), (clopper_pearson(wins, n), "beta")):
        theirs = sm_proportion.proportion_confint(wins, n, method=method)
        assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-12)


def test_nothing_observed_leaves_the_whole_range() -> None:
    assert wilson(0, 0) == Interval(estimate=0.5, low=0.0, high=1.0, n=0)
    with pytest.raises(InputError, match="0 <= wins <= n"):
        clopper_pearson(3, 2)


def test_the_mean_has_students_interval() -> None:
    rows = np.random.default_rng(0).normal(2, 3, size=40)
    found = mean(rows)
    low, high = stats.t.interval(0.95, 39, loc=rows.mean(), scale=stats.sem(rows))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    assert standard_error((rows - rows.mean()) / 40) == pytest.approx(stats.sem(rows))


def test_rows_repeated_within_a_cluster_add_no_certainty() -> None:
    rows = np.random.default_rng(1).normal(size=30)
    once = mean(rows)
    thrice = mean(np.repeat(rows, 3), np.repeat(np.arange(30), 3).tolist())
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=1e-12)
    votes = (rows > 0).astype(float)
    wide = proportion(np.repeat(votes, 3), np.repeat(np.arange(30), 3).tolist())
    single = proportion(votes, list(range(30)))
    assert wide.high - wide.low == pytest.approx(single.high - single.low, rel=1e-9)
    naive = proportion(np.repeat(votes, 3))
    assert wide.high - wide.low > 1.5 * (naive.high - naive.low)


def test_one_cluster_says_nothing_of_the_next() -> None:
    found = mean([1.0, 2.0, 3.0], ["p", "p", "p"])
    assert (found.low, found.high) == (float("-inf"), float("inf"))
    share = proportion([1.0, 0.0, 1.0], ["p", "p", "p"])
    assert (share.low, share.high) == (0.0, 1.0)


def test_a_share_of_zero_keeps_the_width_of_its_clusters() -> None:
    assert proportion([0.0] * 20).high == pytest.approx(wilson(0, 20).high)
    clustered = proportion([0.0] * 60, [k // 3 for k in range(60)])
    assert clustered.high > wilson(0, 20).high > wilson(0, 60).high


def test_proportions_cover_at_their_level_when_clusters_agree() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        p = rng.beta(3, 2, size=60)  # each prompt has its own rate: mean 0.6
        rows = (rng.random((60, 5)) < p[:, None]).astype(float).ravel()
        found = proportion(rows, np.repeat(np.arange(60), 5).tolist())
        covered += found.low <= 0.6 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_equivalence_is_two_one_sided_t_tests() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.5, 0.2, 80), rng.normal(0.51, 0.2, 80)
    ours = equivalence(a - b, 0.1)
    theirs, _, _ = ttost_paired(a, b, -0.1, 0.1)
    assert ours.p_value == pytest.approx(theirs, abs=1e-12)
    assert ours.equivalent == (ours.low > -0.1 and ours.high < 0.1)
    assert not equivalence(a - b + 0.1, 0.1).equivalent
    assert equivalence([0.0, 0.0, 0.0], 0.1).p_value == 0.0
    assert equivalence([0.2, 0.2], 0.1).p_value == 1.0


def test_paired_differences_forget_what_both_share() -> None:
    rng = np.random.default_rng(4)
    level = rng.normal(0, 10, 50)
    found = paired_difference(level + 0.3, level + rng.normal(0, 0.1, 50))
    assert found.estimate == pytest.approx(0.3, abs=0.05)
    assert found.high - found.low < 0.07
    with pytest.raises(InputError, match="equal lengths, got 1 and 2"):
        paired_difference([1.0], [1.0, 2.0])


def test_newcombes_difference_is_statsmodels() -> None:
    ours = difference(wilson(56, 70), wilson(48, 80))
    low, high = sm_proportion.confint_proportions_2indep(
        56, 70, 48, 80, compare="diff", method="newcomb"
    )
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("kind", ["percentile", "bca"])
def test_the_bootstrap_is_scipys(kind: str) -> None:
    rows = np.random.default_rng(5).exponential(size=60)
    ours = Bootstrap(draws=4000, kind=kind)(lambda w: float(w @ rows / w.sum()), len(rows))
    theirs = stats.bootstrap(
        (rows,), np.mean, n_resamples=4000, method=kind, rng=np.random.default_rng(0)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_the_bootstrap_draws_whole_clusters_and_the_same_ones_again() -> None:
    rows = np.repeat(np.random.default_rng(6).normal(size=25), 4)
    names = np.repeat(np.arange(25), 4).tolist()

    def centre(weights: np.ndarray) -> float:
        return float(weights @ rows / weights.sum())

    clustered = Bootstrap(draws=800)(centre, 100, names)
    assert clustered == Bootstrap(draws=800)(centre, 100, names)
    assert clustered != Bootstrap(draws=800, seed=1)(centre, 100, names)
    student = mean(rows, names)
    assert clustered.high - clustered.low == pytest.approx(student.high - student.low, rel=0.12)


def test_a_statistic_that_is_often_undefined_has_no_interval() -> None:
    rare = np.array([1.0] + [0.0] * 9)

    def share_where_seen(weights: np.ndarray) -> float:
        return 1.0 if weights @ rare else float("nan")

    found = Bootstrap(draws=200)(share_where_seen, 10)
    assert (found.low, found.high) == (float("-inf"), float("inf"))


@pytest.mark.parametrize("kind", ["percentile", "bca"])
def test_a_table_is_drawn_as_a_multinomial(kind: str) -> None:
    table = np.array([[40.0, 10.0], [5.0, 45.0]])
    found = Bootstrap(draws=3000, kind=kind).table(lambda t: float(np.trace(t) / t.sum()), table)
    exact = stats.binom.ppf([0.025, 0.975], 100, 0.85) / 100
    assert (found.low, found.high) == pytest.approx(tuple(exact), abs=0.011)


def test_blocks_widen_a_series_that_remembers() -> None:
    rng = np.random.default_rng(7)
    series = np.convolve(rng.normal(size=220), np.ones(20) / 20, "valid")

    def centre(weights: np.ndarray) -> float:
        return float(weights @ series / weights.sum())

    single = Bootstrap(draws=500).blocks(centre, len(series), 1)
    block = Bootstrap(draws=500).blocks(centre, len(series), 20)
    assert block.high - block.low > 2 * (single.high - single.low)
    with pytest.raises(InputError, match="length from 1"):
        Bootstrap().blocks(centre, 5, 6)


def test_correlations_are_scipys() -> None:
    rng = np.random.default_rng(8)
    x = rng.integers(0, 9, 50).astype(float)
    y = x + rng.normal(0, 3, 50)
    theirs = stats.pearsonr(x, y)
    low, high = theirs.confidence_interval()
    found = pearson(x, y)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (theirs.statistic, low, high), abs=1e-12
    )
    assert spearman(x, y).estimate == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert spearman(x, y).low < spearman(x, y).estimate < spearman(x, y).high
    assert np.isnan(pearson([1.0, 1.0, 1.0, 1.0], x[:4]).estimate)
    assert (pearson([1.0, 2.0], [1.0, 2.0]).low, pearson([1.0, 2.0], [3.0, 1.0]).high) == (-1, 1)
