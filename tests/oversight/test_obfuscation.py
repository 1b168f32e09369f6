"""Obfuscated arguments, and the recursive debate that they break."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solon.errors import InputError, SettingError
from solon.oversight.argument import by_claim
from solon.oversight.drive import drive
from solon.oversight.moves import Check, Disputed, Named
from solon.oversight.obfuscation import (
    DivisorJudge,
    Divisors,
    Semiprimes,
    argument,
    composite,
    interval,
    primes,
    size,
)
from solon.oversight.payoffs import HIGHER
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.provers import Prover, Selector
from solon.oversight.recursive import Guesser, Recursive, Searcher, Settled
from solon.records import Abstains


def test_thirteen_lies_in_the_last_of_four_intervals() -> None:
    tree = argument(221, 4)
    assert tree.claim == "221 has no factor from 2 to 14"
    assert [one.claim.split("from ")[1] for one in tree.children] == [
        "2 to 5",
        "6 to 8",
        "9 to 11",
        "12 to 14",
    ]
    judged = DivisorJudge()([Check(claim=one.claim, root=tree.claim) for one in tree.children])
    assert [one.p for one in judged] == [1, 1, 1, 0]
    assert [one.calls for one in judged] == [4, 3, 3, 3]


@pytest.mark.parametrize("parts", [2, 7, 64])
def test_intervals_cut_every_divisor_once_and_only_one_claim_is_false(parts: int) -> None:
    drawn = Semiprimes.drawn(20, parts=parts, seed=4)
    judge = DivisorJudge()
    for k in range(20):
        tree = drawn.tree(k)
        ends = [one.claim.split("from ")[1].split(" to ") for one in tree.children]
        numbers = [int(x) for low, high in ends for x in range(int(low), int(high) + 1)]
        assert numbers == list(range(2, int(drawn.root[k]) + 1))
        p = [one.p for one in judge([Check(claim=x.claim, root="") for x in tree.children])]
        assert p == drawn.bits[k].tolist()
        assert p.index(0) == drawn.flaw[k]


def test_to_know_that_a_number_is_composite_is_cheap_and_right() -> None:
    prime = set(primes(2, 2000).tolist())
    assert [n for n in range(2, 2000) if not composite(n)] == sorted(prime)
    assert composite(3215031751)  # fools the witnesses 2, 3, 5 and 7
    assert all(composite(int(n)) for n in Semiprimes.drawn(50, parts=4, seed=1).n)
    assert not composite(2147483647)


def test_a_search_finds_exactly_what_the_arrays_say() -> None:
    drawn, find = Semiprimes.drawn(300, parts=16, seed=2), Divisors(parts=16)
    for budget in (0, 20, 400):
        found = [find(drawn.tree(k).claim, budget) for k in range(300)]
        assert [one is not None for one in found] == drawn.found(budget).tolist()
        assert all(one in (None, flaw) for one, flaw in zip(found, drawn.flaw, strict=True))
    assert 0 < drawn.found(20).mean() < drawn.found(400).mean() < 1
    assert not drawn.without(20).found(20).any()


def test_what_is_seen_for_nothing_says_something_of_the_flaw() -> None:
    drawn = Semiprimes.drawn(20_000, parts=4, seed=0)
    bins = drawn.size(8)
    assert set(bins.tolist()) == set(range(8))
    last = [(drawn.flaw[bins == one] == 3).mean() for one in range(8)]
    assert (
        min(last[0], last[-1]) > max(last[3:6]) + 0.1
    )  # of small and of large n, both primes are alike
    assert size(np.array([1000**2, 6000**2]), 8).tolist() == [0, 7]


def test_draws_repeat_and_differ_by_seed() -> None:
    one, same, other = (Semiprimes.drawn(50, parts=4, seed=seed).n.tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_too_many_intervals_are_refused() -> None:
    with pytest.raises(InputError, match="from 2 to 13, got 14"):
        argument(221, 14)
    assert int(interval(np.array(13), np.array(14), 4)) == 3


def debated(q: int, depth: int, budget: int, games: int, seed: int = 0) -> list[Settled]:
    draw = np.random.default_rng(seed)
    trees = [uniform_tree(q, depth, name=f"claim{k}") for k in range(games)]
    truth: dict[str, float] = {}
    for tree in trees:
        truth |= planted(tree, int(draw.integers(q**depth)))
    arguments = by_claim(*trees)
    seats: dict[str, Any] = {
        "prover": Prover(arguments=arguments, pointing=Selector(child=0, direction=HIGHER)),
        "opponent": Searcher(arguments=arguments, truth=truth, budget=budget, seed=seed),
        "judge": Judge(truth),
    }
    game = Recursive(depth=depth)
    return drive([game.play(Disputed(claim=one.claim)) for one in trees], seats)


@pytest.mark.parametrize(("q", "depth", "budget"), [(4, 1, 0), (16, 1, 2), (4, 2, 3), (2, 3, 1)])
def test_an_honest_opponent_wins_with_one_more_than_its_looks_of_all_leaves(
    q: int, depth: int, budget: int
) -> None:
    games, leaves = 2000, q**depth
    share = np.mean([one.refuted for one in debated(q, depth, budget, games)])
    want = (budget + 1) / leaves
    assert share == pytest.approx(want, abs=4 * (want * (1 - want) / games) ** 0.5)


def test_who_may_look_at_all_but_one_leaf_always_wins() -> None:
    ended = debated(4, 2, 15, 100)
    assert all(one.refuted for one in ended)
    assert {one.calls["opponent"] for one in ended} == {15}
    assert {len(one.path) for one in ended} == {3}
    assert {one.asked["judge"] for one in ended} == {1}


def test_a_true_argument_is_never_refuted() -> None:
    tree = uniform_tree(4, 1)
    truth = tree.truth(lambda _: 1.0)
    arguments = by_claim(tree)
    seats = {
        "prover": Prover(arguments=arguments, pointing=Selector(child=0, direction=HIGHER)),
        "opponent": Searcher(arguments=arguments, truth=truth, budget=4),
        "judge": Judge(truth),
    }
    assert not drive([Recursive().play(Disputed(claim="claim"))], seats)[0].refuted


def test_an_opponent_that_factors_names_the_interval_and_else_the_likeliest() -> None:
    drawn = Semiprimes.drawn(60, parts=8, seed=9)
    trees = [drawn.tree(k) for k in range(60)]
    seats = {
        "prover": Prover(arguments=by_claim(*trees), pointing=Selector(child=0, direction=HIGHER)),
        "opponent": Guesser(peek=Divisors(parts=8), budget=300, otherwise=7),
        "judge": DivisorJudge(),
    }
    ended = drive([Recursive().play(Disputed(claim=one.claim)) for one in trees], seats)
    won = [one.refuted for one in ended]
    assert won == (drawn.found(300) | (drawn.flaw == 7)).tolist()
    assert 0 < sum(won) < 60


def test_the_rules_of_recursive_debate_are_checked() -> None:
    with pytest.raises(SettingError, match="depth"):
        Recursive(depth=0)
    assert Recursive().seats == ("prover", "opponent", "judge")
    tree = uniform_tree(2, 1)
    seats: dict[str, Any] = {
        "prover": Prover(arguments=by_claim(tree), pointing=Selector(child=0, direction=HIGHER)),
        "opponent": lambda asked: [Named(child=2)],
        "judge": Judge(tree.truth(lambda _: 1.0)),
    }
    with pytest.raises(InputError, match="expected 0 to 1, got 2"):
        drive([Recursive().play(Disputed(claim="claim"))], seats)
    seats["opponent"] = lambda asked: [Abstains(reason="tired")]
    (ended,) = drive([Recursive().play(Disputed(claim="claim"))], seats)
    assert (ended.failed, ended.refuted) == ("opponent: tired", False)
