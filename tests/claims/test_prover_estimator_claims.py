"""What the claims about obfuscated arguments predict, in plain numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solon.claims import obfuscation_breaks_debate as breaks
from solon.claims import prover_estimator_resists as resists
from solon.claims._dishonest import World
from solon.claims._low_balled import LEAF, gained, judged, played, redundant
from solon.claims._seeds import Column
from solon.oversight.gates import And, Threshold

FIVE = np.ones(5)


def losing(share: float) -> Column:
    """Five equal seeds in which an opponent wins as (b + 1)/q says, and semiprimes as given."""
    made = {f"names/{q}": 3 / q for q in breaks.WIDTHS}
    made |= {f"deep/{depth}": 3 / 4**depth for depth in breaks.DEPTHS}
    made |= {f"looks/{looks}": (looks + 1) / 64 for looks in breaks.LOOKS}
    made |= {"factors/4": 0.6, "factors/16": 0.2, "factors/64": share, "factors/256": share}
    made |= {"known": 1.0, "factored": 1.0}
    return {name: x * FIVE for name, x in made.items()}


def test_an_opponent_that_loses_as_one_in_q_bears_the_claim_out() -> None:
    found = breaks.predictions(losing(0.05))
    assert [one.verdict for one in found] == ["holds"] * 11
    assert found[3].finding.estimate == pytest.approx(-1)


def test_an_opponent_that_finds_the_factor_does_not() -> None:
    found = breaks.predictions(losing(0.9))
    assert [k for k, one in enumerate(found) if one.verdict == "fails"] == [6, 7]


def test_a_tiny_seed_of_recursive_debates_measures_all_that_the_table_needs() -> None:
    found = breaks.measure(Path(), breaks.ObfuscationBreaksDebate(games=20), 0)
    column = {name: np.array([max(x, 1e-3)] * 5) for name, x in found.items()}
    assert len(breaks.predictions(column)) == 11
    assert len(breaks.levels(column)) == 13
    assert all(0 <= x <= 1 for x in found.values())


def resisting(gain: float) -> Column:
    """Five equal seeds in which every dishonest gain from who has learned is the same."""
    made: dict[str, float] = {"tau": 0.7, "promised/16": 0.01, "weighted/16": gain}
    made |= {"played/16": gain, "richer/16": 0.08}
    for q in resists.WIDTHS:
        made |= {f"learned/{q}": gain, f"errors/{q}": gain / 0.002, f"few/{q}": gain + 0.01}
        made |= {f"uniform/{q}": 1.2 / q, f"unsized/{q}": 1.6 / q}
        made |= {f"redundant/{q}": 0.4, f"brittle/{q}": 1.4 / q}
    for depth in (1, 2, 3, 4):
        made |= {f"lie {r}/{depth}": 0.3 * r for r in (0.5, 1.0, 2.5)}
        made |= {f"asked/{depth}": 1 + 1.5 * depth, f"read/{depth}": 4**depth / 2}
    made["lie 0.5/4"] = 0.02
    return {name: x * FIVE for name, x in made.items()}


def test_no_gain_bears_the_claim_out_and_a_gain_does_not() -> None:
    column = resisting(0.001)
    both = [*resists.on_false(column), *resists.on_true(column)]
    assert {one.verdict for one in both} == {"holds"}
    assert len(both) == 29
    spoiled = resists.on_false(resisting(0.1))
    assert [k for k, one in enumerate(spoiled) if one.verdict == "fails"] == [*range(8), 13, 14]


def test_a_tiny_seed_of_debates_measures_all_that_the_table_needs() -> None:
    tiny = resists.ProverEstimatorResists(past=400, test=400, games=20)
    found = resists.measure(Path(), tiny, 0)
    column = {name: np.array([x] * 5) for name, x in found.items() if np.isfinite(x)}
    assert {name for name in found if name not in column} <= {"tau"}
    assert len([*resists.on_false(column), *resists.on_true(column)]) == 29
    assert len(resists.levels(column)) == 23


def test_the_game_pays_what_the_arrays_say() -> None:
    world = World.of(8, 1, past=2000, test=2000)
    table = world.uniform()
    gain, error = world.gain(table)
    assert gain > 20 * error
    assert world.played(table, games=300, budget=20) == pytest.approx(gain, abs=0.06)


def test_a_learned_estimator_resists_and_the_one_it_learned_from_did_not() -> None:
    world = World.of(8, 2, past=12_000, test=8000)
    gain, error = world.gain(world.learned(12_000))
    assert abs(gain) < 4 * error
    assert world.gain(world.uniform())[0] > 20 * error


@pytest.mark.parametrize("q", [4, 7])
def test_what_is_gained_of_a_true_claim_is_what_the_game_pays(q: int) -> None:
    for gate, leaf in ((redundant(q), LEAF), (And(), 1.0)):
        by_game = played(gate, q, leaf=leaf, games=40, seed=3)
        assert by_game == pytest.approx(gained(gate, q, leaf=leaf, draws=40, seed=3))


def test_three_fifths_are_rounded_up() -> None:
    assert [redundant(q) for q in (4, 5, 16)] == [Threshold(3), Threshold(3), Threshold(10)]


def test_a_judge_is_asked_once_where_nothing_is_assumed_and_once_more_for_each_assumption() -> None:
    found = judged(1, 400, 0)
    assert found["asked"] == found["read"] == pytest.approx(2.5, abs=0.25)
    assert judged(2, 200, 0)["read"] > judged(2, 200, 0)["asked"]
