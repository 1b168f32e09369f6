"""The pool world's figures by hand and by simulation."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from solon.lab.pool import Labels, Pool, Proxy, drawn, gold, standardised

POOL = Pool(size=40_000, seed=3)


def test_gold_by_hand() -> None:
    traits = np.array([[1.0, 3.0, 2.0, 9.0, 9.0, 9.0, 9.0]])
    assert gold(traits) == pytest.approx([1.0 + 1.5 - 2.0 + 0.6])


def test_length_goes_with_quality_and_style_with_nothing() -> None:
    traits = POOL.traits
    found = np.atleast_2d(np.corrcoef(traits.T))
    assert found[0, 1] == pytest.approx(0.6, abs=0.02)
    assert np.abs(found[6, :6]).max() < 0.02
    assert traits.std(0) == pytest.approx(np.ones(7), abs=0.02)


def test_the_same_seed_gives_the_same_pool_and_another_gives_another() -> None:
    assert np.array_equal(Pool(size=100, seed=1).traits, Pool(size=100, seed=1).traits)
    assert not np.array_equal(Pool(size=100, seed=1).traits, Pool(size=100, seed=2).traits)


def test_best_of_n_is_what_drawing_n_and_keeping_the_best_gives() -> None:
    score = POOL.traits[:, 1]
    exact = POOL.best_of(8, score)
    draw = np.random.default_rng(0)
    taken = draw.integers(0, POOL.size, (20_000, 8))
    best = taken[np.arange(20_000), score[taken].argmax(1)]
    assert exact.mean(POOL.gold) == pytest.approx(POOL.gold[best].mean(), abs=0.03)
    assert exact.kl == pytest.approx(log(8) - 7 / 8, abs=1e-3)


def test_tilting_goes_to_the_kl_that_is_asked_and_has_no_better_policy_there() -> None:
    score = POOL.traits[:, 1]
    tilted = POOL.tilted(score, 1.2)
    assert tilted.kl == pytest.approx(1.2, abs=1e-6)
    n = 5  # log 5 - 4/5 = 0.81 nats: less KL, so less of the score
    assert POOL.best_of(n, score).mean(score) < tilted.mean(score)
    same = POOL.tilted(score, POOL.best_of(n, score).kl)
    assert same.mean(score) >= POOL.best_of(n, score).mean(score)


def test_a_proxy_that_sees_all_of_gold_recovers_it() -> None:
    all_of_it = Proxy(sees=("length", "padding", "cue"))
    traits = drawn(6_000, np.random.default_rng(1))
    traits[:, 0] = 0.0  # nothing that the proxy cannot see
    traits[:, 5] = 0.0
    fitted = all_of_it.fitted(Labels.of(traits[:3000], traits[3000:]))
    ratio = fitted.weights / fitted.weights[0]
    # labels without noise can be told apart: the ridge decides where the weights end
    assert ratio == pytest.approx([1.0, -1.0, 0.6], abs=0.12)


def test_a_judges_liking_shows_in_what_is_learnt_from_it() -> None:
    sees = Proxy(sees=("quality", "length", "style"))
    plain = sees.fitted(Labels.fresh(4000, seed=[1]))
    fond = sees.fitted(Labels.fresh(4000, seed=[1], liking=0.5))
    assert abs(plain.weights[2]) < 0.15
    assert fond.weights[2] > 0.4


def test_labels_add_up() -> None:
    one = Labels.fresh(10, seed=[1])
    both = one.and_(Labels.fresh(5, seed=[2]))
    assert both.first.shape == (15, 7)
    assert np.array_equal(both.p[:10], one.p)


def test_standardised_is() -> None:
    found = standardised(np.array([1.0, 2.0, 3.0]))
    assert (found.mean(), found.std()) == pytest.approx((0.0, 1.0))
