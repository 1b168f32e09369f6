"""Weights of sixteen bits learn as those of thirty-two do, up to their own rounding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from solon.engines.local import Shape, Transformer
from solon.engines.local.fitting import Optimiser
from solon.engines.local.masters import Masters, master_of
from solon.objectives.adam import Adam
from solon.objectives.batch import Loss
from solon.objectives.imitation import NLL
from solon.records import Completion, Prompt
from solon.run.run import Run

RATE = 1e-6
ADAM = Adam(lr=RATE, warmup=0, clip=0.0)
SMALL = Transformer(
    shape=Shape(hidden=16, layers=2, heads=4, kv_heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=10,
)


def weights(dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(torch.linspace(0.011, 0.033, 64).to(dtype))


def slope(parameter: nn.Parameter, gradient: float = 1.0, weight: float = 1.0) -> Loss:
    """A loss with the same gradient everywhere."""
    return Loss(value=(gradient * parameter.float()).sum(), weight=weight)


def learnt(parameter: nn.Parameter, updates: int) -> nn.Parameter:
    optimiser = Optimiser([[parameter]], ADAM)
    for _ in range(updates):
        optimiser.update([slope(parameter)], what="test")
    return parameter


def bits(tensor: Tensor) -> list[int]:
    return tensor.detach().view(torch.int16).tolist()


def test_small_updates_are_not_rounded_away():
    start = weights(torch.bfloat16).detach().float()
    low = learnt(weights(torch.bfloat16), 400).detach()
    high = nn.Parameter(start.clone())
    moved = learnt(high, 400).detach()
    assert (moved - start).abs().min() > 300 * RATE
    assert low.tolist() == moved.bfloat16().tolist()


def test_without_masters_nothing_would_move():
    parameter = weights(torch.bfloat16)
    before = bits(parameter)
    bare = torch.optim.AdamW([parameter], lr=RATE, weight_decay=0.0)
    for _ in range(400):
        bare.zero_grad()
        slope(parameter).value.backward()
        bare.step()
    assert bits(parameter) == before


def test_small_gradients_are_summed_beside_a_large_one():
    parameter = nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    parameters = Masters([parameter])
    for gradient in (256.0, *[1.0] * 100):  # in bfloat16 256 + 1 is 256
        slope(parameter, gradient).value.backward()
        parameters.take()
    (master,) = parameters.own
    assert master.grad is not None
    assert master.grad.item() == 356.0
    assert parameter.grad is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_weight_of_enough_bits_is_its_own_master(dtype: torch.dtype):
    parameter = weights(dtype)
    assert master_of(parameter) is parameter
    assert Masters([parameter]).kept() == {}


def test_nothing_is_allocated_before_the_first_update():
    optimiser = Optimiser([[weights(torch.bfloat16)]], ADAM)
    assert optimiser._masters == []
    optimiser.inner.step()
    assert len(optimiser._masters) == 1


def test_resumed_is_uninterrupted(tmp_path: Path):
    whole = learnt(weights(torch.bfloat16), 30)
    parameter = weights(torch.bfloat16)
    optimiser = Optimiser([[parameter]], ADAM)
    for _ in range(13):
        optimiser.update([slope(parameter)], what="test")
    optimiser.save(tmp_path / "optimiser.pt")
    again = nn.Parameter(parameter.detach().clone())
    resumed = Optimiser([[again]], ADAM)
    resumed.load(tmp_path / "optimiser.pt")
    for _ in range(17):
        resumed.update([slope(again)], what="test")
    assert bits(again) == bits(whole)


def test_a_set_that_comes_later_has_masters_too():
    first, second = weights(torch.bfloat16), weights(torch.bfloat16)
    optimiser = Optimiser([[first]], ADAM)
    optimiser.update([slope(first)], what="test")
    optimiser.add([second])
    for _ in range(400):
        optimiser.update([slope(first), slope(second)], what="test")
    assert bits(second) != bits(weights(torch.bfloat16))


def nll_after(dtype: Literal["float32", "bfloat16"], run: Run) -> list[float]:
    """Losses of sixty small updates of one policy."""
    policy = replace(SMALL, dtype=dtype).open(run)
    policy.optimise(Adam(lr=3e-4, warmup=0))
    batch = [Completion(prompt=Prompt.of("a b"), text="c d e f", policy="people")]
    return [policy.fit_texts(batch, NLL())["loss"] for _ in range(60)]


def test_a_policy_of_sixteen_bits_learns_as_one_of_thirty_two(run: Run):
    low, high = nll_after("bfloat16", run), nll_after("float32", run)
    assert high[0] - high[-1] > 0.2
    assert low == pytest.approx(high, abs=0.03)
