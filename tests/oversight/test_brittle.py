"""How far stated estimates let a claim move: by hand, and against every corner of the box."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from solon.errors import InputError
from solon.oversight.argument import by_claim, implied, prefixes
from solon.oversight.brittle import brittleness, swing
from solon.oversight.doubting import Doubting
from solon.oversight.drive import drive
from solon.oversight.estimators import Levels
from solon.oversight.gate_names import gate_of, spelt
from solon.oversight.gates import And, Circuit, Gate, Mean, Or, Threshold
from solon.oversight.moves import Conditional, Disputed, Split
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Honest, Prover
from solon.oversight.stability import moved
from solon.records import TreeDebate

GATES = [And(), Or(), Threshold(2), Mean(), Circuit.of(lambda bits: sum(bits) % 2 == 1, 3)]


@pytest.mark.parametrize("gate", [*GATES, Threshold(11)], ids=str)
def test_a_gate_comes_back_by_its_name(gate: Gate) -> None:
    assert gate_of(spelt(gate)) == gate


@pytest.mark.parametrize("name", ["", "at least", "at least x", "circuit ", "circuit 012", "most"])
def test_no_other_name_is_a_gate(name: str) -> None:
    with pytest.raises(InputError):
        gate_of(name)


def test_a_gate_of_another_kind_has_no_name() -> None:
    odd: Any = "odd"
    with pytest.raises(InputError, match="a name, got odd"):
        spelt(odd)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_no_corner_of_the_box_moves_the_implied_probability_further(gate: Gate) -> None:
    opened = prefixes(gate, 3)
    assert opened is not None
    draw, eps = np.random.default_rng(5), 0.2
    p = {one.given: float(draw.uniform(0, 1)) for one in opened}
    stated = implied(opened, p)
    reached = [
        abs(implied(opened, {k: min(1.0, max(0.0, p[k] + eps * s)) for k, s in signs}) - stated)
        for signs in (
            list(zip(p, corner, strict=True)) for corner in product((-1, 1), repeat=len(p))
        )
    ]
    assert swing(opened, p, eps) == pytest.approx(max(reached))


@pytest.mark.parametrize("q", [2, 16])
def test_of_independent_estimates_of_a_monotone_gate_it_is_what_the_gate_moves(q: int) -> None:
    opened = prefixes(And(), q)
    assert opened is not None
    p = {one.given: 0.9 for one in opened}
    assert swing(opened, p, 0.05) == pytest.approx(moved(And(), np.full(q, 0.9), 0.05))
    with pytest.raises(InputError, match="eps"):
        swing(opened, p, 1.5)


def debated(gate: Gate, *, whole: bool, m: int = 4) -> TreeDebate:
    tree = uniform_tree(m, 1, gate=gate)
    truth = tree.truth(lambda _: 1.0)
    seats = {
        "prover": Prover(arguments=by_claim(tree), pointing=Honest(truth)),
        "estimator": Levels((0.2, 0.95)),
        "judge": Judge(truth),
    }
    game = ProverEstimator(whole=whole, samples=50)
    return drive([game.play(Disputed(claim="claim", name="c"))], seats)[0]


def test_a_debate_is_as_brittle_as_its_worst_split() -> None:
    conjunction, redundant = debated(And(), whole=True), debated(Threshold(2), whole=True)
    assert brittleness(conjunction, 0.05) == pytest.approx(1 - 0.95**4)  # all may hold
    found = brittleness(redundant, 0.05)
    assert found is not None
    assert found < 0.01
    assert brittleness(debated(And(), whole=False), 0.05) is None  # no split is on record
    assert brittleness(debated(Threshold(10), whole=True, m=20), 0.05) is None  # too wide


def test_a_doubter_is_off_by_no_more_than_it_may_and_says_the_same_again() -> None:
    tree = uniform_tree(4, 1)
    truth = planted(tree, flaw=1)
    asked = [
        Conditional(path=("claim",), split=Split(claims=tuple(truth)), given=(True,) * k)
        for k in range(len(truth))
    ]
    one, other = Doubting(truth=truth, error=0.3, seed=1), Doubting(truth=truth, error=0.3, seed=2)
    stated = [reply.p for reply in one(asked)]
    assert all(abs(p - t) <= 0.3 for p, t in zip(stated, truth.values(), strict=True))
    assert stated == [reply.p for reply in one(asked)]
    assert stated != [reply.p for reply in other(asked)]
