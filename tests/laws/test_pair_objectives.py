"""Laws that hold for every loss on pairs."""

from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from solon.objectives.batch import PairLogps, rows
from solon.objectives.noise import CDPO, R3M, RDPO, Evidence, NrDPO, Trimmed
from solon.objectives.pairwise import DPO, IPO, ORPO, Hinge, SimPO

few = settings(max_examples=40, deadline=None)
logp = st.floats(-40, -0.1).map(lambda v: round(v, 3))
tokens = st.integers(1, 20).map(float)
weight = st.one_of(st.just(0.0), st.floats(0.05, 1))
pair = st.tuples(logp, logp, logp, logp, st.floats(0, 1), tokens, tokens, weight)
EVERY = [DPO(), IPO(beta=0.5), IPO(beta=0.5, per="token"), Hinge(), SimPO(), ORPO()]
EVERY += [CDPO(flip=0.2), RDPO(flip=0.2), R3M(lam=0.4), Trimmed(cap=0.9), NrDPO()]
NAMES = ("chosen", "rejected", "anchor_chosen", "anchor_rejected", "p")
NAMES += ("chosen_tokens", "rejected_tokens", "weight")
WEIGHING = [NrDPO(), NrDPO(margin="abs", stability="sign"), NrDPO.gated()]


def f64(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@st.composite
def batches(draw) -> PairLogps:
    columns = zip(*draw(st.lists(pair, min_size=1, max_size=8)), strict=True)
    return PairLogps(**dict(zip(NAMES, map(f64, columns), strict=True)))


@st.composite
def evidence(draw) -> Evidence:
    n, cuts = draw(st.integers(1, 9)), draw(st.integers(0, 3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    margin = torch.randn(n, generator=generator, dtype=torch.float64)
    lengths = torch.randint(1, 30, (2, n), generator=generator).double()
    return Evidence(
        margin=margin,
        truncated=margin[:, None]
        + torch.randn(n, cuts, generator=generator, dtype=torch.float64) / 4,
        chosen_tokens=lengths[0],
        rejected_tokens=lengths[1],
    )


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


def turned(x: PairLogps) -> PairLogps:
    return PairLogps(
        chosen=x.rejected,
        rejected=x.chosen,
        anchor_chosen=x.anchor_rejected,
        anchor_rejected=x.anchor_chosen,
        p=1 - x.p,
        chosen_tokens=x.rejected_tokens,
        rejected_tokens=x.chosen_tokens,
        weight=x.weight,
    )


def gradient(objective, x: PairLogps) -> Tensor:
    chosen = x.chosen.clone().requires_grad_()
    return torch.autograd.grad(objective(replace(x, chosen=chosen)).value, chosen)[0]


@few
@given(batches())
def test_swapping_a_pair_and_its_label_changes_nothing_but_the_margins_sign(x):
    for objective in EVERY:
        one, other = objective(x), objective(turned(x))
        close(one.value, other.value)
        assert one.weight == other.weight
        for name in ("accuracy", "abs_margin", "kept"):
            assert abs(one.metrics[name] - other.metrics[name]) < 1e-9
        assert abs(one.metrics["margin"] + other.metrics["margin"]) < 1e-9
        assert one.metrics["chosen_reward"] == other.metrics["rejected_reward"]


@few
@given(batches())
def test_with_no_preference_the_loss_is_even_in_the_margin_and_rests_at_none(x):
    half = replace(x, p=torch.full_like(x.p, 0.5))
    level = replace(
        half,
        rejected=x.chosen,
        anchor_rejected=x.anchor_chosen,
        rejected_tokens=x.chosen_tokens,
    )
    for objective in EVERY:
        close(objective(half).value, objective(replace(turned(half), p=half.p)).value)
        if not isinstance(objective, ORPO):  # which imitates both sides all the same
            close(gradient(objective, level), torch.zeros_like(x.p))


@few
@given(batches(), st.randoms(use_true_random=False))
def test_the_order_of_the_batch_changes_no_loss(x, random):
    order = list(range(len(x.p)))
    random.shuffle(order)
    mixed = rows(x, torch.tensor(order))
    for objective in EVERY:
        one, other = objective(x), objective(mixed)
        close(one.value, other.value)
        close(gradient(objective, x)[order], gradient(objective, mixed))
        assert abs(one.weight - other.weight) < 1e-12


@few
@given(batches(), st.integers(0, 8))
def test_two_chunks_are_the_whole_whatever_they_weigh(x, cut):
    n = len(x.p)
    parts = [index for index in (torch.arange(n)[:cut], torch.arange(n)[cut:]) if len(index)]
    for objective in EVERY:
        whole, pieces = objective(x), [objective(rows(x, index)) for index in parts]
        close(sum(one.value * one.weight for one in pieces), whole.value * whole.weight)
        assert abs(sum(one.weight for one in pieces) - whole.weight) < 1e-12


@few
@given(batches(), st.floats(0.1, 10))
def test_only_the_proportions_of_the_weights_count(x, scale):
    scaled = replace(x, weight=scale * x.weight)
    for objective in EVERY:
        close(objective(x).value, objective(scaled).value)
        close(gradient(objective, x), gradient(objective, scaled))


@few
@given(batches())
def test_the_anchor_matters_only_where_the_loss_says_so(x):
    moved = replace(x, anchor_chosen=x.anchor_chosen - 3.0)
    for objective in EVERY:
        if not objective.anchored:
            assert torch.equal(objective(x).value, objective(moved).value)


@few
@given(batches())
def test_a_shift_of_policy_and_anchor_alike_leaves_anchored_losses_alone(x):
    shifted = replace(x, chosen=x.chosen - 2.0, anchor_chosen=x.anchor_chosen - 2.0)
    for objective in EVERY:
        if objective.anchored:
            close(objective(x).value, objective(shifted).value)


@few
@given(evidence(), st.randoms(use_true_random=False))
def test_weights_follow_their_pairs_and_stay_between_floor_and_one_or_at_nothing(x, random):
    order = list(range(len(x.margin)))
    random.shuffle(order)
    mixed = Evidence(**{name: getattr(x, name)[order] for name in Evidence.__slots__})
    for nrdpo in WEIGHING:
        weights = nrdpo.weigh(x)
        close(weights[order], nrdpo.weigh(mixed))
        assert bool((((weights >= nrdpo.floor) & (weights <= 1)) | (weights == 0)).all())


@few
@given(evidence(), st.floats(0.1, 10))
def test_the_scale_of_the_references_margins_changes_no_weight(x, scale):
    scaled = replace(x, margin=scale * x.margin, truncated=scale * x.truncated)
    for nrdpo in WEIGHING:
        close(nrdpo.weigh(x), nrdpo.weigh(scaled))
