"""Learned estimators: bounds on any sequence, and what a prover gains from one who has learned."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.errors import InputError
from solon.oversight.no_regret import Gradient, Multiplicative, taught
from solon.oversight.payoffs import HIGHER, LOWER
from solon.oversight.provers import Selector
from solon.oversight.selectors import Selectors, alive, best_selectors, gains, paid

M, GROUPS = 3, np.array([[True, True, False], [False, True, True], [True, True, True]])
debates = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.booleans(), min_size=M, max_size=M)), min_size=1
)


@settings(max_examples=200, deadline=None)
@given(outcomes=st.lists(st.booleans(), min_size=1, max_size=200))
def test_gradient_descent_regrets_no_more_than_a_logarithm(outcomes: list[bool]) -> None:
    learner, loss = Gradient.fresh(contexts=1, m=1), 0.0
    for y in outcomes:
        loss += (y - learner.table[0, 0]) ** 2
        learner.learn(0, np.array([y]))
    n, share = len(outcomes), np.mean(outcomes)
    assert loss - n * share * (1 - share) <= 1 / 4 + 2 * log(n + 1)
    assert learner.table[0, 0] == pytest.approx((0.5 + sum(outcomes)) / (n + 1))


@settings(max_examples=200, deadline=None)
@given(seen=debates)
def test_no_selector_gains_more_than_the_bound_from_multiplicative_weights(seen: list) -> None:
    """Overlapping groups, any sequence, any order: what was played, not what was learned last."""
    selectors = Selectors.within(GROUPS, M)
    learner = Multiplicative.fresh(selectors, m=M, debates=len(seen))
    total = np.zeros(len(selectors.sign))
    for context, bits in seen:
        p, row = learner.play(context), np.array(bits)
        higher = alive(row) * (row - p)
        for f in range(len(total)):
            total[f] += selectors.sign[f, context] * higher[selectors.child[f, context]]
        learner.learn(context, row)
    assert total == pytest.approx(learner.gains)
    assert total.max() / len(seen) <= learner.bound + 1e-9
    assert learner.bound == pytest.approx((2 * log(len(total)) / len(seen)) ** 0.5)


def test_weights_are_exploited_where_the_reply_is_wrong() -> None:
    """The bound is no accident: who replies the other way round loses half a stake a debate."""

    class Backwards(Multiplicative):
        def play(self, context: int) -> np.ndarray:
            return 1 - super().play(context)

    draw, n = np.random.default_rng(0), 400
    learner = Backwards.fresh(Selectors.within(np.ones((1, 1), dtype=bool), 1), m=1, debates=n)
    for bit in draw.random(n) < 0.5:
        learner.learn(0, np.array([bit]))
    assert learner.gains.max() / n > 0.4 > 2 * learner.bound


def test_a_claim_after_a_false_one_is_void() -> None:
    bits = np.array([[True, True, True], [True, False, True], [False, True, False]])
    assert alive(bits).tolist() == [[True] * 3, [True, True, False], [True, False, False]]
    found = gains(np.array([[0.5, 0.25, 1.0]]), np.zeros(3, dtype=int), bits)
    assert found.tolist() == [[0.5, 0.75, 0.0], [0.5, -0.25, 0.0], [-0.5, 0.0, 0.0]]


def flaws(n: int, q: int, seed: int) -> np.ndarray:
    """One false claim of q, the later the likelier."""
    weights = np.arange(1, q + 1) ** 2.0
    place = np.random.default_rng(seed).choice(q, n, p=weights / weights.sum())
    return np.arange(q) != place[:, None]


@pytest.mark.parametrize("q", [4, 16, 64])
def test_a_dishonest_prover_gains_nothing_from_an_estimator_that_has_learned(q: int) -> None:
    past, other, test = (flaws(n, q, seed) for seed, n in enumerate((8000, 8000, 8000)))
    context = np.zeros(8000, dtype=int)
    table = taught(Gradient.fresh(contexts=1, m=q), context, past).table
    found = paid(best_selectors(table, context, other), table, context, test)
    assert abs(found.mean()) < 3 * found.std(ddof=1) / len(found) ** 0.5 + 1e-3
    naive = np.array([[(q - k - 1) / (q - k) for k in range(q)]])
    gain = paid(best_selectors(naive, context, other), naive, context, test)
    assert gain.mean() > 5 * gain.std(ddof=1) / len(gain) ** 0.5


def test_multiplicative_weights_learn_what_overlapping_groups_see() -> None:
    """Outcomes that depend on both of two features; a prover may look at either."""
    draw, n = np.random.default_rng(5), 6000
    context = draw.integers(0, 4, n)
    chance = np.array([0.2, 0.4, 0.6, 0.9])[context]
    bits = (draw.random(n) < chance)[:, None]
    groups = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], dtype=bool)
    learner = taught(
        Multiplicative.fresh(Selectors.within(groups, 1), m=1, debates=n), context, bits
    )
    later = (draw.random(n) < chance)[:, None]
    higher = gains(learner.table, context, later)[:, 0]
    by_group = [abs((higher * groups[k][context]).mean()) for k in range(4)]
    assert max(by_group) < 0.03
    blind = gains(np.full((4, 1), bits.mean()), context, later)[:, 0]
    assert max(abs((blind * groups[k][context]).mean()) for k in range(4)) > 0.08


def test_a_selector_is_chosen_by_context_and_paid_by_its_direction() -> None:
    table, context = np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 0, 1, 1])
    bits = np.array([[True, True], [True, True], [False, True], [False, False]])
    best = best_selectors(table, context, bits)
    assert best[0] == Selector(child=0, direction=HIGHER)
    assert best[1] == Selector(child=0, direction=LOWER)
    assert paid(best, table, context, bits).tolist() == [0.5] * 4
    with pytest.raises(InputError, match="one for each context"):
        paid(best[:1], table, context, bits)


def test_what_was_never_met_is_even_odds() -> None:
    learner = Multiplicative.fresh(Selectors.within(GROUPS, M), m=M, debates=1)
    learner.learn(0, np.ones(M, dtype=bool))
    assert learner.table[1:].tolist() == [[0.5] * M] * 2
