"""Gradient checkpointing: the same gradients from less memory, however a model is walked."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch

from solon.engines.local import LocalPolicy, RewardTransformer, Shape, Transformer
from solon.engines.local.layout import Row
from solon.engines.local.recompute import Recomputed, layers
from solon.engines.local.weights import Lora
from solon.objectives.adam import Adam
from solon.objectives.policy import PPO
from solon.records import Completion, Prompt, Rollout
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=4, heads=4, kv_heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=10,
)
ROWS = [
    Row(prompt=(1, 2, 3), completion=(4, 5, 6, 7)),
    Row(prompt=(2,), completion=(3, 4, 5, 6, 7, 1)),
    Row(prompt=(1, 2, 3), completion=(2, 2)),
]
Way = Literal["walked", "packed", "padded"]


def opened(way: Way, run: Run, *, again: bool) -> LocalPolicy:
    """Each way through a model, for which the layers are called differently."""
    spec = replace(
        SMALL,
        gradient_checkpointing=again,
        packed="never" if way == "padded" else "auto",
    )
    policy = spec.open(run)
    if way == "packed":
        policy.voice.decoder.walk = None
    assert (policy.voice.decoder.walk is not None) == (way == "walked"), way
    return policy


def gradients(policy: LocalPolicy) -> tuple[list[torch.Tensor], int]:
    """Of a sum over some rows; and how many numbers the forward pass kept for the backward."""
    kept = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.numel()
        return tensor

    decoder = policy.voice.decoder
    with torch.autograd.graph.saved_tensors_hooks(count, lambda one: one):
        logps, mask = decoder.logps(ROWS)
        value = (logps * mask).sum()
    seen = kept
    value.backward()
    return [p.grad for p in decoder.trained().values() if p.grad is not None], seen


@pytest.mark.parametrize("way", ["walked", "packed", "padded"])
def test_gradients_are_the_same_and_less_is_kept(way: Way, run: Run):
    whole, much = gradients(opened(way, run, again=False))
    again, little = gradients(opened(way, run, again=True))
    assert len(again) == len(whole) > 10
    assert all(torch.equal(a, b) for a, b in zip(again, whole, strict=True))
    assert little < much / 2


def test_adapters_learn_the_same(run: Run):
    adapted = [replace(SMALL, lora=Lora(rank=2), gradient_checkpointing=x) for x in (False, True)]
    found = [gradients(spec.open(run))[0] for spec in adapted]
    assert len(found[0]) == len(found[1]) > 0
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_copies_compute_by_their_own_weights(run: Run):
    policy = opened("packed", run, again=True)
    policy.optimise(Adam(lr=0.1, warmup=0))
    frozen = policy.freeze()
    completion = Completion(prompt=Prompt.of("a b"), text="c d", policy=policy.id)
    before = frozen.logp([completion])
    rollout = Rollout(completion=completion, reward=1.0, group=0)
    other = Rollout(completion=replace(completion, text="d"), reward=-1.0, group=0)
    policy.fit_rollouts([rollout, other], PPO(), anchor=frozen)  # a value network is a copy too
    assert frozen.logp([completion]) != policy.logp([completion])
    fresh = policy.freeze()
    frozen._known.clear()
    assert frozen.logp([completion]) == before
    assert fresh.logp([completion]) == policy.logp([completion])


def test_a_reward_model_can_compute_again(run: Run):
    policy = SMALL.open(run)
    reward = RewardTransformer(gradient_checkpointing=True).open(run)
    reward.adopt(policy.freeze())
    assert all(isinstance(layer, Recomputed) for layer in layers(reward.head.decoder.model))
    plain = RewardTransformer().open(run)
    plain.adopt(policy.freeze())
    for one in (reward, plain):
        one.head(ROWS).sum().backward()
    pairs = zip(
        reward.head.decoder.model.parameters(), plain.head.decoder.model.parameters(), strict=True
    )
    grads = [(a.grad, b.grad) for a, b in pairs if b.grad is not None]
    assert len(grads) > 10
    assert all(a is not None and torch.equal(a, b) for a, b in grads)
