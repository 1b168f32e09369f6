"""Off-policy correction: truncated importance weights, and decoupled PPO, in exact small values."""

import math
import statistics
from dataclasses import replace

import plain
import pytest
import tabular
import torch
from test_policy_gradients import padded, rollouts

from solon.objectives.batch import RolloutLogps
from solon.objectives.kl import KL
from solon.objectives.policy import GRPO, PPO, REINFORCE, RLOO

THETA, SAMPLER, ANCHOR = (tabular.draw(seed, 12) for seed in (1, 2, 3))
REWARDS = tabular.draw(4, tabular.N, scale=1.0)
UNCAPPED = {"importance": "sequence", "importance_cap": math.inf}


def gradient(objective, *, size: int = 1, sampler=None):
    theta = THETA.clone().requires_grad_()
    return tabular.exact_gradient(objective, theta, ANCHOR, REWARDS, size=size, sampler=sampler)


def moved(b: plain.Batch) -> list[list[float]]:
    """The policy after an update since the batch came."""
    return [[v + 0.1 * math.cos(2 * i + t) for t, v in enumerate(r)] for i, r in enumerate(b.logps)]


@pytest.mark.parametrize(
    ("objective", "size"),
    [(RLOO(), 2), (REINFORCE(baseline="none"), 1), (RLOO(kl=KL(coefficient=0.0)), 2)],
)
def test_without_a_ratio_older_samples_bias_the_gradient_and_sequence_weights_undo_it(
    objective, size
):
    on_policy = gradient(objective, size=size)
    stale = gradient(objective, size=size, sampler=SAMPLER)
    mended = gradient(replace(objective, **UNCAPPED), size=size, sampler=SAMPLER)
    assert float((stale - on_policy).norm() / on_policy.norm()) > 0.3
    torch.testing.assert_close(mended, on_policy, atol=1e-13, rtol=0)


def test_a_kl_in_the_loss_is_weighed_too():
    kl = KL(coefficient=0.5, estimator="k2", place="loss", per="sequence")
    objective = RLOO(kl=kl)
    mended = gradient(replace(objective, **UNCAPPED), size=2, sampler=SAMPLER)
    torch.testing.assert_close(mended, gradient(objective, size=2), atol=1e-13, rtol=0)


def test_token_weights_and_a_cap_leave_some_bias_and_less_than_none():
    on_policy = gradient(RLOO(), size=2)

    def bias(**settings) -> float:
        return float((gradient(RLOO(**settings), size=2, sampler=SAMPLER) - on_policy).norm())

    nothing = bias()
    assert 1e-3 < bias(importance="token", importance_cap=math.inf) < nothing
    caps = [bias(importance="sequence", importance_cap=cap) for cap in (1.0, 2.0, 4.0)]
    assert caps == sorted(caps, reverse=True)
    assert caps[0] < nothing


@pytest.mark.parametrize("importance", ["token", "sequence"])
def test_the_weight_of_rloo_is_the_truncated_ratio_in_plain_floats(importance):
    b, cap, beta = plain.batch(), 1.2, 0.05
    expected, cut = 0.0, 0
    for i, n in enumerate(b.lengths):
        # the penalty is the policy's own, not the sampler's
        kl = [beta * (p - a) for p, a in zip(b.logps[i], b.anchor[i], strict=True)]
        others = [
            b.rewards[j] - sum(beta * (p - a) for p, a in zip(b.logps[j], b.anchor[j], strict=True))
            for j in plain.siblings(b, i)
            if j != i
        ]
        logs = [p - o for p, o in zip(b.logps[i], b.old[i], strict=True)]
        for t in range(n if others else 0):
            ratio = math.exp(logs[t] if importance == "token" else sum(logs))
            cut += ratio > cap
            advantage = b.rewards[i] - sum(kl[t:]) - statistics.fmean(others)
            expected -= min(ratio, cap) * advantage * b.logps[i][t]
    objective = RLOO(importance=importance, importance_cap=cap)
    x = rollouts(b)
    assert cut > 0
    value = float(objective(x, objective.credit(x)).value)
    assert value == pytest.approx(expected / 6, abs=1e-12)


def test_grpo_with_weights_is_decoupled_ppo_in_plain_floats():
    b, cap, clip = plain.batch(), 1.3, 0.05
    objective = GRPO(kl=KL(coefficient=0.0), clip=clip, importance="token", importance_cap=cap)
    x = rollouts(b)
    credit = objective.credit(x)
    now = moved(b)
    expected, held = 0.0, 0
    for i, n in enumerate(b.lengths):
        advantage = plain.standardised(b, b.rewards, i)
        for t in range(n):
            weight = min(math.exp(b.logps[i][t] - b.old[i][t]), cap)
            rho = math.exp(now[i][t] - b.logps[i][t])
            free, clipped = -advantage * rho, -advantage * plain.clip(rho, clip, clip)
            held += clipped > free
            expected += weight * max(free, clipped) / n
    loss = objective(replace(x, logps=padded(now)), credit)
    assert held > 0
    assert float(loss.value) == pytest.approx(expected / 6, abs=1e-12)
    assert loss.metrics["clip_fraction"] == pytest.approx(held / sum(b.lengths))


@pytest.mark.parametrize("importance", ["token", "sequence"])
@pytest.mark.parametrize("objective", [RLOO(), RLOO(clip=0.2), GRPO(), PPO()])
def test_of_the_policys_own_samples_nothing_changes(objective, importance):
    x = rollouts()
    x = replace(x, logps=x.old.clone().requires_grad_())
    weighed = replace(objective, importance=importance)
    credit = weighed.credit(x)
    here, there = weighed(x, credit).value, objective(x, objective.credit(x)).value
    assert torch.equal(here, there)
    gradients = [torch.autograd.grad(value, x.logps)[0] for value in (here, there)]
    assert torch.equal(*gradients)
    assert credit.metrics["importance_mean"] == 1.0
    assert credit.metrics["importance_ess"] == 1.0
    assert credit.metrics["sampler_kl"] == 0.0


def test_metrics_tell_how_far_the_sampler_is():
    ratios = [2.0, 0.5, 1.0]
    x = RolloutLogps(
        logps=torch.tensor([[math.log(r) for r in ratios], [0.0, 9.0, 9.0]], dtype=torch.float64),
        old=torch.zeros(2, 3, dtype=torch.float64),
        anchor=torch.zeros(2, 3, dtype=torch.float64),
        mask=torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64),
        rewards=torch.tensor([1.0, 0.0], dtype=torch.float64),
        groups=torch.tensor([0, 0]),
        finished=torch.tensor([True, True]),
    )
    metrics = RLOO(importance="token", importance_cap=1.5).credit(x).metrics
    assert metrics["importance_mean"] == pytest.approx((1.5 + 0.5 + 1 + 1) / 4)
    assert metrics["importance_ess"] == pytest.approx(4.0**2 / (4 * (2.25 + 0.25 + 1 + 1)))
    expected = sum(r - 1 - math.log(r) for r in [*ratios, 1.0]) / 4
    assert metrics["sampler_kl"] == pytest.approx(expected)


def test_which_losses_ask_who_sampled():
    assert not RLOO().off_policy
    assert not REINFORCE().off_policy
    assert RLOO(clip=0.2).off_policy
    assert GRPO().off_policy
    assert RLOO(importance="token").off_policy


@pytest.mark.parametrize("advantage", [1.0, -1.0])
@pytest.mark.parametrize("objective", [PPO(epochs=2), RLOO(clip=0.2, epochs=2)])
def test_a_sequence_that_is_far_from_its_sampler_makes_no_infinity(objective, advantage):
    """exp(300 x 0.4) is infinite in float32, and 0 x inf of a clip is no number."""
    logps = torch.full((2, 300), -0.1, requires_grad=True)
    x = RolloutLogps(
        logps=logps,
        old=torch.full((2, 300), -0.5),
        anchor=torch.full((2, 300), -0.5),
        mask=torch.ones(2, 300),
        rewards=torch.tensor([advantage, -advantage]),
        groups=torch.tensor([0, 0]),
        finished=torch.tensor([True, True]),
        values=torch.zeros(2, 300),
    )
    loss = objective(x, objective.credit(x)).value
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logps.grad).all()
