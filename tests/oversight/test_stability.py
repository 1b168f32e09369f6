"""(eps, rho)-stability by hand, and an estimator that wavers with the wording."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from solon.errors import InputError
from solon.oversight.drive import drive
from solon.oversight.gates import And, Circuit, Gate, Mean, Or, Threshold
from solon.oversight.moves import Conditional, Estimate
from solon.oversight.planted import uniform_tree
from solon.oversight.stability import corrects, instability, moved, wavering


@pytest.mark.parametrize("q", [2, 10, 100])
def test_a_conjunction_of_true_claims_moves_by_one_less_the_power(q: int) -> None:
    assert moved(And(), np.ones(q), 0.1) == pytest.approx(1 - 0.9**q)


@pytest.mark.parametrize("q", [20, 100])
def test_a_threshold_of_nearly_true_claims_hardly_moves(q: int) -> None:
    assert moved(Threshold(int(0.6 * q)), np.full(q, 0.95), 0.2) < 0.1
    assert moved(And(), np.ones(q), 0.2) > 0.98
    assert moved(Threshold(q), np.ones(q), 0.2) == pytest.approx(moved(And(), np.ones(q), 0.2))


@pytest.mark.parametrize(
    "gate",
    [And(), Or(), Threshold(2), Mean(), Circuit.of(lambda bits: sum(bits) % 2 == 1, 3)],
    ids=str,
)
def test_no_point_of_the_box_moves_a_gate_further(gate: Gate) -> None:
    draw = np.random.default_rng(3)
    p, eps = np.array([0.15, 0.5, 0.9]), 0.2
    most = moved(gate, p, eps)
    inside = np.clip(p + draw.uniform(-eps, eps, (500, 3)), 0, 1)
    corners = np.clip(p + eps * np.array(list(product((-1, 1), repeat=3))), 0, 1)
    shifts = [abs(gate.expected(one) - gate.expected(p)) for one in (*inside, *corners)]
    assert max(shifts) == pytest.approx(most)


def test_parity_is_moved_at_a_corner_that_is_neither_all_up_nor_all_down() -> None:
    parity = Circuit.of(lambda bits: bits[0] != bits[1], 2)
    p = np.array([0.5, 0.0])
    assert moved(parity, p, 0.5) == pytest.approx(0.5)
    mixed = moved(parity, np.array([0.1, 0.9]), 0.1)
    assert mixed == pytest.approx(1 - (0.9**2 + 0.1**2))


def test_an_argument_is_as_stable_as_its_worst_gate() -> None:
    brittle = uniform_tree(16, 1)
    assert instability(brittle, lambda _: 1.0, 0.1) == pytest.approx(1 - 0.9**16)
    assert not corrects(brittle, lambda _: 1.0, 0.1)
    stable = uniform_tree(20, 2, gate=Threshold(12))
    assert corrects(stable, lambda _: 0.95, 0.2)
    assert instability(uniform_tree(2, 0), lambda _: 1.0, 0.1) == 0


def swayed(asked: Sequence[Conditional]) -> list[Estimate]:
    """Believes what is said loudly."""
    return [Estimate(p=0.9 if one.claim.endswith("!") else 0.3) for one in asked]


def test_an_estimator_that_hears_the_wording_wavers() -> None:
    found = drive(
        [wavering([("It is.", "So it is."), ("It is.", "It is!")])], {"estimator": swayed}
    )
    assert found[0].mean == pytest.approx((0.3, 0.6))
    assert found[0].spread == pytest.approx((0.0, 0.6 / np.sqrt(2)))
    assert found[0].above(0.1) == 0.5


def test_one_wording_says_nothing_of_wavering() -> None:
    with pytest.raises(InputError, match="two or more"):
        drive([wavering([("It is.",)])], {"estimator": swayed})
