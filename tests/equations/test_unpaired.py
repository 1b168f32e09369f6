"""KTO in plain floats, and as TRL's trainer computes it."""

import json
import math
from pathlib import Path

import pytest
import torch

from solon.objectives.batch import MarkLogps, rows
from solon.objectives.unpaired import KTO

TRL = json.loads((Path(__file__).parent / "trl_pairs.json").read_text("utf-8"))
LOGPS, ANCHOR, DESIRABLE = [-4.0, -9.5, -30.25, -0.75], [-4.2, -8.0, -52.5, -1.25], [1, 0, 1, 0]


def marks(logps=LOGPS, anchor=ANCHOR, desirable=DESIRABLE, kl=0.7) -> MarkLogps:
    return MarkLogps(
        logps=torch.tensor(logps, dtype=torch.float64).requires_grad_(),
        anchor=torch.tensor(anchor, dtype=torch.float64),
        desirable=torch.tensor(desirable, dtype=torch.bool),
        kl=torch.full((len(logps),), kl, dtype=torch.float64),
    )


def sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def plain(logps, kto: KTO, kl: float = 0.7) -> float:
    each = []
    for policy, anchor, good in zip(logps, ANCHOR, DESIRABLE, strict=True):
        r, z = kto.beta * (policy - anchor), kto.beta * kl
        each.append(
            kto.desirable * (1 - sigma(r - z)) if good else kto.undesirable * (1 - sigma(z - r))
        )
    return sum(each) / len(each)


@pytest.mark.parametrize("kto", [KTO(), KTO(beta=0.4, desirable=1.3, undesirable=0.6)])
def test_kto_is_its_formula_and_so_is_its_gradient(kto):
    x = marks()
    loss = kto(x)
    assert float(loss.value.detach()) == pytest.approx(plain(LOGPS, kto), rel=1e-12)
    assert loss.weight == 4.0
    (gradient,) = torch.autograd.grad(loss.value, x.logps)
    for i in range(4):
        up, down = (
            plain([v + by * (j == i) for j, v in enumerate(LOGPS)], kto) for by in (1e-6, -1e-6)
        )
        assert float(gradient[i]) == pytest.approx((up - down) / 2e-6, abs=1e-9)


@pytest.mark.parametrize("case", TRL["kto"], ids=lambda case: f"{case['settings']}, {case['kl']}")
def test_loss_and_gradient_are_those_of_trl(case):
    x = marks(**TRL["marks"], kl=case["kl"])
    loss = KTO(**case["settings"])(x)
    assert float(loss.value.detach()) == pytest.approx(case["loss"], abs=1e-6)
    (gradient,) = torch.autograd.grad(loss.value, x.logps)
    assert gradient.tolist() == pytest.approx(case["gradient"], abs=1e-6)


def test_the_figures_of_trl_have_a_reference_point_above_0_and_one_clamped_to_it():
    assert {case["kl"] for case in TRL["kto"]} == {0.0, 1.0}


def test_no_gradient_reaches_the_reference_point():
    x = marks()
    kl = x.kl.clone().requires_grad_()
    live = MarkLogps(logps=x.logps, anchor=x.anchor, desirable=x.desirable, kl=kl)
    loss = KTO()(live).value
    assert torch.autograd.grad(loss, kl, allow_unused=True, retain_graph=True) == (None,)
    torch.testing.assert_close(
        torch.autograd.grad(loss, x.logps), torch.autograd.grad(KTO()(x).value, x.logps)
    )


def test_the_pull_is_strongest_at_the_reference_point_and_saturates_on_either_side():
    def pull(r: float) -> float:
        x = marks(logps=[r], anchor=[0.0], desirable=[1], kl=2.0)
        return float(torch.autograd.grad(KTO(beta=1.0)(x).value, x.logps)[0])

    assert pull(2.0) == pytest.approx(-0.25)
    assert pull(2.0 + 3) == pytest.approx(pull(2.0 - 3)) == pytest.approx(-sigma(3) * sigma(-3))


def test_metrics_count_from_the_reference_point_and_ties_as_halves():
    x = marks(logps=[-1.0, -3.0, -1.0, -2.0], anchor=[-2.0] * 4, desirable=[1, 1, 0, 0], kl=0.0)
    metrics = KTO(beta=0.5)(x).metrics
    assert metrics == pytest.approx(  # right, wrong, wrong, on the point
        {"accuracy": 1.5 / 4, "margin": -0.125, "reward": 0.125, "kl": 0.0, "desirable": 0.5}
    )


@pytest.mark.parametrize("cuts", [[[0], [1, 2, 3]], [[3, 1], [0, 2]]])
def test_chunks_of_marks_average_to_the_whole(cuts):
    x, objective = marks(), KTO(desirable=1.5)
    whole = objective(x)
    parts = [objective(rows(x, torch.tensor(cut))) for cut in cuts]
    value = sum(part.value * part.weight for part in parts) / whole.weight
    torch.testing.assert_close(value, whole.value)
    torch.testing.assert_close(
        torch.autograd.grad(value, x.logps), torch.autograd.grad(whole.value, x.logps)
    )
    for name, figure in whole.metrics.items():
        each = sum(part.metrics[name] * part.weight for part in parts) / whole.weight
        assert each == pytest.approx(figure)
