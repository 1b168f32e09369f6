"""DPO and kin in plain floats, and as TRL's trainers compute them."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from paired import PAIRS, Pair, at, check, logps, named, sigma, slopes, value

from solon.objectives import noise, pairwise
from solon.objectives.batch import PairLogps, rows
from solon.objectives.pairwise import DPO, IPO, ORPO, Hinge, SimPO

TRL = json.loads((Path(__file__).parent / "trl_pairs.json").read_text("utf-8"))
EVERY = [DPO(), IPO(), IPO(per="token"), Hinge(), SimPO(), ORPO()]


def dpo(one: Pair) -> float:
    return -math.log(sigma(0.1 * one.delta))


def ipo(one: Pair) -> float:
    return (one.delta - 1 / (2 * 0.3)) ** 2


def ipo_by_token(one: Pair) -> float:
    chosen = (one.chosen - one.anchor_chosen) / one.chosen_tokens
    rejected = (one.rejected - one.anchor_rejected) / one.rejected_tokens
    return (chosen - rejected - 1 / (2 * 0.3)) ** 2


def hinge(one: Pair) -> float:
    return max(0.0, 1 - 0.1 * one.delta)


def simpo(one: Pair) -> float:
    chosen, rejected = one.means
    return -math.log(sigma(2.0 * chosen - 2.0 * rejected - 0.7))


def orpo(one: Pair) -> float:
    chosen, rejected = (math.exp(mean) for mean in one.means)
    ratio = (chosen / (1 - chosen)) / (rejected / (1 - rejected))
    return -math.log(chosen) - 0.4 * math.log(sigma(math.log(ratio)))


FORMULAE = [
    (DPO(beta=0.1), dpo),
    (IPO(beta=0.3), ipo),
    (IPO(beta=0.3, per="token"), ipo_by_token),
    (Hinge(beta=0.1), hinge),
    (SimPO(beta=2.0, gamma=0.7), simpo),
    (ORPO(lam=0.4), orpo),
]


@pytest.mark.parametrize(("objective", "each"), FORMULAE, ids=named)
def test_each_loss_is_its_formula_on_soft_labels_and_weights_and_so_is_its_gradient(
    objective, each
):
    check(objective, each, PAIRS)


def ours(case):
    kind = getattr(pairwise, case["objective"], None) or getattr(noise, case["objective"])
    return kind(**case["settings"])


@pytest.mark.parametrize("case", TRL["cases"], ids=lambda c: f"{c['objective']} {c['settings']}")
def test_losses_and_gradients_are_those_of_trl(case):
    pairs = [
        Pair(**dict(zip(TRL["pairs"], column, strict=True)))
        for column in zip(*TRL["pairs"].values(), strict=True)
    ]
    for one, loss, gradient in zip(pairs, case["losses"], case["gradients"], strict=True):
        x = logps([one])
        assert value(ours(case)(x)) == pytest.approx(loss, abs=1e-6)
        found = [float(side[0]) for side in slopes(ours(case), x)]
        assert found == pytest.approx(gradient, abs=1e-6)


def test_the_figures_of_trl_cover_what_both_have():
    assert TRL["versions"]["trl"] == "1.16.0"
    assert {case["objective"] for case in TRL["cases"]} == {
        *("DPO", "Hinge", "IPO", "CDPO", "RDPO", "SimPO", "ORPO")
    }


def test_where_the_policy_is_its_anchor_dpo_is_log_2_with_slope_half_of_beta():
    x = logps([at(0.0)])
    assert value(DPO(beta=0.4)(x)) == pytest.approx(math.log(2), abs=1e-15)
    assert [float(side[0]) for side in slopes(DPO(beta=0.4), x)] == pytest.approx([-0.2, 0.2])


@pytest.mark.parametrize("lam", [0.1, 0.7, 5.0])
def test_dpo_is_the_loss_of_spin_whose_lambda_is_beta(lam):
    """l(lambda log p(y) / p_t(y) - lambda log p(y') / p_t(y')), l(t) = log(1 + e^-t), eq. 4.7."""

    def spin(one: Pair) -> float:
        real = lam * (one.chosen - one.anchor_chosen)
        generated = lam * (one.rejected - one.anchor_rejected)
        return math.log(1 + math.exp(-(real - generated)))

    check(DPO(beta=lam), spin, [replace(one, p=1.0, weight=1.0) for one in PAIRS])


def test_a_soft_label_is_recovered_at_dpos_minimum_and_ipo_ends_at_half_over_beta():
    u = math.log(0.8 / 0.2)
    assert float(slopes(DPO(), logps([at(u, p=0.8, beta=0.1)]))[0][0]) == pytest.approx(
        0, abs=1e-15
    )
    drawn = logps([at(1 / (2 * 0.25))])
    assert value(IPO(beta=0.25)(drawn)) == 0.0
    assert float(slopes(IPO(beta=0.25), drawn)[0][0]) == 0.0


def test_only_simpo_and_orpo_do_without_an_anchor():
    moved = [replace(one, anchor_chosen=-1.0, anchor_rejected=-99.0) for one in PAIRS]
    for objective in EVERY:
        free = type(objective) in (SimPO, ORPO)
        assert objective.anchored is not free
        one, other = objective(logps(PAIRS)), objective(logps(moved))
        assert (value(one) == value(other)) is free
        assert (one.metrics == other.metrics) is free


def test_metrics_are_means_by_weight_and_ties_count_as_halves():
    pairs = [
        Pair(-4.0, -5.0, -4.5, -4.5, p=0.9, weight=1.0),  # right
        Pair(-4.0, -5.0, -4.5, -4.5, p=0.2, weight=2.0),  # wrong
        Pair(-6.0, -6.0, -6.0, -6.0, p=1.0, weight=3.0),  # no margin
        Pair(-9.0, -2.0, -4.0, -4.0, p=0.5, weight=1.0),  # no preference
        Pair(-1.0, -2.0, -4.0, -4.0, p=0.5, weight=0.0),
    ]
    loss = DPO(beta=0.5)(logps(pairs))
    assert loss.weight == 7.0
    assert loss.metrics == pytest.approx(
        {
            "accuracy": (1 + 0 + 1.5 + 0.5) / 7,
            "margin": (0.5 + 2 * 0.5 - 3.5) / 7,
            "abs_margin": (0.5 + 2 * 0.5 + 3.5) / 7,
            "chosen_logp": (-4 - 8 - 18 - 9) / 7,
            "rejected_logp": (-5 - 10 - 18 - 2) / 7,
            "chosen_reward": (0.25 + 2 * 0.25 - 2.5) / 7,
            "rejected_reward": (-0.25 - 2 * 0.25 + 1.0) / 7,
            "kept": 4 / 5,
        }
    )


def test_both_rewards_may_fall_while_the_margin_grows():
    metrics = DPO(beta=1.0)(logps([Pair(-6.0, -9.0)])).metrics
    assert metrics["margin"] == 3.0
    assert (metrics["chosen_reward"], metrics["rejected_reward"]) == (-2.0, -5.0)


@pytest.mark.parametrize("objective", EVERY, ids=repr)
def test_without_weights_all_pairs_count_alike(objective):
    x = logps([replace(one, weight=0.3) for one in PAIRS])
    bare = replace(x, weight=None)
    assert objective(bare).weight == 4.0
    torch.testing.assert_close(objective(bare).value, objective(x).value)
    torch.testing.assert_close(slopes(objective, bare), slopes(objective, x))


@pytest.mark.parametrize("objective", EVERY, ids=repr)
@pytest.mark.parametrize("cuts", [[[0], [1, 2, 3]], [[3, 1], [0], [2]], [[0, 1, 3], [2]]])
def test_chunks_add_up_and_one_that_weighs_nothing_drops_out(objective, cuts):
    gated = [*PAIRS[:2], replace(PAIRS[2], weight=0.0), PAIRS[3]]
    x = logps(gated)
    whole = objective(x)
    parts = [objective(rows(x, torch.tensor(cut))) for cut in cuts]
    total = sum(part.weight for part in parts)
    assert total == pytest.approx(whole.weight, rel=1e-15)
    joined = sum(part.value * part.weight for part in parts) / total
    torch.testing.assert_close(joined, whole.value)
    for leaf in (x.chosen, x.rejected):
        torch.testing.assert_close(
            *(torch.autograd.grad(one, leaf, retain_graph=True) for one in (joined, whole.value))
        )
    for name in whole.metrics.keys() - {"kept"}:
        each = sum(part.metrics[name] * part.weight for part in parts) / total
        assert each == pytest.approx(whole.metrics[name])


@pytest.mark.parametrize("objective", EVERY, ids=repr)
def test_a_batch_that_weighs_nothing_has_no_value_no_weight_and_no_gradient(objective):
    x = logps([replace(one, weight=0.0) for one in PAIRS])
    loss = objective(x)
    assert (value(loss), loss.weight, loss.metrics["kept"]) == (0.0, 0.0, 0.0)
    assert all((side == 0).all() for side in slopes(objective, x))


def test_no_gradient_reaches_the_weights():
    x = logps(PAIRS)
    live = replace(x, weight=x.weight.clone().requires_grad_())
    assert torch.autograd.grad(DPO()(live).value, live.weight, allow_unused=True) == (None,)
    torch.testing.assert_close(slopes(DPO(), live), slopes(DPO(), x))


@pytest.mark.parametrize("objective", EVERY, ids=repr)
def test_certain_and_impossible_completions_stay_finite(objective):
    x = logps([Pair(0.0, -1e4), Pair(-1e4, 0.0, p=0.7), Pair(0.0, 0.0)])
    single = PairLogps(**{k: getattr(x, k).detach().float() for k in PairLogps.__slots__})
    for batch in (x, single):
        loss = objective(batch)
        assert math.isfinite(value(loss))
        assert all(math.isfinite(figure) for figure in loss.metrics.values())
    assert all(bool(torch.isfinite(side).all()) for side in slopes(objective, x))
