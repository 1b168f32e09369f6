"""Where each optimiser ends, on a policy small enough to enumerate."""

from functools import partial

import pytest
import torch
from tabular import N, descend, draw, exact_gradient, forward_tilted, kl, logps, pmf, tilted

from solon.objectives.advantage import leave_one_out
from solon.objectives.batch import RolloutLogps
from solon.objectives.kl import KL
from solon.objectives.policy import DAPO, GRPO, PPO, REINFORCE, RLOO, DrGRPO

C = 0.5
ANCHOR, REWARDS = draw(1, 12), draw(4, N)
PAID = KL(coefficient=C)
SUMMED_K2 = KL(coefficient=C, estimator="k2", place="loss", per="sequence")
CORRECTED_K3 = KL(coefficient=C, estimator="k3", place="loss", per="sequence", corrected=True)
CONVEX = KL(coefficient=C / (1 + C), convex=True)


def end(objective, size: int = 1, *, steps: int = 300, lr: float = 4.0):
    gradient = partial(exact_gradient, objective, anchor=ANCHOR, rewards=REWARDS, size=size)
    return descend(gradient, ANCHOR, steps=steps, lr=lr)


EXACT = {
    "reinforce": (REINFORCE(baseline="none", kl=PAID), 1),
    "reinforce with values": (REINFORCE(baseline="value", kl=PAID), 1),
    "reinforce, k2 in the loss": (REINFORCE(baseline="none", kl=SUMMED_K2), 1),
    "reinforce, corrected k3": (REINFORCE(baseline="none", kl=CORRECTED_K3), 1),
    "reinforce, convex": (REINFORCE(baseline="none", kl=CONVEX), 1),
    "rloo": (RLOO(kl=PAID), 2),
    "rloo, clipped": (RLOO(kl=PAID, clip=0.2), 2),
    "rloo, k2 in the loss": (RLOO(kl=SUMMED_K2), 2),
    "ppo": (PPO(kl=PAID, lam=1.0, whiten=False), 1),
    "dr grpo": (DrGRPO(kl=PAID, longest=1), 2),
}


@pytest.mark.parametrize(("objective", "size"), EXACT.values(), ids=list(EXACT))
def test_it_reaches_the_regularised_optimum(objective, size):
    assert kl(end(objective, size), tilted(ANCHOR, REWARDS, C)) < 1e-5


def test_gae_below_one_still_reaches_it_only_in_the_limit_of_lambda_one():
    """A wrong value head with lambda < 1 is a bias, which is why it must explain variance."""
    best = tilted(ANCHOR, REWARDS, C)
    far, near = (kl(end(PPO(kl=PAID, lam=lam, whiten=False)), best) for lam in (0.5, 0.95))
    assert far > 10 * near > 1e-5


def test_k3_as_a_loss_ends_at_the_forward_kls_optimum_instead():
    objective = REINFORCE(
        baseline="none", kl=KL(coefficient=C, estimator="k3", place="loss", per="sequence")
    )
    reached = end(objective)
    assert kl(reached, forward_tilted(ANCHOR, REWARDS, C)) < 1e-6
    assert kl(reached, tilted(ANCHOR, REWARDS, C)) > 0.05


def test_k2_by_token_ends_near_the_optimum_but_not_at_it():
    objective = REINFORCE(baseline="none", kl=KL(coefficient=C, estimator="k2", place="loss"))
    assert 1e-3 < kl(end(objective), tilted(ANCHOR, REWARDS, C)) < 0.1


def test_grpo_as_published_ends_elsewhere():
    objective = GRPO(kl=KL(coefficient=C, estimator="k3", place="loss"))
    assert kl(end(objective, 2), tilted(ANCHOR, REWARDS, C)) > 0.02


def test_dr_grpo_with_a_kl_in_the_loss_acts_as_if_it_were_k_over_k_minus_one_times_as_strong():
    reached = end(DrGRPO(kl=SUMMED_K2, longest=1), 2)
    assert kl(reached, tilted(ANCHOR, REWARDS, 2 * C)) < 1e-5
    assert kl(reached, tilted(ANCHOR, REWARDS, C)) > 0.02


def test_dapo_without_a_kl_gives_everything_to_the_best_sequence():
    reached = end(DAPO(), 2, steps=200, lr=8.0)
    assert int(reached.argmax()) == int(REWARDS.argmax())
    assert float(reached.max()) > 0.99


def test_leave_one_out_has_less_variance_than_no_baseline():
    """Per-sequence gradient d/dlogits of the exact policy, over all pairs, rewards shifted by 1."""
    theta = ANCHOR.clone().requires_grad_()
    p = pmf(theta).detach()
    scores = torch.stack(
        [torch.autograd.grad(row.sum(), theta, retain_graph=True)[0] for row in logps(theta)]
    )
    pair = torch.cartesian_prod(torch.arange(N), torch.arange(N))
    weight = p[pair].prod(1)
    groups = torch.arange(N * N).repeat_interleave(2)
    shifted = (REWARDS + 1)[pair]
    based = leave_one_out(shifted.flatten(), groups).view(-1, 2)
    means, spread = [], []
    for advantages in (shifted, based):
        each = (advantages[:, :, None] * scores[pair]).mean(1)
        mean = (weight[:, None] * each).sum(0)
        means.append(mean)
        spread.append(float((weight[:, None] * (each - mean).square()).sum()))
    torch.testing.assert_close(means[0], means[1], atol=1e-13, rtol=0)
    assert spread[1] < 0.7 * spread[0]


def lengths_of_wrong_answers(objective) -> tuple[float, float]:
    """d loss / d logp of a token of a short and of a long wrong answer, beside two right ones."""
    mask = torch.tensor([[1.0] * n + [0.0] * (8 - n) for n in (2, 8, 2, 8)], dtype=torch.float64)
    leaf = (-0.5 * mask).requires_grad_()
    x = RolloutLogps(
        logps=leaf,
        old=leaf.detach(),
        anchor=leaf.detach(),
        mask=mask,
        rewards=torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64),
        groups=torch.zeros(4, dtype=torch.long),
        finished=torch.ones(4, dtype=torch.bool),
    )
    (gradient,) = torch.autograd.grad(objective(x, objective.credit(x)).value, leaf)
    return float(gradient[0, 0]), float(gradient[1, 0])


def test_grpo_punishes_a_long_wrong_answer_less_and_dr_grpo_alike():
    short, long = lengths_of_wrong_answers(GRPO())
    assert short == pytest.approx(4 * long, rel=1e-12)
    short, long = lengths_of_wrong_answers(DrGRPO(longest=8))
    assert short == pytest.approx(long, rel=1e-12)
    assert short > 0


def grow(objective) -> float:
    """P(long | wrong) after training a policy that picks right or wrong, then short or long.

    Length is worth nothing. The eight tokens of a long answer are two choices and six certainties.
    """
    theta = torch.zeros(6, dtype=torch.float64)
    first, second = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    pairs = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    rows = pairs.flatten()
    mask = torch.ones(4, 8, dtype=torch.float64)
    mask[second == 0, 2:] = 0
    for _ in range(40):
        theta = theta.detach().requires_grad_()
        table = theta[2:].view(2, 2).log_softmax(1)
        made = torch.zeros(4, 8, dtype=torch.float64)
        made[:, 0], made[:, 1] = theta[:2].log_softmax(0)[first], table[first, second]
        leaf = made.detach()[rows].requires_grad_()
        x = RolloutLogps(
            logps=leaf,
            old=leaf.detach(),
            anchor=leaf.detach(),
            mask=mask[rows],
            rewards=(first == 0).double()[rows],
            groups=torch.arange(len(pairs)).repeat_interleave(2),
            finished=torch.ones(len(rows), dtype=torch.bool),
        )
        loss = objective(x, objective.credit(x))
        (each,) = torch.autograd.grad(loss.value, leaf)
        weight = made.detach().sum(1).exp()[pairs].prod(1).repeat_interleave(2) * len(rows)
        (gradient,) = torch.autograd.grad(made[rows], theta, each * weight[:, None])
        theta = theta - 0.5 * gradient
    return float(theta.detach()[4:].softmax(0)[1])


def test_wrong_answers_grow_long_under_grpo_and_not_under_dr_grpo():
    assert grow(GRPO(kl=KL(coefficient=0.0))) > 0.55
    assert grow(DrGRPO(longest=8, kl=KL(coefficient=0.0))) == pytest.approx(0.5, abs=1e-12)
