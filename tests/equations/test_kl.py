"""The table of KL estimators: values and gradients against exact categoricals, enumerated."""

import math

import pytest
import torch
from tabular import V, draw, exact_gradient, kl, pmf
from torch import Tensor

from solon.objectives.kl import KL, adapt, k1, k2, k3
from solon.objectives.policy import REINFORCE

ANCHOR, NOTHING = draw(1, 12, 1.0), torch.zeros(9, dtype=torch.float64)


def policy(seed: int = 0) -> Tensor:
    return draw(seed, 12, 1.0).requires_grad_()


def reverse(theta: Tensor) -> Tensor:
    p, q = pmf(theta), pmf(ANCHOR)
    return torch.autograd.grad((p * (p / q).log()).sum(), theta)[0]


def forward(theta: Tensor) -> Tensor:
    p, q = pmf(theta), pmf(ANCHOR)
    return torch.autograd.grad((q * (q / p).log()).sum(), theta)[0]


def of(theta: Tensor, sampler: Tensor | None = None, **kl: object) -> Tensor:
    """Gradient of a lone KL term: no reward, coefficient 1."""
    objective = REINFORCE(baseline="none", kl=KL(coefficient=1.0, **kl))
    return exact_gradient(objective, theta, ANCHOR, NOTHING, sampler=sampler)


def one_decision(estimator, use: str) -> tuple[Tensor, Tensor, Tensor]:
    """Expected gradient, reverse and forward KL gradients, of one six-way decision."""
    z, q = draw(2, 6, 1.0).requires_grad_(), draw(3, 6, 1.0).log_softmax(0)
    logp = z.log_softmax(0)
    p = logp.exp().detach()
    term = estimator(logp, q)
    surrogate = (p * term).sum() if use == "loss" else (p * term.detach() * logp).sum()
    (got,) = torch.autograd.grad(surrogate, z, retain_graph=True)
    (backwards,) = torch.autograd.grad((logp.exp() * (logp - q)).sum(), z, retain_graph=True)
    (forwards,) = torch.autograd.grad((q.exp() * (q - logp)).sum(), z)
    return got, backwards, forwards


def test_k1_and_k3_are_unbiased_and_k2_is_not():
    logp, q = draw(2, 6, 1.0).log_softmax(0), draw(3, 6, 1.0).log_softmax(0)
    p = logp.exp()
    exact = float((p * (logp - q)).sum())
    assert float((p * k1(logp, q)).sum()) == pytest.approx(exact, abs=1e-14)
    assert float((p * k3(logp, q)).sum()) == pytest.approx(exact, abs=1e-14)
    assert abs(float((p * k2(logp, q)).sum()) - exact) > 0.01
    assert (k3(logp, q) >= 0).all()


def test_estimators_are_their_formulas():
    for a, b in [(-0.3, -1.1), (-2.0, -0.5), (-1.0, -1.0)]:
        d = a - b
        la, lb = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
        assert float(k1(la, lb)) == pytest.approx(d, abs=1e-15)
        assert float(k2(la, lb)) == pytest.approx(d * d / 2, abs=1e-15)
        assert float(k3(la, lb)) == pytest.approx(math.exp(-d) - 1 + d, abs=1e-15)


@pytest.mark.parametrize(
    ("estimator", "use", "which"),
    [
        (k1, "reward", "reverse"),
        (k2, "loss", "reverse"),
        (k1, "loss", "nothing"),
        (k3, "loss", "forward"),
        (k3, "reward", "neither"),
        (k2, "reward", "neither"),
    ],
)
def test_the_gradient_of_each_use_for_one_decision(estimator, use, which):
    got, backwards, forwards = one_decision(estimator, use)
    near = {
        "reverse": torch.allclose(got, backwards, atol=1e-13),
        "forward": torch.allclose(got, forwards, atol=1e-13),
        "nothing": torch.allclose(got, torch.zeros(6, dtype=torch.float64), atol=1e-13),
    }
    assert [name for name, holds in near.items() if holds] == (
        [] if which == "neither" else [which]
    )


def test_k1_in_the_reward_is_the_exact_gradient_for_sequences():
    theta = policy()
    torch.testing.assert_close(of(theta), reverse(theta), atol=1e-13, rtol=0)


def test_k2_of_the_summed_log_ratio_is_exact_for_sequences():
    theta = policy()
    got = of(theta, estimator="k2", place="loss", per="sequence")
    torch.testing.assert_close(got, reverse(theta), atol=1e-13, rtol=0)


def test_k2_by_token_is_exact_at_the_last_token_only():
    theta = policy()
    got, exact = of(theta, estimator="k2", place="loss"), reverse(theta)
    torch.testing.assert_close(got[V:], exact[V:], atol=1e-13, rtol=0)
    assert (got[:V] - exact[:V]).abs().max() > 0.01


def test_k3_as_a_loss_pulls_towards_the_forward_kl():
    theta = policy()
    got = of(theta, estimator="k3", place="loss", per="sequence")
    torch.testing.assert_close(got, forward(theta), atol=1e-13, rtol=0)
    assert (got - reverse(theta)).abs().max() > 0.05


def test_k3_by_token_is_neither_kl_of_a_sequence():
    theta = policy()
    got = of(theta, estimator="k3", place="loss")
    assert (got - reverse(theta)).abs().max() > 0.01
    assert (got - forward(theta)).abs().max() > 0.01
    torch.testing.assert_close(got[:V], forward(theta)[:V], atol=1e-13, rtol=0)


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_the_corrected_loss_is_exact_although_another_policy_sampled(estimator):
    theta, sampler = policy(), draw(7, 12, 1.0)
    kept = {"estimator": estimator, "place": "loss", "per": "sequence"}
    got = of(theta, sampler, corrected=True, **kept)
    torch.testing.assert_close(got, reverse(theta), atol=1e-13, rtol=0)
    if estimator != "k1":
        assert (of(theta, sampler, **kept) - reverse(theta)).abs().max() > 0.01


def test_the_convex_form_is_the_additive_one_up_to_scale():
    theta, rewards = policy(), draw(5, 9, 1.0)
    convex = REINFORCE(baseline="none", kl=KL(coefficient=0.2, convex=True))
    additive = REINFORCE(baseline="none", kl=KL(coefficient=0.25))
    a = exact_gradient(convex, theta, ANCHOR, rewards)
    b = exact_gradient(additive, theta, ANCHOR, rewards)
    torch.testing.assert_close(a, 0.8 * b, atol=1e-14, rtol=0)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"estimator": "k3"}, "k3 in the reward"),
        ({"estimator": "k2"}, "k2 in the reward"),
        ({"place": "loss"}, "k1 as a loss has gradient 0"),
        ({"corrected": True}, "place='loss' only"),
        ({"per": "sequence"}, "place='loss' only"),
        ({"coefficient": -0.1}, "got -0.1"),
        ({"coefficient": 1.0, "convex": True}, "< 1, got 1.0"),
        ({"coefficient": math.nan}, "got nan"),
    ],
)
def test_what_is_the_gradient_of_no_kl_is_refused_in_one_line(settings, says):
    with pytest.raises(ValueError, match=says) as caught:
        KL(**settings)
    assert "\n" not in str(caught.value)


def test_adapt_is_zieglers_equation():
    assert adapt(0.2, 9.0, target=6.0, n=500) == pytest.approx(0.2 * (1 + 0.2 * 0.05), rel=1e-15)
    assert adapt(0.2, 5.4, target=6.0, n=500) == pytest.approx(0.2 * (1 - 0.1 * 0.05), rel=1e-15)
    assert adapt(0.2, 0.0, target=6.0, n=500, horizon=1000) == pytest.approx(0.2 * 0.9, rel=1e-15)


def test_the_adaptive_coefficient_settles_within_a_tenth_of_its_target():
    """The policy that answers each coefficient is its optimum, anchor exp(R / c)."""
    p, rewards = pmf(ANCHOR), draw(6, 9, 1.0)

    def answer(c: float) -> float:
        return kl((p.log() + rewards / c).softmax(0), p)

    for start in (0.05, 5.0):
        c, seen = start, []
        for _ in range(3000):
            seen.append(answer(c))
            c = adapt(c, seen[-1], target=0.2, n=256)
        assert abs(seen[0] / 0.2 - 1) > 0.5
        assert all(abs(value / 0.2 - 1) < 0.1 for value in seen[-500:])
