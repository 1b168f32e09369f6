"""Gates of claims: exact values, early decisions, and expectations against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.errors import InputError
from solon.oversight.gates import And, Circuit, Gate, Mean, Or, Threshold

PARITY = Circuit.of(lambda bits: sum(bits) % 2 == 1, 4)
GATES: list[Gate] = [And(), Or(), Threshold(1), Threshold(3), Threshold(4), Mean(), PARITY]


def rows(m: int) -> np.ndarray:
    return np.array(list(product((False, True), repeat=m)))


@pytest.mark.parametrize("gate", GATES, ids=str)
@settings(max_examples=25, deadline=None)
@given(p=st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_the_expectation_is_the_sum_over_all_bits(gate: Gate, p: list[float]) -> None:
    bits = rows(4)
    mass = np.where(bits, p, 1 - np.array(p)).prod(axis=1)
    assert gate.expected(np.array(p)) == pytest.approx(mass @ gate.value(bits), abs=1e-12)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_a_gate_is_decided_exactly_where_all_completions_agree(gate: Gate) -> None:
    for length in range(5):
        for prefix in product((False, True), repeat=length):
            ends = gate.value(np.array([(*prefix, *rest) for rest in rows(4 - length).tolist()]))
            decided = gate.decided(prefix, 4)
            if isinstance(gate, Mean) and length < 4:
                assert decided is None
            else:
                assert decided == (ends[0] if len(set(ends)) == 1 else None)


def test_thresholds_by_hand() -> None:
    p = np.full(3, 0.5)
    assert Threshold(2).expected(p) == pytest.approx(0.5)
    assert Threshold(3).expected(np.array([0.9, 0.8, 0.5])) == pytest.approx(0.36)
    assert And().expected(np.full(4, 0.9)) == pytest.approx(0.6561)
    assert Or().expected(np.full(2, 0.1)) == pytest.approx(0.19)
    assert PARITY.expected(np.array([1.0, 1.0, 1.0, 0.25])) == pytest.approx(0.75)


def test_a_circuit_knows_its_own_width() -> None:
    assert PARITY.inputs == 4
    with pytest.raises(InputError, match="expected 4 subclaims, got 3"):
        PARITY.decided((), 3)
    with pytest.raises(InputError, match="2\\^m rows"):
        Circuit((True, False, True))
    with pytest.raises(InputError, match="got 8192"):
        Circuit((True, False) * 4096)
