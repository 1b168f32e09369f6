"""Laws that hold for every batch."""

from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from solon.objectives.advantage import group_mean, leave_one_out, siblings, whiten
from solon.objectives.batch import PairRewards, RolloutLogps, rows
from solon.objectives.bestofn import expected_gold, kl_bound, pmf
from solon.objectives.kl import k3
from solon.objectives.policy import DAPO, GRPO, PPO, REINFORCE, RLOO, DrGRPO
from solon.objectives.reward import BradleyTerry

few = settings(max_examples=40, deadline=None)
reward = st.floats(-10, 10).map(lambda v: round(v, 3))
probability = st.floats(0, 1)
EVERY = [REINFORCE(), REINFORCE(baseline="value"), RLOO(), RLOO(clip=0.2), PPO(), GRPO()]
EVERY += [DrGRPO(longest=4), DAPO(longest=4, cache=2)]


def f64(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@st.composite
def grouped(draw):
    """Rewards and the numbers of their groups, in any order and of any sizes."""
    pairs = draw(st.lists(st.tuples(reward, st.integers(-3, 3)), min_size=1, max_size=16))
    return f64([r for r, _ in pairs]), torch.tensor([g for _, g in pairs])


@st.composite
def rollouts(draw) -> RolloutLogps:
    rewards, groups = draw(grouped())
    n, seed = len(rewards), draw(st.integers(0, 2**31))
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 5, (n,), generator=generator)
    mask = (torch.arange(4) < lengths[:, None]).double()

    def noise() -> Tensor:
        return -torch.rand(n, 4, generator=generator, dtype=torch.float64) * mask

    return RolloutLogps(
        logps=noise(),
        old=noise(),
        anchor=noise(),
        mask=mask,
        rewards=rewards,
        groups=groups,
        finished=torch.rand(n, generator=generator) > 0.3,
        values=noise(),
    )


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


@few
@given(st.lists(st.tuples(reward, reward, probability), min_size=1, max_size=8), st.floats(0, 2))
def test_swapping_a_pair_and_its_label_changes_nothing(pairs, margin):
    chosen, rejected, p = (f64(column) for column in zip(*pairs, strict=True))
    objective = BradleyTerry(margin=margin, centre=0.01)
    one = objective(PairRewards(chosen=chosen, rejected=rejected, p=p))
    other = objective(PairRewards(chosen=rejected, rejected=chosen, p=1 - p))
    close(one.value, other.value)
    assert abs(one.metrics["brier"] - other.metrics["brier"]) < 1e-9
    assert abs(one.metrics["accuracy"] - other.metrics["accuracy"]) < 1e-9


@few
@given(st.lists(st.tuples(reward, reward, probability), min_size=1, max_size=8), reward)
def test_a_constant_added_to_every_reward_leaves_bradley_terry_alone(pairs, shift):
    chosen, rejected, p = (f64(column) for column in zip(*pairs, strict=True))
    one = BradleyTerry()(PairRewards(chosen=chosen, rejected=rejected, p=p))
    close(
        one.value,
        BradleyTerry()(PairRewards(chosen=chosen + shift, rejected=rejected + shift, p=p)).value,
    )


@few
@given(grouped(), st.lists(reward, min_size=7, max_size=7))
def test_a_constant_added_to_a_groups_rewards_changes_no_advantage(batch, shifts):
    rewards, groups = batch
    shifted = rewards + f64(shifts)[groups + 3]
    close(leave_one_out(rewards, groups), leave_one_out(shifted, groups))
    close(group_mean(rewards, groups, std="none"), group_mean(shifted, groups, std="none"))
    close(group_mean(rewards, groups, floor=0.1), group_mean(shifted, groups, floor=0.1))


@few
@given(grouped())
def test_leave_one_out_is_k_over_k_minus_one_times_the_distance_to_the_mean(batch):
    rewards, groups = batch
    size = siblings(groups).double()
    scale = torch.where(size > 1, size / (size - 1).clamp_min(1), 0.0)
    close(leave_one_out(rewards, groups), scale * group_mean(rewards, groups, std="none"))


@few
@given(grouped())
def test_the_advantages_of_a_group_sum_to_nothing(batch):
    rewards, groups = batch
    for advantages in (leave_one_out(rewards, groups), group_mean(rewards, groups)):
        for group in groups.unique():
            assert abs(float(advantages[groups == group].sum())) < 1e-8


@few
@given(grouped(), st.randoms(use_true_random=False))
def test_the_order_of_the_batch_changes_no_advantage(batch, random):
    rewards, groups = batch
    order = list(range(len(rewards)))
    random.shuffle(order)
    index = torch.tensor(order)
    close(leave_one_out(rewards, groups)[index], leave_one_out(rewards[index], groups[index]))
    close(group_mean(rewards, groups)[index], group_mean(rewards[index], groups[index]))


@few
@given(rollouts(), st.randoms(use_true_random=False))
def test_the_order_of_the_batch_changes_no_loss(x, random):
    order = list(range(len(x.rewards)))
    random.shuffle(order)
    mixed = rows(x, torch.tensor(order))
    for objective in EVERY:
        one, other = objective(x, objective.credit(x)), objective(mixed, objective.credit(mixed))
        close(one.value, other.value)
        assert one.weight == other.weight


@few
@given(rollouts())
def test_no_gradient_flows_through_advantages_and_every_loss_is_finite(x):
    leaf = x.logps.clone().requires_grad_()
    live = RolloutLogps(**{name: getattr(x, name) for name in x.__slots__} | {"logps": leaf})
    for objective in EVERY:
        credit = objective.credit(live)
        assert not credit.advantages.requires_grad
        assert (credit.advantages[x.mask == 0] == 0).all()
        loss = objective(live, credit)
        assert bool(torch.isfinite(loss.value))
        figures = [*credit.metrics.values(), *loss.metrics.values()]
        assert bool(torch.isfinite(f64(figures)).all())


@few
@given(rollouts())
def test_k3_and_approx_kl_are_never_negative(x):
    assert (k3(x.logps, x.anchor) >= 0).all()
    assert GRPO()(x, GRPO().credit(x)).metrics["approx_kl"] >= 0


@few
@given(rollouts())
def test_whitening_keeps_the_order_and_gives_unit_variance(x):
    there = x.mask > 0
    white = whiten(x.values, x.mask)[there]
    raw = x.values[there]
    assert torch.equal(white.argsort(stable=True), raw.argsort(stable=True))
    if float(raw.var(correction=0)) > 1e-3:
        assert abs(float(white.mean())) < 1e-9
        assert abs(float(white.var(correction=0)) - 1) < 1e-4


@few
@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.integers(0, 4)), min_size=1, max_size=6),
    st.integers(1, 40),
)
def test_best_of_n_stays_a_distribution_under_its_bound(outcomes, n):
    weights, scores = (f64(column).numpy() for column in zip(*outcomes, strict=True))
    reference = weights / weights.sum()
    best = f64(pmf(reference, scores, n).tolist())
    assert abs(float(best.sum()) - 1) < 1e-9
    spent = torch.special.xlogy(best, best / f64(reference.tolist()))
    assert float(spent.sum()) <= kl_bound(n) + 1e-9


@few
@given(st.lists(st.tuples(st.integers(0, 5), reward), min_size=1, max_size=12))
def test_best_of_one_is_the_mean_and_gold_by_its_own_score_never_falls(samples):
    scores, gold = (f64(column).numpy() for column in zip(*samples, strict=True))
    every = range(1, len(samples) + 1)
    assert abs(expected_gold(scores, gold, [1])[0] - gold.mean()) < 1e-9
    climbing = expected_gold(gold, gold, every)
    assert all(b >= a - 1e-9 for a, b in pairwise(climbing))
    assert abs(climbing[-1] - gold.max()) < 1e-9
