"""Targets of weak-to-strong in plain floats, their gradients, and where they become one another."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from solon.objectives.weak import (
    ClassLogits,
    Confidence,
    Naive,
    ProductOfExperts,
    cross_entropy,
    hardened,
)


def f64(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def drawn(n: int, k: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, generator=draw, dtype=torch.float64)
    weak = torch.softmax(2 * torch.randn(n, k, generator=draw, dtype=torch.float64), dim=-1)
    return logits, weak


def seen(logits: Tensor, weak: Tensor, progress: float = 0.5) -> ClassLogits:
    return ClassLogits(logits=logits, weak=weak, progress=progress)


def test_naive_is_cross_entropy_with_the_soft_label() -> None:
    logits, weak = f64([[0.3, -0.2], [1.0, 2.0]]), f64([[0.7, 0.3], [0.2, 0.8]])
    x = seen(logits, weak)
    p = [1 / (1 + math.exp(-0.5)), 1 / (1 + math.exp(1.0))]  # P(class 0)
    by_hand = -(
        0.7 * math.log(p[0])
        + 0.3 * math.log(1 - p[0])
        + 0.2 * math.log(p[1])
        + 0.8 * math.log(1 - p[1])
    )
    assert float(cross_entropy(logits, Naive().target(x)).value) == pytest.approx(by_hand / 2)


def test_confidence_mixes_the_weak_label_with_the_class_above_the_threshold() -> None:
    logits = f64([[0.0, 1.0], [0.0, 0.9], [0.0, 0.8], [0.0, 0.1]])
    weak = f64([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])  # half positive: the median
    target = Confidence(most=0.5, warmup=0.2).target(seen(logits, weak))
    assert target[:, 1].tolist() == pytest.approx([0.75, 0.55, 0.4, 0.3])


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.8])
def test_the_hardened_share_is_the_weak_labels_over_the_whole_batch(share: float) -> None:
    logits, _ = drawn(200, 2)
    weak = f64([[1 - share, share]] * 200)
    assert float(hardened(logits + 3.0, weak)[:, 1].mean()) == pytest.approx(share, abs=1 / 200)


def test_a_threshold_per_microbatch_would_be_another_target() -> None:
    logits, weak = drawn(32, 2)
    weak[:16], weak[16:] = f64([0.9, 0.1]), f64([0.1, 0.9])
    whole = hardened(logits, weak)
    halves = torch.cat([hardened(logits[:16], weak[:16]), hardened(logits[16:], weak[16:])])
    assert not torch.equal(whole, halves)


@given(st.integers(0, 1000), st.sampled_from([2, 3, 7]), st.floats(0, 1))
def test_every_target_is_a_distribution_without_a_gradient(seed: int, k: int, at: float) -> None:
    logits, weak = drawn(16, k, seed)
    logits.requires_grad_()
    for objective in (Naive(), Confidence(), ProductOfExperts(student=0.5, weak=2.0)):
        target = objective.target(seen(logits, weak, at))
        assert not target.requires_grad
        assert torch.allclose(target.sum(dim=-1), torch.ones(16, dtype=torch.float64))
        assert float(target.min()) >= 0


def test_many_classes_are_balanced_towards_the_weak_labels() -> None:
    logits, _ = drawn(3000, 4)
    logits[:, 0] += 2.0  # the student would call almost all of them class 0
    weak = f64([[0.1, 0.2, 0.3, 0.4]]).repeat(3000, 1)
    plain = torch.bincount(logits.argmax(dim=-1), minlength=4) / 3000
    balanced = hardened(logits, weak).mean(dim=0)
    assert float((balanced - weak[0]).abs().max()) < 0.12 < float((plain - weak[0]).abs().max())


def test_the_product_is_cross_entropy_on_hard_labels_exactly() -> None:
    logits, weak = drawn(50, 3)
    hard = torch.nn.functional.one_hot(weak.argmax(dim=-1), 3).to(torch.float64)
    assert torch.equal(ProductOfExperts().target(seen(logits, hard)), hard)


def test_the_product_is_the_posterior_of_the_two() -> None:
    x = seen(f64([[math.log(0.2), math.log(0.8)]]), f64([[0.6, 0.4]]))
    assert ProductOfExperts().target(x)[0, 0].item() == pytest.approx(0.12 / (0.12 + 0.32))
    only = ProductOfExperts(student=0.0).target(x)
    assert only.tolist()[0] == pytest.approx([0.6, 0.4])
    own = ProductOfExperts(weak=0.0).target(seen(x.logits, f64([[1.0, 0.0]])))
    assert own.tolist()[0] == pytest.approx([0.2, 0.8])


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1))
def test_the_papers_warm_up_is_monotone_and_continuous(a: float, b: float, warmup: float) -> None:
    share = Confidence(warmup=warmup).share
    low, high = sorted((a, b))
    assert share(0.0) == 0.0
    assert share(1.0) == 0.75
    assert share(low) <= share(high) <= 0.75
    assert share(high) - share(low) <= 0.75 / warmup * (high - low) + 1e-12  # Lipschitz: no jump


def test_the_codes_warm_up_jumps_at_its_end() -> None:
    repo = Confidence.of_repo()
    assert repo.share(0.1) == pytest.approx(0.05)
    assert repo.share(0.1 + 1e-9) == 0.5


def test_a_share_of_nothing_is_the_naive_target() -> None:
    logits, weak = drawn(8, 2)
    none = Confidence(most=0.0)
    assert torch.equal(none.target(seen(logits, weak)), weak)
    assert not none.asks_student
    assert Confidence().share(0.0) == 0.0


@pytest.mark.parametrize("objective", [Naive(), Confidence(), ProductOfExperts()])
def test_the_gradient_is_that_of_plain_cross_entropy(objective) -> None:
    logits, weak = drawn(6, 2)
    logits.requires_grad_()
    target = objective.target(seen(logits, weak))
    cross_entropy(logits, target).value.backward()
    assert logits.grad is not None
    assert torch.allclose(logits.grad, (torch.softmax(logits.detach(), -1) - target) / 6)
    assert torch.autograd.gradcheck(lambda z: cross_entropy(z, target).value, (logits,))


def test_chunks_add_up_to_the_whole() -> None:
    logits, weak = drawn(10, 2)
    whole = cross_entropy(logits, weak)
    parts = [cross_entropy(logits[rows], weak[rows]) for rows in (slice(0, 3), slice(3, 10))]
    assert sum(float(one.value) * one.weight for one in parts) / 10 == pytest.approx(
        float(whole.value)
    )


def test_the_metrics_are_the_agreement_of_classes_and_the_students_entropy() -> None:
    logits = f64([[math.log(0.2), math.log(0.8)], [0.0, -1000.0]])  # the second is certain
    found = cross_entropy(logits, f64([[0.4, 0.6], [0.3, 0.7]])).metrics
    assert found["agrees"] == 0.5
    by_hand = -(0.2 * math.log(0.2) + 0.8 * math.log(0.8)) / 2
    assert found["entropy"] == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Confidence(most=1.5), "Confidence.most: expected 0 to 1, got 1.5"),
        (lambda: Confidence(warmup=-0.1), "Confidence.warmup"),
        (lambda: ProductOfExperts(weak=-1.0), "ProductOfExperts.weak: expected 0 or more"),
    ],
)
def test_a_setting_out_of_range_is_an_error(make, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
