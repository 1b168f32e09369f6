"""What shares a batch, a chunk or a process does not matter to the local engine."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from solon.engines.local import LocalPolicy, Shape, Transformer
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.objectives.policy import GRPO, PPO, RLOO
from solon.records import Completion, Prompt, Rollout, flat
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=2, heads=4, kv_heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=10,
)
PROMPTS = [Prompt.of(text) for text in ("a b c", "a", "h g f e d c", "b b", "c a d e")]


def opened(run: Run, **changes: object) -> LocalPolicy:
    policy = dataclasses.replace(SMALL, **changes).open(run)
    policy.optimise(Adam(lr=1e-2, warmup=2))
    return policy


def rollouts(policy: LocalPolicy) -> list[Rollout]:
    return [
        Rollout(completion=c, reward=float(c.text.count("a") - len(c.tokens) / 10), group=group)
        for group, drawn in enumerate(policy.sample(PROMPTS, n=4))
        for c in drawn.completions
    ]


def tokens(policy: LocalPolicy, prompts: list[Prompt]) -> dict[str, list[tuple[int, ...]]]:
    groups = policy.sample(prompts, n=3)
    return {group.prompt.id: [c.tokens for c in group.completions] for group in groups}


@pytest.mark.parametrize("packed", ["auto", "never"])
def test_a_request_draws_the_same_alone_together_and_shuffled(run: Run, packed: str) -> None:
    policy = opened(run, packed=packed)
    together = tokens(policy, PROMPTS)
    assert tokens(policy, PROMPTS[::-1]) == together
    for prompt in PROMPTS:
        assert tokens(policy, [prompt])[prompt.id] == together[prompt.id]


def test_a_small_store_of_keys_draws_the_same(run: Run) -> None:
    assert tokens(opened(run), PROMPTS) == tokens(opened(run, tokens_per_chunk=1), PROMPTS)


def test_siblings_and_repeated_prompts_draw_anew(run: Run) -> None:
    first, second = opened(run).sample([PROMPTS[2], PROMPTS[2]], n=4)
    assert len({c.tokens for c in (*first.completions, *second.completions)}) > 4


def test_new_weights_draw_new_noise(run: Run) -> None:
    policy = opened(run)
    before = tokens(policy, PROMPTS)
    policy.version = 1
    assert tokens(policy, PROMPTS) != before


def test_chunks_of_any_size_give_the_same_imitation(run: Run) -> None:
    texts = [Completion(prompt=p, text=t) for p in PROMPTS for t in ("a b", "c d e f g")]
    found = []
    for budget in (16_384, 20, 1):
        policy = opened(run, tokens_per_chunk=budget)
        found.append([policy.fit_texts(texts, NLL())["loss"] for _ in range(5)])
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    assert found[0] == pytest.approx(found[2], abs=1e-5)


@pytest.mark.parametrize("objective", [RLOO(), GRPO(), PPO(epochs=1)])
def test_chunks_of_any_size_give_the_same_reinforcement(
    run: Run, objective: RLOO | GRPO | PPO
) -> None:
    batch = rollouts(opened(run))
    found = []
    for budget in (16_384, 30):
        policy = opened(run, tokens_per_chunk=budget)
        anchor = policy.freeze()
        metrics = policy.fit_rollouts(batch, objective, anchor=anchor)
        weights = policy.voice.decoder.snapshot()
        found.append((metrics, weights))
    one, many = found
    assert one[0]["grad_norm"] == pytest.approx(many[0]["grad_norm"], rel=1e-4)
    assert one[0]["loss"] == pytest.approx(many[0]["loss"], abs=1e-5)
    # AdamW's first step is the gradient's sign where it is not tiny, so a few coordinates may jump
    gaps = torch.cat([(one[1][n] - many[1][n]).abs().flatten() for n in one[1]])
    assert float((gaps > 1e-4).float().mean()) < 0.01


def test_the_first_ratio_is_exactly_one(run: Run) -> None:
    policy = opened(run)
    metrics = policy.fit_rollouts(rollouts(policy), PPO(epochs=1), anchor=policy.freeze())
    assert metrics["ratio_mean"] == 1.0
    assert metrics["clip_fraction"] == 0.0


def test_older_words_have_another_ratio(run: Run) -> None:
    policy = opened(run)
    anchor, batch = policy.freeze(), rollouts(policy)
    policy.fit_texts([batch[0].completion], NLL())
    metrics = policy.fit_rollouts(batch, PPO(epochs=1), anchor=anchor)
    assert metrics["approx_kl"] > 1e-6


def test_a_random_start_follows_from_the_seed_alone(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(11)
    first = opened(run).voice.decoder.snapshot()
    torch.manual_seed(12)
    second = opened(run).voice.decoder.snapshot()
    assert all(torch.equal(first[name], second[name]) for name in first)
    with Run(tmp_path / "other", seed=1, cache=tmp_path / "other.sqlite") as other:
        third = opened(other).voice.decoder.snapshot()
    assert not torch.equal(first["lm_head.weight"], third["lm_head.weight"])


@pytest.mark.parametrize("objective", [RLOO(), PPO(epochs=2, minibatches=2)])
def test_a_restored_policy_goes_on_exactly(run: Run, tmp_path: Path, objective: RLOO | PPO) -> None:
    first = opened(run)
    anchor = first.freeze()
    first.fit_rollouts(rollouts(first), objective, anchor=anchor)
    first.save_state(tmp_path / "state")
    second = opened(run)
    other_anchor = second.freeze()
    second.load_state(tmp_path / "state")
    for _ in range(3):
        one, two = rollouts(first), rollouts(second)
        assert one == two
        assert first.fit_rollouts(one, objective, anchor=anchor) == second.fit_rollouts(
            two, objective, anchor=other_anchor
        )
    assert first.id == second.id
    assert [c.logps for c in flat(first.sample(PROMPTS))] == [
        c.logps for c in flat(second.sample(PROMPTS))
    ]
