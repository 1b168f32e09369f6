"""Best-of-n: bounds, exact distributions and the unbiased estimator against brute force."""

import math
import subprocess
import sys
from itertools import combinations, product

import numpy as np
import pytest

from solon.objectives.bestofn import expected_gold, kl_bound, pmf, win_bound


def kl(p, q) -> float:
    there = p > 0
    return float((p[there] * np.log(p[there] / q[there])).sum())


@pytest.mark.parametrize(
    ("n", "bound", "wins"), [(4, 0.636, 0.8), (16, 1.835, 0.941), (64, 3.175, 0.985)]
)
def test_the_bounds_are_the_published_figures(n, bound, wins):
    assert kl_bound(n) == pytest.approx(bound, abs=6e-4)
    assert win_bound(n) == pytest.approx(wins, abs=6e-4)
    assert kl_bound(1) == 0.0
    assert win_bound(1) == 0.5


@pytest.mark.parametrize(("n", "exact"), [(4, 0.459), (16, 0.693)])
def test_a_fair_coin_stays_under_the_bound(n, exact):
    reference = np.array([0.5, 0.5])
    best = pmf(reference, np.array([0.0, 1.0]), n)
    assert best == pytest.approx([0.5**n, 1 - 0.5**n])
    assert kl(best, reference) == pytest.approx(exact, abs=5e-4)
    assert kl(best, reference) < kl_bound(n)


def test_the_bound_is_met_where_no_scores_tie_and_no_outcome_is_likely():
    outcomes = 20_000
    reference = np.full(outcomes, 1 / outcomes)
    best = pmf(reference, np.arange(outcomes, dtype=float), 16)
    assert kl(best, reference) == pytest.approx(kl_bound(16), abs=1e-3)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_distribution_equals_brute_force_with_ties_and_a_skewed_reference(n):
    reference = np.array([0.5, 0.2, 0.2, 0.1])
    scores = np.array([1.0, 0.0, 1.0, 2.0])
    expected = np.zeros(4)
    for draws in product(range(4), repeat=n):
        best = [i for i in draws if scores[i] == max(scores[j] for j in draws)]
        for i in best:
            expected[i] += math.prod(reference[j] for j in draws) / len(best)
    got = pmf(reference, scores, n)
    assert got == pytest.approx(expected, abs=1e-14)
    assert got.sum() == pytest.approx(1.0)
    assert kl(got, reference) <= kl_bound(n) + 1e-12
    half = sum(
        a * b * (1.0 if s > t else 0.5 if s == t else 0.0)
        for a, s in zip(got, scores, strict=True)
        for b, t in zip(reference, scores, strict=True)
    )
    assert half <= win_bound(n) + 1e-12


def test_an_impossible_outcome_stays_impossible():
    assert pmf(np.array([0.0, 1.0]), np.array([5.0, 0.0]), 8).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "scores", [[0.3, -1.0, 2.0, 0.7, 0.1, 5.0], [0.0, 1.0, 1.0, 0.0, 1.0, 2.0]]
)
def test_the_estimator_is_the_mean_over_all_subsets(scores):
    gold = [1.0, -2.0, 0.5, 3.0, 0.0, -1.0]
    for n in range(1, 7):
        subsets = list(combinations(range(6), n))
        total = 0.0
        for subset in subsets:
            best = [i for i in subset if scores[i] == max(scores[j] for j in subset)]
            total += sum(gold[i] for i in best) / len(best)
        (got,) = expected_gold(np.array(scores), np.array(gold), [n])
        assert got == pytest.approx(total / len(subsets), abs=1e-12)


def test_the_estimator_holds_for_thousands_of_samples():
    size = 20_000
    ranks = np.random.default_rng(0).permutation(size).astype(float)
    ns = [1, 2, 100, 10_000, size]
    # E[largest of n of 1..N] = n (N + 1) / (n + 1)
    exact = [n * (size + 1) / (n + 1) - 1 for n in ns]
    assert expected_gold(ranks, ranks, ns) == pytest.approx(exact, rel=1e-9)


def test_more_than_the_samples_is_refused():
    with pytest.raises(ValueError, match="expected 1 <= n <= 2 samples, got n=3"):
        expected_gold(np.zeros(2), np.zeros(2), [1, 3])


def test_it_loads_no_torch():
    code = "import sys, solon.objectives.bestofn; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
