"""Logistic regression, agreement, Bradley-Terry and length control against their oracles."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from solon.errors import InputError
from solon.statistics import (
    at_equal_length,
    bradley_terry,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    length_controlled,
    logistic,
    pabak,
    predicted_win_rate,
    rate_at_length,
    table,
)


def _rows(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    return x, (rng.random(n) < special.expit(x @ [0.3, 1.0, -0.7])).astype(float)


def test_irls_is_statsmodels_glm_with_soft_labels_weights_and_offset() -> None:
    x, y = _rows()
    soft = 0.8 * y + 0.1
    rng = np.random.default_rng(1)
    weights, offset = rng.integers(1, 4, len(y)).astype(float), rng.normal(size=len(y))
    ours = logistic(x, soft, weights=weights, offset=offset)
    family = sm.families.Binomial()
    theirs = sm.GLM(soft, x, family=family, offset=offset, freq_weights=weights).fit(tol=1e-12)
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-8)
    assert ours.standard_errors == pytest.approx(theirs.bse, abs=1e-7)
    assert not ours.separated


def test_the_clustered_covariance_is_statsmodels_sandwich() -> None:
    x, y = _rows()
    names = np.arange(len(y)) // 3
    ours = logistic(x, y, clusters=names.tolist())
    theirs = sm.GLM(y, x, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": names, "use_correction": False}
    )
    few = np.sqrt(100 / 99)
    assert ours.standard_errors == pytest.approx(few * theirs.bse, rel=1e-6)


def test_the_ridge_is_sklearns_penalty() -> None:
    x, y = _rows(80)
    ours = logistic(x, y, ridge=0.5)
    theirs = LogisticRegression(C=2.0, fit_intercept=False, tol=1e-10, max_iter=1000).fit(x, y)
    assert ours.coefficients == pytest.approx(theirs.coef_[0], abs=1e-5)


def test_separation_is_found_and_a_ridge_mends_it() -> None:
    x = np.column_stack([np.ones(40), np.linspace(-1, 1, 40)])
    y = (x[:, 1] > 0).astype(float)
    fit = logistic(x, y)
    assert fit.separated
    assert (fit.coefficient(1).low, fit.coefficient(1).high) == (float("-inf"), float("inf"))
    assert (fit.probability([1, 0.5]).low, fit.probability([1, 0.5]).high) == (0.0, 1.0)
    mended = logistic(x, y, ridge=0.16)
    assert not mended.separated
    assert 0 < mended.coefficient(1).low < mended.coefficient(1).high < 20


def test_a_group_that_always_wins_is_quasi_separation_and_a_soft_label_ends_it() -> None:
    group = np.repeat([0.0, 1.0], 20)
    x = np.column_stack([np.ones(40), group])
    y = np.where(group == 1, 1.0, np.tile([0.0, 1.0], 20))
    assert logistic(x, y).separated
    y[-1] = 0.9
    assert not logistic(x, y).separated


def test_strong_effects_are_not_taken_for_separation() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(2000), rng.normal(0, 5, 2000)])
    y = (rng.random(2000) < special.expit(3 * x[:, 1])).astype(float)
    fit = logistic(x, y)
    assert np.abs(x @ fit.coefficients).max() > 30
    assert not fit.separated
    assert fit.coefficient(1).low < 3 < fit.coefficient(1).high


def test_a_probability_is_read_off_the_logit() -> None:
    x, y = _rows()
    fit = logistic(x, y)
    found = fit.probability([1.0, 0.5, 0.0], offset=0.2)
    b = fit.coefficients
    assert found.estimate == pytest.approx(special.expit(b[0] + 0.5 * b[1] + 0.2))
    theirs = sm.GLM(y, x, family=sm.families.Binomial()).fit(tol=1e-12)
    frame = theirs.get_prediction(np.array([[1.0, 0.5, 0.0]])).summary_frame()
    plain = fit.probability([1.0, 0.5, 0.0])
    assert plain.low == pytest.approx(frame["mean_ci_lower"].iloc[0], abs=1e-7)
    assert plain.high == pytest.approx(frame["mean_ci_upper"].iloc[0], abs=1e-7)


def test_hopeless_columns_are_refused_by_name() -> None:
    x, y = _rows()
    with pytest.raises(InputError, match="collinear"):
        logistic(np.column_stack([x, x[:, 0]]), y)
    with pytest.raises(InputError, match=r"p in \[0, 1\]"):
        logistic(x, y + 1)
    with pytest.raises(InputError, match="expected x"):
        logistic(x, y[1:])


def test_kappas_are_sklearns() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 4, 200)
    b = np.where(rng.random(200) < 0.6, a, rng.integers(0, 4, 200))
    counts = table(a.tolist(), b.tolist(), range(4))
    assert cohen_kappa(counts) == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)
    for distance in ("linear", "quadratic"):
        theirs = cohen_kappa_score(a, b, weights=distance)
        assert cohen_kappa(counts, distance) == pytest.approx(theirs, abs=1e-12)
    weighted = table(a.tolist(), b.tolist(), range(4), weights=np.full(200, 0.5))
    assert (weighted == counts / 2).all()


def test_the_prevalence_paradox_lowers_kappa_alone() -> None:
    # Feinstein & Cicchetti's kind of table: both raters say yes 95 times in a hundred
    counts = np.array([[90.0, 5.0], [5.0, 0.0]])
    assert cohen_kappa(counts) == pytest.approx((0.9 - 0.905) / 0.095)
    assert pabak(counts) == pytest.approx(0.8)
    assert gwet_ac1(counts) == pytest.approx((0.9 - 0.095) / 0.905)


def test_chance_that_always_agrees_leaves_no_coefficient() -> None:
    same = np.array([[7.0, 0.0], [0.0, 0.0]])
    assert np.isnan(cohen_kappa(same))
    assert gwet_ac1(same) == 1.0
    assert np.isnan(pabak(np.array([[7.0]])))
    assert np.isnan(gwet_ac1(np.array([[7.0]])))
    with pytest.raises(InputError, match="'c' is none of"):
        table(["a"], ["c"], ["a", "b"])


def test_fleiss_is_statsmodels() -> None:
    rng = np.random.default_rng(4)
    votes = rng.integers(0, 3, (50, 5))
    counts = np.array([[np.sum(row == k) for k in range(3)] for row in votes], dtype=float)
    assert fleiss_kappa(counts) == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-12)
    counts[0, 0] += 1
    with pytest.raises(InputError, match="krippendorff_alpha"):
        fleiss_kappa(counts)


def test_krippendorffs_own_example_gives_his_own_numbers() -> None:
    # Computing Krippendorff's Alpha-Reliability (2011): 4 observers, 12 units, with gaps
    observers = (
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    )
    grid = np.array(observers)
    counts = np.array([[np.sum(grid[:, i] == k) for k in range(1, 6)] for i in range(12)], float)
    assert krippendorff_alpha(counts) == pytest.approx(0.743, abs=0.0005)
    assert krippendorff_alpha(counts, "ordinal") == pytest.approx(0.815, abs=0.0005)
    assert krippendorff_alpha(counts, "interval") == pytest.approx(0.849, abs=0.0005)
    assert np.isnan(krippendorff_alpha(counts[-1:]))


def test_bradley_terry_is_the_logistic_regression_of_its_games() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([1.0, 0.2, -0.4, -0.8])
    p = special.expit(np.subtract.outer(truth, truth))
    games = 200 * (1 - np.eye(4))
    upper = np.triu(rng.binomial(games.astype(int), p).astype(float))
    wins = upper + np.tril(games - upper.T)
    fit = bradley_terry(wins)
    pairs = [(i, j) for i in range(4) for j in range(i)]
    x = np.array([[float(k == i) - float(k == j) for k in range(4)] for i, j in pairs])
    oracle = logistic(
        x[:, 1:],
        np.array([wins[i, j] / games[i, j] for i, j in pairs]),
        weights=np.array([games[i, j] for i, j in pairs]),
    )
    gaps = fit.strengths[1:] - fit.strengths[0]
    assert gaps == pytest.approx(oracle.coefficients, abs=1e-8)
    assert fit.strengths.sum() == pytest.approx(0, abs=1e-12)
    assert (np.abs(fit.strengths - truth) < 4 * fit.standard_errors).all()
    turn = np.column_stack([-np.ones(3), np.eye(3)])
    covariance = np.linalg.pinv(turn) @ oracle.covariance @ np.linalg.pinv(turn).T
    assert fit.standard_errors == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-6)
    assert fit.probability(0, 3) == pytest.approx(
        special.expit(fit.strengths[0] - fit.strengths[3])
    )


def test_bradley_terry_converges_where_strengths_lie_far_apart() -> None:
    wins = np.array([[0.0, 1000.0, 1000.0], [1.0, 0.0, 1000.0], [0.0, 1.0, 0.0]])
    fit = bradley_terry(wins)
    games = wins + wins.T

    def slope(s: np.ndarray) -> np.ndarray:
        return wins.sum(1) - (games * special.expit(np.subtract.outer(s, s))).sum(1)

    assert slope(fit.strengths) == pytest.approx(np.zeros(3), abs=1e-6)


def test_a_player_who_never_lost_has_no_finite_strength() -> None:
    with pytest.raises(InputError, match="no finite strengths"):
        bradley_terry(np.array([[0.0, 3.0], [0.0, 0.0]]))
    with pytest.raises(InputError, match="M >= 2"):
        bradley_terry(np.array([[0.0]]))


def _judged(theta: float, phi: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    first, second = rng.integers(400, 1600, n), rng.integers(200, 1400, n)
    apart = (second - first) / np.std(second - first)
    won = (rng.random(n) < special.expit(theta - phi * np.tanh(apart))).astype(float)
    return won, first.astype(float), second.astype(float)


def test_length_control_recovers_the_rate_at_equal_length() -> None:
    won, first, second = _judged(theta=0.4, phi=1.5)
    found = length_controlled(won, first, second)
    truth = special.expit(0.4)
    assert found.win_rate.low < truth < found.win_rate.high
    assert found.theta == pytest.approx(0.4, abs=0.15)
    assert found.phi == pytest.approx(-1.5, abs=0.2)
    assert won.mean() > found.win_rate.high  # the plain rate is flattered by length


def test_length_control_changes_sides_when_the_policies_do() -> None:
    won, first, second = _judged(theta=0.4, phi=1.5, n=500)
    there, back = length_controlled(won, first, second), length_controlled(1 - won, second, first)
    assert there.win_rate.estimate + back.win_rate.estimate == pytest.approx(1, abs=1e-9)
    itself = length_controlled(np.full(500, 0.5), first, second)
    assert itself.win_rate.estimate == pytest.approx(0.5, abs=1e-9)


def test_the_interval_of_length_control_is_the_clustered_bootstraps() -> None:
    from solon.statistics import Bootstrap

    won, first, second = _judged(theta=0.4, phi=1.0, n=300)
    names = [k // 2 for k in range(300)]
    rng = np.random.default_rng(7)
    hard = np.repeat(rng.normal(size=150), 2)
    ours = length_controlled(won, first, second, difficulty=hard, clusters=names).win_rate

    def refitted(weights: np.ndarray) -> float:
        rows = np.repeat(np.arange(300), weights.astype(int))
        found = length_controlled(won[rows], first[rows], second[rows], difficulty=hard[rows])
        return found.win_rate.estimate

    drawn = Bootstrap(draws=300)(refitted, 300, names)
    assert ours.high - ours.low == pytest.approx(drawn.high - drawn.low, rel=0.15)


def test_one_difference_of_length_everywhere_cannot_be_controlled() -> None:
    won, first = np.array([1.0, 0.0, 1.0, 1.0]), np.full(4, 100.0)
    with pytest.raises(InputError, match="same length difference"):
        length_controlled(won, first, first - 50)
    with pytest.raises(InputError, match="every row is at 2"):
        at_equal_length(won, first, first / 2)
    assert length_controlled(won, first, first).win_rate.estimate == pytest.approx(0.75)
    assert at_equal_length(won, first, first).estimate == pytest.approx(0.75)


def test_lees_rate_is_the_logistic_curve_at_ratio_one() -> None:
    rng = np.random.default_rng(8)
    first, second = rng.integers(50, 400, 3000), rng.integers(50, 400, 3000)
    won = (rng.random(3000) < special.expit(-0.5 + 0.8 * first / second)).astype(float)
    found = at_equal_length(won, first.astype(float), second.astype(float))
    assert found.low < special.expit(0.3) < found.high
    x = np.column_stack([np.ones(3000), first / second])
    theirs = sm.GLM(won, x, family=sm.families.Binomial()).fit(tol=1e-12)
    assert found.estimate == pytest.approx(special.expit(theirs.params.sum()), abs=1e-8)
    assert at_equal_length(won, first.astype(float), np.zeros(3000)).estimate >= 0


def test_a_rate_is_read_at_the_length_asked_for() -> None:
    rng = np.random.default_rng(9)
    length = rng.integers(100, 900, 4000).astype(float)
    harmless = (rng.random(4000) < special.expit(2 - length / 300)).astype(float)
    found = rate_at_length(harmless, length, 300.0)
    assert found.low < special.expit(1.0) < found.high
    assert found.high - found.low < 0.05


def test_published_weights_average_over_the_difficulties() -> None:
    grid = np.array([-1.0, 0.0, 2.0])
    expected = np.mean([special.expit(-1 + 0.5 * g) for g in grid])
    assert predicted_win_rate(-1.0, 0.5, grid) == pytest.approx(expected)


def test_irls_climbs_as_high_as_a_general_optimiser() -> None:
    x, y = _rows(60, seed=10)

    def fall(b: np.ndarray) -> float:
        return float(np.sum(np.logaddexp(0, x @ b) - y * (x @ b)))

    best = optimize.minimize(fall, np.zeros(3)).fun
    assert logistic(x, y).log_likelihood == pytest.approx(-best, abs=1e-7)
