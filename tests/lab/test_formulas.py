"""Random quantified formulas: the solver is right, what it counts is what a search reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from solon.errors import InputError, SettingError
from solon.lab.formulas import Formula, drawn, solve


def satisfied(formula: Formula, values: Sequence[bool]) -> bool:
    return all(any(values[abs(one) - 1] == (one > 0) for one in c) for c in formula.clauses)


def searched(formula: Formula, prefix: tuple[bool, ...] = ()) -> tuple[bool, int]:
    """Truth, and assignments read, by a search that stops where it may."""
    if len(prefix) == formula.variables:
        return satisfied(formula, prefix), 1
    exists = formula.quantifiers[len(prefix)] == "exists"
    truth, read = searched(formula, (*prefix, False))
    if truth == exists:
        return truth, read
    other, more = searched(formula, (*prefix, True))
    return other, read + more


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_a_drawn_formula_is_what_was_asked_for_by_a_search_of_its_own(
    truth: bool, seed: int
) -> None:
    formula = drawn(8, 10, truth=truth, seed=seed)
    assert searched(formula) == (truth, solve(formula).cost())
    prefix = (True, False, True)
    assert searched(formula, prefix) == (solve(formula).value(prefix), solve(formula).cost(prefix))
    assert formula.size == 30


def test_two_formulas_whose_truth_is_known_by_hand() -> None:
    copies = Formula(quantifiers=("forall", "exists"), clauses=((1, -2), (-1, 2)))
    assert solve(copies).truth
    assert not solve(replace(copies, quantifiers=("exists", "forall"))).truth
    assert solve(copies).share(()) == 0.5
    assert solve(copies).share((True, True)) == 1.0
    assert copies.usual == 0.5625


def test_true_and_false_formulas_have_the_same_shape() -> None:
    for truth in (True, False):
        formula = drawn(12, 15, truth=truth, seed=3)
        assert formula.quantifiers == ("forall", "exists") * 6
        for clause in formula.clauses:
            kinds = [formula.quantifiers[abs(one) - 1] for one in clause]
            assert kinds == ["forall", "exists", "exists"]
            assert len({abs(one) for one in clause}) == 3
        assert len(formula.clauses) == 15


def test_many_assignments_are_read_at_once_as_one_by_one() -> None:
    formula = drawn(8, 10, truth=True, seed=1)
    rows = np.random.default_rng(0).integers(2, size=(50, 8)) == 1
    assert formula.satisfied(rows).tolist() == [satisfied(formula, row) for row in rows.tolist()]


def test_a_formula_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="literals of 1 to 1"):
        Formula(quantifiers=("exists",), clauses=((1, 2),))
    with pytest.raises(InputError, match="at most 22"):
        solve(Formula(quantifiers=("exists",) * 23, clauses=((1,),)))
    with pytest.raises(SettingError, match="even number"):
        drawn(7, 5, truth=True, seed=0)
