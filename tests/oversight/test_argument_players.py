"""Provers and estimators of known arguments: exact values, best responses, equal compute."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from solon.errors import InputError
from solon.oversight.argument import by_claim
from solon.oversight.best_pointing import best_response
from solon.oversight.drive import drive
from solon.oversight.estimators import (
    Exact,
    Informed,
    Learned,
    Levels,
    UniformPrior,
    consistent,
    spread,
)
from solon.oversight.evasion import evasion
from solon.oversight.gates import And, Circuit, Or, Threshold
from solon.oversight.moves import Choose, Conditional, Disputed, Point, Row, Split
from solon.oversight.payoffs import DIRECTIONS, HIGHER, LOWER, RIGHT, Payoffs
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Honest, Peeking, Prover, Selector, split

CLAIM = Disputed(claim="claim")


def asked(q: int, p: float = 0.5) -> Choose:
    rows = tuple(Row(given=(True,) * k, p=p) for k in range(q))
    claims = tuple(f"claim.{k}" for k in range(q))
    return Choose(path=("claim",), split=Split(claims=claims), rows=rows)


def test_a_conjunction_hides_a_false_claim_among_many_and_a_threshold_cannot() -> None:
    """The gap at a child where the root is stated at 0.2: as 1/q, and hardly moved by q."""
    brittle = [1 - spread(And(), q, 0.2) for q in (4, 16, 64, 256)]
    assert brittle == pytest.approx([0.331, 0.0957, 0.0248, 0.0063], abs=5e-4)
    stable = [0.95 - spread(Threshold(-(-6 * q // 10)), q, 0.2) for q in (4, 16, 64, 256)]
    assert stable == pytest.approx([0.53, 0.46, 0.40, 0.38], abs=0.01)


def test_what_is_spread_is_consistent_at_every_level() -> None:
    tree = uniform_tree(5, 3, gate=Threshold(3))
    levels = consistent(tree, 0.2)
    assert len(levels) == 4
    for above, below in pairwise(levels):
        assert Threshold(3).expected(np.full(5, below)) == pytest.approx(above)
    with pytest.raises(InputError, match="reaches"):
        spread(Circuit.of(lambda bits: not all(bits), 2), 2, 0.5)


@pytest.mark.parametrize("gate", [And(), Or(), Threshold(2)], ids=str)
def test_the_best_response_is_the_best_of_all_pure_provers(gate: Or) -> None:
    """Against every row and direction at every level of a small tree, by brute force."""
    tree, game = uniform_tree(3, 1, gate=gate), ProverEstimator(payoffs=Payoffs(kind="sign"))
    truth, estimator = planted(tree, 1), Levels((0.3, 0.7))
    best = best_response(game, CLAIM, by_claim(tree), truth, estimator)
    played = []
    for first, row, second in product(DIRECTIONS, range(9), DIRECTIONS):

        def points(one: Choose, first=first, row=row, second=second) -> Point:
            at = min(row, len(one.rows) - 1)
            return Point(row=at, direction=second) if one.path else Point(row=0, direction=first)

        played.append(payoff(game, tree, truth, estimator, points))
    assert best.value == pytest.approx(max(played))
    assert payoff(game, tree, truth, estimator, best) == pytest.approx(best.value)


def payoff(game: ProverEstimator, tree, truth, estimator, points) -> float:
    seats = {
        "prover": Prover(arguments=by_claim(tree), pointing=points),
        "estimator": estimator,
        "judge": Judge(truth),
    }
    return drive([game.play(CLAIM)], seats)[0].payoff


def test_the_best_response_looks_ahead_where_an_honest_prover_does_not() -> None:
    """Two levels: the wide gap under claim.1 pays more than the first gap that is seen."""
    tree, game = uniform_tree(2, 2), ProverEstimator(depth=2)
    truth = tree.truth(lambda _: 1.0)

    def estimator(questions):
        p = {"claim": 1.0, "claim.0": 0.6, "claim.1": 0.7, "claim.0.0": 1.0, "claim.0.1": 0.6}
        return [Levels((p.get(one.claim, 0.1),) * 3)([one])[0] for one in questions]

    best = best_response(game, CLAIM, by_claim(tree), truth, estimator)
    assert best.points["claim",].row == 1
    assert payoff(game, tree, truth, estimator, Honest(truth)) < best.value
    assert payoff(game, tree, truth, estimator, best) == pytest.approx(best.value)


def test_no_prover_gains_from_who_knows_everything() -> None:
    tree, game = uniform_tree(3, 2), ProverEstimator(depth=2)
    for flaw in (0, 4, 8):
        truth = planted(tree, flaw)
        best = best_response(game, CLAIM, by_claim(tree), truth, Exact(truth))
        assert best.value == pytest.approx(0)


def test_an_honest_prover_avoids_what_would_be_void() -> None:
    truth = {f"claim.{k}": float(k != 1) for k in range(4)}
    point = Honest(truth)(asked(4, p=0.6))
    assert (point.row, point.direction, point.calls) == (1, LOWER, 4)
    right = Honest({f"claim.{k}": 1.0 for k in range(2)})(asked(2, p=1.0))
    assert right.direction == RIGHT


def test_a_selector_points_at_its_child_with_all_before_it_true() -> None:
    threshold = Choose(
        path=("claim",),
        split=Split(claims=("a", "b", "c"), gate=Threshold(2)),
        rows=tuple(
            Row(given=given, p=0.5)
            for given in ((), (False,), (True,), (False, True), (True, False))
        ),
    )
    assert Selector(child=1, direction=HIGHER)(threshold) == Point(row=2, direction=HIGHER)
    with pytest.raises(InputError, match="open after all before, got 2"):
        Selector(child=2, direction=HIGHER)(threshold)  # two true ones settle it


def test_a_prover_that_finds_the_flaw_within_its_budget_says_lower_of_it() -> None:
    prover = Peeking(
        peek=lambda _, budget: 2 if budget >= 10 else None,
        budget=10,
        otherwise=Selector(child=0, direction=HIGHER),
    )
    assert prover(asked(4)) == Point(row=2, direction=LOWER, calls=10)
    poor = Peeking(peek=prover.peek, budget=9, otherwise=prover.otherwise)
    assert poor(asked(4)) == Point(row=0, direction=HIGHER, calls=9)


def conditionals(q: int) -> list[Conditional]:
    claims = Split(claims=tuple(f"claim.{k}" for k in range(q)))
    return [Conditional(path=("claim",), split=claims, given=(True,) * k) for k in range(q)]


def test_what_an_estimator_finds_it_states_and_pays_for_once() -> None:
    informed = Informed(peek=lambda *_: 1, budget=7, otherwise=UniformPrior.of(uniform_tree(3, 1)))
    assert [one.p for one in informed(conditionals(3))] == [1.0, 0.0, 1.0]
    assert sum(one.calls for one in informed(conditionals(3))) == 7
    blind = Informed(peek=lambda *_: None, budget=7, otherwise=informed.otherwise)
    assert [one.p for one in blind(conditionals(3))] == pytest.approx([2 / 3, 1 / 2, 0])


def test_a_learned_estimator_opens_with_the_product_of_its_row() -> None:
    table = np.array([[0.5, 0.5], [0.9, 0.2]])
    learned = Learned(table=table, context=lambda claim: len(claim) - 5)
    (root,) = learned([Conditional(path=(), split=Split(claims=("claim!",)), given=())])
    assert root.p == pytest.approx(0.18)
    two = Split(claims=("a", "b"))
    rows = [Conditional(path=("claim",), split=two, given=one) for one in ((), (True,), (False,))]
    assert [one.p for one in learned(rows)] == [0.5, 0.5, 1.0]


def test_a_split_says_what_its_node_says() -> None:
    tree = uniform_tree(3, 1, gate=Threshold(2))
    assert split(tree) == Split(claims=("claim.0", "claim.1", "claim.2"), gate=Threshold(2))


@pytest.mark.parametrize("growth", [0.5, 2.5])
def test_the_cheapest_lie_costs_what_the_best_prover_gains(growth: float) -> None:
    """A distinct route to one number: backward induction of the liar, then of its opponent."""
    tree = uniform_tree(5, 2, gate=Threshold(3))
    found = evasion(tree, opening=0.2, leaf=1.0, growth=growth)
    game = ProverEstimator(depth=2, payoffs=Payoffs(growth=growth))
    truth = tree.truth(lambda _: 1.0)
    best = best_response(game, CLAIM, by_claim(tree), truth, Levels(found.levels))
    assert best.value / growth == pytest.approx(found.cost, rel=0.02)
    for levels in ((0.2, 1.0, 1.0), consistent(tree, 0.2)):
        other = best_response(game, CLAIM, by_claim(tree), truth, Levels(levels))
        assert other.value / growth > found.cost - 0.01


def test_a_lie_waits_where_stakes_shrink_and_is_told_at_once_where_they_grow() -> None:
    trees = [uniform_tree(4, depth, gate=Threshold(3)) for depth in (1, 2, 3)]
    early = [evasion(one, opening=0.2, leaf=0.95, growth=2.5) for one in trees]
    late = [evasion(one, opening=0.2, leaf=0.95, growth=0.5) for one in trees]
    assert all(one.cost > 0.5 for one in early)
    assert late[2].cost < late[1].cost < late[0].cost < 0.3
    assert early[2].levels[-1] == pytest.approx(0.95)
    assert late[2].levels[-1] < 0.8


def best_values(levels: list[tuple[float, ...]], payoffs: Payoffs) -> list[float]:
    """What the best prover gains from each on a true claim of two redundant levels."""
    tree, game = uniform_tree(4, 2, gate=Threshold(3)), ProverEstimator(depth=2, payoffs=payoffs)
    truth = tree.truth(lambda _: 1.0)
    return [best_response(game, CLAIM, by_claim(tree), truth, Levels(one)).value for one in levels]


def test_signs_and_distances_rank_estimators_alike() -> None:
    """Who is exact, who lies in the first round, and who lies down to the leaf, more and more."""
    tree = uniform_tree(4, 2, gate=Threshold(3))
    stated = [(1.0, 1.0, 1.0), (0.2, 1.0, 1.0), consistent(tree, 0.5), consistent(tree, 0.2)]
    linear, sign = (best_values(stated, one) for one in (Payoffs(), Payoffs(kind="sign")))
    assert sorted(linear) == linear
    assert sorted(sign) == sign
    assert linear[1:2] == pytest.approx([2.5 * 0.8])
    assert sign[1:2] == pytest.approx([2.5])
    assert linear[2:] == pytest.approx(sign[2:])  # nothing to see but the leaf


def test_a_small_contradiction_costs_a_whole_stake_under_signs_only() -> None:
    small = [(0.9, 1.0, 1.0)]
    assert best_values(small, Payoffs()) == pytest.approx([2.5 * 0.1])
    assert best_values(small, Payoffs(kind="sign")) == pytest.approx([2.5])


def test_a_tree_that_is_not_uniform_is_refused() -> None:
    odd = uniform_tree(2, 1).children
    tree = uniform_tree(2, 2)
    with pytest.raises(InputError, match="one gate and one width"):
        evasion(
            type(tree)(claim="root", children=(tree, odd[0])), opening=0.2, leaf=1.0, growth=2.0
        )
