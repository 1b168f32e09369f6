"""Debate on quantified formulas: optimal play decides them, and each foil fails as it must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from solon.errors import SettingError
from solon.lab.formulas import Formula, drawn, solve
from solon.oversight.drive import drive
from solon.oversight.quantified import Decided, Direct, Instance, Move, Moved, Quantified, Reading
from solon.oversight.quantified_players import Bounded, Coin, Optimal, Prover, Reader
from solon.seams.games import Game, Seat

INSTANCES = [
    Instance(formula=drawn(10, 12, truth=seed % 2 == 0, seed=500 + seed), seed=seed)
    for seed in range(40)
]


def seated(exists: Seat, forall: Seat) -> dict[str, Seat]:
    return {"exists": exists, "forall": forall, "judge": Reader()}


def decided(
    seats: Mapping[str, Seat], instances=INSTANCES, game: Game[Instance, Decided] = Quantified()
) -> list[Decided]:
    return drive([game.play(one) for one in instances], seats)


def accuracy(ended: list[Decided], instances=INSTANCES) -> float:
    pairs = zip(ended, instances, strict=True)
    return sum(one.truth == solve(it.formula).truth for one, it in pairs) / len(ended)


def test_optimal_debaters_decide_every_formula_by_one_reading() -> None:
    ended = decided(seated(Optimal(), Optimal()))
    assert accuracy(ended) == 1.0
    for one, instance in zip(ended, INSTANCES, strict=True):
        assert 0 < one.literals <= instance.formula.size
        assert one.searched >= solve(instance.formula).cost()


def test_an_optimal_debater_of_the_right_side_wins_against_anyone() -> None:
    for opponent in (Coin(), Bounded(endings=8), Prover(), Optimal()):
        true = decided(seated(Optimal(), opponent), INSTANCES[::2])
        false = decided(seated(opponent, Optimal()), INSTANCES[1::2])
        assert all(one.truth for one in true)
        assert not any(one.truth for one in false)


def test_a_single_prover_talks_the_judge_into_every_formula_that_has_one_good_line() -> None:
    ended = decided(seated(Prover(), Prover()))
    for one, instance in zip(ended, INSTANCES, strict=True):
        assert one.truth == solve(instance.formula).values[-1].any()
    assert accuracy(ended) == 0.5


def test_a_single_prover_suffices_where_all_is_there_is() -> None:
    """NP: formulas of which one in two has no satisfying assignment."""
    instances = []
    for seed in range(40):
        formula = drawn(6, 24, truth=False, seed=seed)
        only = replace(formula, quantifiers=("exists",) * 6)
        instances.append(Instance(formula=only, seed=seed))
    truths = {solve(one.formula).truth for one in instances}
    assert truths == {True, False}
    assert accuracy(decided(seated(Prover(), Prover()), instances), instances) == 1.0


def test_the_judge_alone_pays_by_the_reading_and_does_worse() -> None:
    alone = {"judge": Reader()}
    one, many = (decided(alone, game=Direct(looks=looks)) for looks in (1, 64))
    assert accuracy(one) < 0.75
    assert sum(it.literals for it in many) > 30 * sum(it.literals for it in one)


def test_bounded_debaters_do_better_the_more_endings_they_try() -> None:
    few, many = (
        accuracy(decided(seated(Bounded(endings=n), Bounded(endings=n)))) for n in (1, 128)
    )
    assert few < many
    (ended,) = decided(seated(Bounded(endings=3), Bounded(endings=3)), INSTANCES[:1])
    assert ended.searched == 10 * 2 * 3


def test_a_lost_debater_sets_a_trap() -> None:
    """x1 for each, x2 there is: (x2) is true; after x1 the mover for "each" has no winning move."""
    clauses = ((2, 1), (2, -1, 3), (2, -1, -3), (-1, 3, -2))
    formula = Formula(quantifiers=("forall", "exists", "exists"), clauses=clauses)
    assert solve(formula).truth
    (moved,) = Optimal()([Move(instance=Instance(formula=formula), before=())])
    assert solve(formula).share((moved.value,)) < solve(formula).share((not moved.value,))


def test_the_judge_reads_no_further_than_it_must() -> None:
    formula = Formula(quantifiers=("exists",) * 3, clauses=((1, 2), (-1, 3), (2, 3)))
    reads = [
        Reader()([Reading(formula=formula, values=values)])[0]
        for values in ((True, False, True), (True, False, False), (False, False, True))
    ]
    assert [(one.holds, one.literals) for one in reads] == [(True, 5), (False, 3), (False, 2)]


def test_each_debater_is_asked_for_its_own_variables_in_order() -> None:
    heard: list[tuple[str, int]] = []

    def scribe(asked) -> list[Moved]:
        heard.extend((one.mover, len(one.before)) for one in asked)
        return [Moved(value=True) for _ in asked]

    decided(seated(scribe, scribe), INSTANCES[:1])
    assert heard == [(("forall", "exists")[n % 2], n) for n in range(10)]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SettingError, match="looks: expected 1 or more, got 0"):
        Direct(looks=0)
    with pytest.raises(SettingError, match="endings: expected 1 or more, got 0"):
        Bounded(endings=0)
