"""Each policy gradient against plain floats, finite differences, and the traps of its paper."""

import math
from dataclasses import replace

import plain
import pytest
import torch
from torch import Tensor

from solon.objectives.advantage import gae, group_mean, leave_one_out, returns
from solon.objectives.batch import Credit, RolloutLogps, rows
from solon.objectives.kl import KL
from solon.objectives.policy import DAPO, GRPO, PPO, REINFORCE, RLOO, DrGRPO
from solon.objectives.surrogate import overlong
from solon.seams.learning import RolloutObjective

K2 = KL(estimator="k2", place="loss", per="sequence", coefficient=0.3)
K3 = KL(estimator="k3", place="loss", corrected=True, coefficient=0.3)
EVERY = [
    REINFORCE(baseline="none"),
    REINFORCE(baseline="mean", kl=KL(convex=True)),
    REINFORCE(baseline="value"),
    RLOO(),
    RLOO(clip=0.2, kl=K2),
    PPO(gamma=0.99, lam=0.9),
    PPO(gamma=0.99, lam=0.9, whiten_rewards=True),
    GRPO(),
    GRPO(kl=K3, floor=0.1),
    DrGRPO(longest=3),
    DAPO(longest=3, cache=2),
    RLOO(importance="sequence"),
    GRPO(kl=K3, importance="token", importance_cap=1.1),
    PPO(gamma=0.99, lam=0.9, importance="token"),
]
named = pytest.mark.parametrize("objective", EVERY, ids=lambda o: type(o).__name__)


def padded(ragged: list[list[float]]) -> Tensor:
    width = max(map(len, ragged))
    return torch.tensor([r + [0.0] * (width - len(r)) for r in ragged], dtype=torch.float64)


def rollouts(b: plain.Batch | None = None, **changes: object) -> RolloutLogps:
    b = plain.batch() if b is None else b
    settings: dict[str, object] = {
        "logps": padded(b.logps),
        "old": padded(b.old),
        "anchor": padded(b.anchor),
        "mask": padded([[1.0] * n for n in b.lengths]),
        "rewards": torch.tensor(b.rewards, dtype=torch.float64),
        "groups": torch.tensor(b.groups),
        "finished": torch.tensor([True, False, True, True, True, False]),
        "values": padded(b.values),
    }
    return RolloutLogps(**{**settings, **changes})


def loss(objective, x: RolloutLogps, credit: Credit | None = None) -> float:
    return float(objective(x, objective.credit(x) if credit is None else credit).value)


def test_every_one_is_a_rollout_objective():
    assert all(isinstance(objective, RolloutObjective) for objective in EVERY)
    assert [PPO().epochs, PPO().values, GRPO().epochs, GRPO().values] == [4, True, 1, False]


@pytest.mark.parametrize("baseline", ["none", "mean", "value"])
def test_reinforce_in_plain_floats(baseline):
    expected = plain.reinforce(plain.batch(), baseline)
    assert loss(REINFORCE(baseline=baseline), rollouts()) == pytest.approx(expected, abs=1e-12)


def test_rloo_in_plain_floats():
    assert loss(RLOO(), rollouts()) == pytest.approx(plain.rloo(plain.batch()), abs=1e-12)
    expected = plain.rloo_clipped(plain.batch(), 0.2)
    assert loss(RLOO(clip=0.2), rollouts()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("white", [False, True])
def test_ppo_in_plain_floats(white):
    b, objective = plain.batch(), PPO(gamma=0.99, lam=0.9, whiten_rewards=white)
    credit = objective.credit(rollouts(b))
    now = [[v + 0.5 * math.cos(i + 2 * t) for t, v in enumerate(r)] for i, r in enumerate(b.values)]
    expected = plain.ppo(b, now, white_rewards=white)
    assert loss(objective, rollouts(b, values=padded(now)), credit) == pytest.approx(
        expected, abs=1e-12
    )


def test_grpo_and_its_kin_in_plain_floats():
    b = plain.batch()
    assert loss(GRPO(), rollouts()) == pytest.approx(plain.grpo(b), abs=1e-12)
    assert loss(DrGRPO(longest=5), rollouts()) == pytest.approx(plain.dr_grpo(b, 5), abs=1e-12)
    assert loss(DAPO(longest=3, cache=2), rollouts()) == pytest.approx(
        plain.dapo(b, 3, 2), abs=1e-12
    )


@named
def test_gradients_equal_central_differences(objective):
    x = rollouts()
    credit = objective.credit(x)
    step = 1e-6
    for name in ("logps", "values") if objective.values else ("logps",):
        leaf = getattr(x, name).clone().requires_grad_()
        value = objective(replace(x, **{name: leaf}), credit).value
        (got,) = torch.autograd.grad(value, leaf)
        for s, t in x.mask.nonzero().tolist():
            bump = torch.zeros_like(leaf)
            bump[s, t] = step
            up, down = (
                loss(objective, replace(x, **{name: getattr(x, name) + sign * bump}), credit)
                for sign in (1, -1)
            )
            assert float(got[s, t]) == pytest.approx((up - down) / (2 * step), abs=2e-8)
        assert (got[x.mask == 0] == 0).all()


@named
def test_before_the_first_update_nothing_has_moved(objective):
    x = rollouts()
    x = replace(x, logps=x.old.clone().requires_grad_())
    metrics = objective(x, objective.credit(x)).metrics
    assert metrics == {"ratio_mean": 1.0, "clip_fraction": 0.0, "approx_kl": 0.0}


@named
@pytest.mark.parametrize(
    "cuts", [[[0, 1, 2, 3, 4, 5]], [[4], [1, 0], [5, 2, 3]], [[5], [3, 4], [0, 1, 2]]]
)
def test_chunks_average_to_the_whole(objective, cuts):
    x = rollouts()
    x = replace(x, logps=x.logps.requires_grad_())
    credit = objective.credit(x)
    whole = objective(x, credit)
    parts = [objective(rows(x, torch.tensor(cut)), rows(credit, torch.tensor(cut))) for cut in cuts]
    weight = sum(part.weight for part in parts)
    assert weight == whole.weight
    value = sum(part.value * part.weight for part in parts) / weight
    torch.testing.assert_close(value, whole.value, atol=1e-14, rtol=0)
    torch.testing.assert_close(
        torch.autograd.grad(value, x.logps),
        torch.autograd.grad(whole.value, x.logps),
        atol=1e-14,
        rtol=0,
    )


@named
@pytest.mark.parametrize("cuts", [[[0, 1, 2, 3, 4, 5]], [[4], [1, 0], [5, 2, 3]], [[3, 4], [5, 0]]])
def test_metrics_of_chunks_average_to_those_of_the_whole(objective, cuts):
    """By the tokens that count in the loss, which need not be what its own mean is over."""
    x = rollouts()
    credit = objective.credit(x)
    used = torch.tensor(sorted(i for cut in cuts for i in cut))
    whole = objective(rows(x, used), rows(credit, used))
    parts = [objective(rows(x, torch.tensor(cut)), rows(credit, torch.tensor(cut))) for cut in cuts]
    counts = x.mask if credit.kept is None else x.mask * credit.kept[:, None]
    assert whole.metrics_weight == float(counts[used].sum())
    for name, value in whole.metrics.items():
        found = sum(part.metrics[name] * part.metrics_weight for part in parts)
        assert found / whole.metrics_weight == pytest.approx(value, abs=1e-12)


@named
def test_every_batch_logs_the_same_things(objective):
    b, metrics = plain.batch(), objective.credit(rollouts()).metrics
    tokens = sum(b.lengths)
    assert metrics["reward"] == pytest.approx(sum(b.rewards) / 6)
    assert metrics["kl"] == pytest.approx(sum(sum(plain.paid(b, i, 1.0)) for i in range(6)) / 6)
    assert metrics["eos_rate"] == pytest.approx(4 / 6)
    assert metrics["length"] == pytest.approx(tokens / 6)
    assert metrics["entropy"] == pytest.approx(-sum(map(sum, b.old)) / tokens)
    grouped = isinstance(objective, RLOO | GRPO | DrGRPO | DAPO)
    assert metrics["groups_without_baseline"] == float(grouped)
    flat = objective.credit(rollouts()).advantages[rollouts().mask > 0]
    assert metrics["advantage_std"] == pytest.approx(float(flat.std(correction=0)))
    assert ("explained_variance" in metrics) == objective.values


def test_step_metrics_in_plain_floats():
    b, x = plain.batch(), rollouts()
    metrics = GRPO()(x, GRPO().credit(x)).metrics
    rhos = [
        math.exp(p - q) for r in zip(b.logps, b.old, strict=True) for p, q in zip(*r, strict=True)
    ]
    assert metrics["ratio_mean"] == pytest.approx(sum(rhos) / len(rhos))
    assert metrics["approx_kl"] == pytest.approx(
        sum(rho - 1 - math.log(rho) for rho in rhos) / len(rhos)
    )
    advantages = [
        plain.standardised(b, b.rewards, i) for i, n in enumerate(b.lengths) for _ in range(n)
    ]
    held = [
        (a > 0 and rho > 1.2) or (a < 0 and rho < 0.8)
        for a, rho in zip(advantages, rhos, strict=True)
    ]
    assert 0 < sum(held) < len(held)
    assert metrics["clip_fraction"] == pytest.approx(sum(held) / len(held))


def test_a_good_value_head_explains_the_variance_of_the_returns():
    x = rollouts()
    good = REINFORCE(baseline="value").credit(x).returns
    perfect = REINFORCE(baseline="value").credit(replace(x, values=good)).metrics
    wrong = REINFORCE(baseline="value").credit(replace(x, values=-good)).metrics
    assert perfect["explained_variance"] == pytest.approx(1.0)
    assert wrong["explained_variance"] == pytest.approx(-3.0)


@pytest.mark.parametrize("gap", [0.001, 3.0])
def test_grpos_std_makes_a_gap_of_a_thousandth_and_of_three_alike_in_a_group_of_two(gap):
    rewards, groups = (
        torch.tensor([0.0, gap], dtype=torch.float64),
        torch.zeros(2, dtype=torch.long),
    )
    got = group_mean(rewards, groups).tolist()
    assert got == pytest.approx([-(0.5**0.5), 0.5**0.5], rel=1e-9)
    assert group_mean(rewards, groups, std="none").tolist() == pytest.approx([-gap / 2, gap / 2])
    floored = group_mean(rewards, groups, floor=1.0).tolist()
    assert floored[1] == pytest.approx(gap / 2 / max(1.0, gap / 2**0.5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_equal_rewards_say_exactly_nothing(dtype, size):
    rewards = torch.tensor([0.1] * size + [5.0, 6.0], dtype=dtype)
    groups = torch.tensor([3] * size + [9, 9])
    for got in (leave_one_out(rewards, groups), group_mean(rewards, groups)):
        assert got[:size].tolist() == [0.0] * size
        assert got[size] != 0


@pytest.mark.parametrize("objective", [RLOO(), RLOO(clip=0.2), GRPO(), DrGRPO(), DAPO()])
def test_a_completion_alone_in_its_group_teaches_nothing(objective):
    credit = objective.credit(rollouts())
    assert (credit.advantages[5] == 0).all()
    assert credit.metrics["groups_without_baseline"] == 1.0
    assert (credit.advantages[0, 0] != 0).all()


def test_dapo_drops_constant_groups_from_the_mean():
    credit = DAPO().credit(rollouts())
    assert credit.kept is not None
    assert credit.kept.tolist() == [True, True, True, False, False, False]
    assert credit.metrics["kept"] == 0.5
    assert DAPO()(rollouts(), credit).weight == 6.0
    # lengths 3 and 2: the penalty tells them apart, the rewards do not
    assert (DAPO(longest=3, cache=2).credit(rollouts()).advantages[3:5] == 0).all()
    none = rollouts(rewards=torch.ones(6, dtype=torch.float64))
    empty = DAPO()(none, DAPO().credit(none))
    assert (float(empty.value), empty.weight) == (0.0, 0.0)


def test_overlong_falls_from_zero_to_minus_one_through_the_cache():
    lengths = torch.tensor([10.0, 80.0, 85.0, 90.0, 100.0, 200.0], dtype=torch.float64)
    got = overlong(lengths, longest=100, cache=20)
    assert got.tolist() == pytest.approx([0.0, 0.0, -0.25, -0.5, -1.0, -1.0])


def test_a_length_penalty_that_cannot_fit_is_refused():
    with pytest.raises(ValueError, match="got cache=4096, longest=64; set both"):
        DAPO(longest=64)
    with pytest.raises(ValueError, match="cache=0"):
        DAPO(cache=0)


def test_replacing_and_penalising_an_unfinished_completion_are_two_things():
    kl = KL(coefficient=0.0)
    first = {
        how: REINFORCE(baseline="none", kl=kl, unfinished=how, unfinished_score=-0.5)
        .credit(rollouts())
        .advantages[:, 0]
        .tolist()
        for how in ("keep", "replace", "penalise")
    }
    assert first["keep"] == pytest.approx([1.0, 0.25, -0.5, 0.7, 0.7, 2.0])
    assert first["replace"] == pytest.approx([1.0, -0.5, -0.5, 0.7, 0.7, -0.5])
    assert first["penalise"] == pytest.approx([1.0, -0.25, -0.5, 0.7, 0.7, 1.5])


def test_gae_at_its_two_ends():
    x = rollouts()
    rewards = torch.zeros_like(x.old)
    rewards[:, 0], rewards[0, 2] = 1.0, 4.0
    one_step = gae(rewards, x.values, x.mask, gamma=0.9, lam=0.0)
    assert float(one_step[0, 1]) == pytest.approx(
        float(0.9 * x.values[0, 2] - x.values[0, 1]), abs=1e-15
    )
    assert float(one_step[2, 0]) == pytest.approx(1 - float(x.values[2, 0]), abs=1e-15)
    whole = gae(rewards, x.values, x.mask, gamma=0.9, lam=1.0)
    togo = returns(rewards, x.mask, gamma=0.9)
    assert togo[0].tolist() == pytest.approx([1 + 0.81 * 4, 0.9 * 4, 4.0])
    torch.testing.assert_close(whole, (togo - x.values) * x.mask)


def test_no_gradient_flows_through_credit():
    x = rollouts()
    live = replace(x, logps=x.logps.requires_grad_(), values=x.values.requires_grad_())
    for objective in EVERY:
        credit = objective.credit(live)
        made = (credit.advantages, credit.returns, credit.old_values)
        for tensor in (*made, credit.proximal, credit.weights):
            assert tensor is None or not tensor.requires_grad


def test_a_clipped_token_has_no_gradient_and_an_unclipped_one_does():
    logps = torch.tensor([[0.5, math.log(1.25)], [-0.5, 0.5]], dtype=torch.float64).requires_grad_()
    x = RolloutLogps(
        logps=logps,
        old=torch.zeros_like(logps.detach()),
        anchor=torch.zeros_like(logps.detach()),
        mask=torch.ones_like(logps.detach()),
        rewards=torch.tensor([1.0, 0.0], dtype=torch.float64),
        groups=torch.tensor([0, 0]),
        finished=torch.tensor([True, True]),
    )
    objective = DAPO(clip=0.2, clip_high=0.28)
    (gradient,) = torch.autograd.grad(objective(x, objective.credit(x)).value, logps)
    # A > 0: only the ratio above 1.28 is held, not 1.25; A < 0: only the one below 0.8
    assert (gradient == 0).tolist() == [[True, False], [True, False]]
