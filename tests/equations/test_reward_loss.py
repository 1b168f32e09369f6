"""Bradley-Terry, ensembles and the negative log-likelihood, in plain floats."""

import math

import pytest
import torch

from solon.objectives.batch import PairRewards, TextLogps, rows
from solon.objectives.imitation import NLL
from solon.objectives.reward import BradleyTerry, mean, uncertainty_weighted, worst

CHOSEN, REJECTED, P = [0.4, -1.2, 0.3, 2.0], [-0.1, 0.9, 0.3, 1.5], [0.8, 1.0, 0.35, 0.5]


def pairs(chosen=CHOSEN, rejected=REJECTED, p=P) -> PairRewards:
    return PairRewards(
        chosen=torch.tensor(chosen, dtype=torch.float64).requires_grad_(),
        rejected=torch.tensor(rejected, dtype=torch.float64).requires_grad_(),
        p=torch.tensor(p, dtype=torch.float64),
    )


def sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def plain(chosen, rejected, margin: float, centre: float) -> float:
    each = [
        -(p * math.log(sigma(c - r - margin)) + (1 - p) * math.log(sigma(r - c - margin)))
        + centre * (c + r) ** 2
        for c, r, p in zip(chosen, rejected, P, strict=True)
    ]
    return sum(each) / len(each)


@pytest.mark.parametrize(("margin", "centre"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.01), (1.0, 0.1)])
def test_bradley_terry_is_its_formula_and_so_is_its_gradient(margin, centre):
    x = pairs()
    loss = BradleyTerry(margin=margin, centre=centre)(x)
    assert float(loss.value.detach()) == pytest.approx(plain(CHOSEN, REJECTED, margin, centre))
    assert loss.weight == 4.0
    gradient, against = torch.autograd.grad(loss.value, (x.chosen, x.rejected))
    for i in range(4):
        for got, up, down in (
            (gradient, lambda e, i=i: (bump(CHOSEN, i, e), REJECTED), -1),
            (against, lambda e, i=i: (CHOSEN, bump(REJECTED, i, e)), -1),
        ):
            numeric = (
                plain(*up(1e-6), margin, centre) - plain(*up(down * 1e-6), margin, centre)
            ) / 2e-6
            assert float(got[i]) == pytest.approx(numeric, abs=1e-9)


def bump(values, i, by):
    return [v + by * (j == i) for j, v in enumerate(values)]


def test_a_certain_label_gives_the_hard_loss_and_a_half_is_least_at_no_gap():
    x = pairs(chosen=[1.0], rejected=[0.0], p=[1.0])
    assert float(BradleyTerry()(x).value.detach()) == pytest.approx(math.log(1 + math.exp(-1)))
    even = pairs(chosen=[0.0], rejected=[0.0], p=[0.5])
    loss = BradleyTerry()(even)
    assert float(loss.value.detach()) == pytest.approx(math.log(2))
    assert float(torch.autograd.grad(loss.value, even.chosen)[0]) == 0.0


def test_soft_labels_are_recovered_at_the_minimum():
    p = [0.9, 0.3]
    x = pairs(chosen=[math.log(q / (1 - q)) for q in p], rejected=[0.0, 0.0], p=p)
    (gradient,) = torch.autograd.grad(BradleyTerry()(x).value, x.chosen)
    torch.testing.assert_close(gradient, torch.zeros(2, dtype=torch.float64), atol=1e-15, rtol=0)


def test_reward_metrics_count_ties_as_halves():
    metrics = BradleyTerry()(pairs()).metrics
    # right, wrong, no gap, no preference
    assert metrics["accuracy"] == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    gaps = [c - r for c, r in zip(CHOSEN, REJECTED, strict=True)]
    assert metrics["margin"] == pytest.approx(sum(gaps) / 4)
    brier = sum((sigma(g) - p) ** 2 for g, p in zip(gaps, P, strict=True)) / 4
    assert metrics["brier"] == pytest.approx(brier)


def test_huge_gaps_stay_finite():
    loss = BradleyTerry()(pairs(chosen=[-1e4], rejected=[1e4], p=[0.7]))
    assert float(loss.value.detach()) == pytest.approx(0.7 * 2e4)


def test_ensembles_in_numbers():
    rewards = torch.tensor([[1.0, 0.0], [3.0, 0.0], [2.0, 3.0]], dtype=torch.float64)
    assert mean(rewards).tolist() == pytest.approx([2.0, 1.0])
    assert worst(rewards).tolist() == [1.0, 0.0]
    assert uncertainty_weighted(rewards, 0.5).tolist() == pytest.approx(
        [2.0 - 0.5 * 2 / 3, 1.0 - 0.5 * 2.0]
    )


def test_nll_is_the_mean_over_tokens_with_the_tokens_as_its_weight():
    logps = torch.tensor([[-0.5, -1.5, 0.0], [-2.0, -1.0, -0.25]], dtype=torch.float64)
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    x = TextLogps(logps=logps.requires_grad_(), mask=mask)
    loss = NLL()(x)
    assert float(loss.value.detach()) == pytest.approx(5.25 / 5)
    assert loss.weight == 5.0
    assert loss.metrics["nll"] == pytest.approx(1.05)
    (gradient,) = torch.autograd.grad(loss.value, x.logps)
    torch.testing.assert_close(gradient, -mask / 5)


@pytest.mark.parametrize("cuts", [[[0], [1, 2, 3]], [[3, 1], [0], [2]]])
def test_chunks_of_pairs_average_to_the_whole(cuts):
    x, objective = pairs(), BradleyTerry(margin=0.2, centre=0.05)
    whole = objective(x)
    parts = [objective(rows(x, torch.tensor(cut))) for cut in cuts]
    total = sum(part.weight for part in parts)
    value = sum(part.value * part.weight for part in parts) / total
    torch.testing.assert_close(value, whole.value, atol=1e-15, rtol=0)
    torch.testing.assert_close(
        torch.autograd.grad(value, x.chosen), torch.autograd.grad(whole.value, x.chosen)
    )
    for name, figure in whole.metrics.items():
        each = sum(part.metrics[name] * part.weight for part in parts) / total
        assert each == pytest.approx(figure)
