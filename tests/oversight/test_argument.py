"""Trees of claims, and what conditional probabilities imply for a parent."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.errors import InputError
from solon.oversight.argument import Node, by_claim, implied, prefixes
from solon.oversight.gates import And, Circuit, Gate, Mean, Or, Threshold
from solon.oversight.planted import planted, uniform_tree

GATES: list[Gate] = [
    And(),
    Or(),
    Threshold(2),
    Mean(),
    Circuit.of(lambda bits: bits[0] != (bits[1] and bits[2]), 3),
]


def opened(gate: Gate, m: int):
    found = prefixes(gate, m)
    assert found is not None
    return found


@pytest.mark.parametrize("gate", GATES, ids=str)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_parent_is_the_sum_over_all_bits_of_the_chain_rule(gate: Gate, seed: int) -> None:
    draw = np.random.default_rng(seed)
    p = {
        given: float(draw.random())
        for length in range(3)
        for given in product((False, True), repeat=length)
    }
    total = 0.0
    for bits in product((False, True), repeat=3):
        mass = np.prod([p[bits[:i]] if bits[i] else 1 - p[bits[:i]] for i in range(3)])
        total += mass * gate.value(np.array([bits]))[0]
    assert implied(opened(gate, 3), p) == pytest.approx(total, abs=1e-12)


def test_a_conjunction_asks_m_questions_and_implies_their_product() -> None:
    rows = opened(And(), 5)
    assert [one.given for one in rows] == [(True,) * k for k in range(5)]
    p = {(True,) * k: (5 - k - 1) / (5 - k) for k in range(5)}
    assert implied(rows, p) == 0  # one of five is false: the last must be, if the others hold
    p[True, True, True, True] = 0.5
    assert implied(rows, p) == pytest.approx(4 / 5 * 3 / 4 * 2 / 3 * 1 / 2 * 0.5)


@pytest.mark.parametrize(
    ("gate", "m", "asked"),
    [(Or(), 5, 5), (Threshold(2), 3, 5), (Mean(), 12, 4095), (And(), 256, 256)],
)
def test_only_what_leaves_the_parent_open_is_asked(gate: Gate, m: int, asked: int) -> None:
    assert len(opened(gate, m)) == asked


def test_wide_gates_are_not_asked_exactly() -> None:
    assert prefixes(Mean(), 13) is None
    assert prefixes(Threshold(20), 40) is None


def test_a_gate_that_says_the_same_whatever_holds_is_refused() -> None:
    two = (Node(claim="a"), Node(claim="b"))
    for k in (0, 3):
        with pytest.raises(InputError, match="2 subclaims decide"):
            Node(claim="root", children=two, gate=Threshold(k))


def test_truth_rises_from_the_leaves() -> None:
    tree = uniform_tree(3, 2, gate=Threshold(2))
    truth = tree.truth(lambda claim: 0.9)
    one = 3 * 0.9**2 * 0.1 + 0.9**3
    assert truth["claim.1"] == pytest.approx(one)
    assert truth["claim"] == pytest.approx(3 * one**2 * (1 - one) + one**3)


def test_one_false_leaf_fells_every_claim_above_it_and_no_other() -> None:
    truth = planted(uniform_tree(2, 3), flaw=5)
    false = {claim for claim, p in truth.items() if p == 0}
    assert false == {"claim", "claim.1", "claim.1.0", "claim.1.0.1"}


def test_two_claims_of_one_name_must_be_the_same() -> None:
    tree = uniform_tree(2, 1)
    assert by_claim(tree, tree)["claim"] is tree
    with pytest.raises(InputError, match=r"'claim.*' twice"):
        by_claim(tree, uniform_tree(3, 1))
