"""What a call of fit_rollouts says: the same for any chunks, and of the updates that were made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from solon.engines.local import LocalPolicy, Shape, Transformer
from solon.engines.local.fitting import Mean, Optimiser
from solon.objectives.adam import Adam
from solon.objectives.batch import Loss
from solon.objectives.gradient import PolicyGradient
from solon.objectives.policy import DAPO, GRPO, PPO, REINFORCE, RLOO, DrGRPO
from solon.records import Prompt, Rollout
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=1, heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=30,
)
PROMPTS = [Prompt.of(text) for text in ("a b c", "a", "h g f e d c", "b b")]
RATIOS = ("ratio_mean", "clip_fraction", "approx_kl")
DROPPING = DAPO(longest=40, cache=2)


def opened(run: Run, **changes: Any) -> LocalPolicy:
    policy = replace(SMALL, **changes).open(run)
    policy.optimise(Adam(lr=1e-2))
    return policy


def older(policy: LocalPolicy) -> list[Rollout]:
    """Of a sampler that thought less of short completions than the policy does; the rewards of
    every second group are equal.
    """
    return [
        Rollout(
            completion=replace(
                c,
                policy="older@1",
                logps=tuple(x - 0.5 * (len(c.tokens) < 12) for x in c.logps),
            ),
            reward=float(sibling * (group % 2 == 0)),
            group=group,
        )
        for group, drawn in enumerate(policy.sample(PROMPTS, n=4))
        for sibling, c in enumerate(drawn.completions)
    ]


def fitted(run: Run, objective: PolicyGradient, **changes: Any) -> dict[str, float]:
    policy = opened(run, **changes)
    return dict(policy.fit_rollouts(older(policy), objective, anchor=policy.freeze()))


@pytest.mark.parametrize(
    "objective",
    [
        REINFORCE(),
        RLOO(clip=0.2),
        PPO(epochs=1),
        GRPO(),
        DrGRPO(longest=30),
        DROPPING,
        GRPO(importance="token"),
    ],
    ids=lambda o: type(o).__name__,
)
def test_chunks_of_any_size_say_the_same(run: Run, objective: PolicyGradient) -> None:
    whole, *cut = (fitted(run, objective, tokens_per_chunk=size) for size in (10**6, 60, 10))
    assert whole.get("sampler_kl", whole["approx_kl"]) > 0.01
    for one in cut:
        assert one == pytest.approx(whole, rel=1e-4, abs=1e-5)


# -- minibatches that teach nothing


def constant(policy: LocalPolicy, groups: int = 4) -> list[Rollout]:
    """The rewards of all groups but the first are equal."""
    return [
        Rollout(completion=c, reward=float(sibling * (group == 0)), group=group)
        for group, drawn in enumerate(policy.sample(PROMPTS[:groups], n=4))
        for sibling, c in enumerate(drawn.completions)
    ]


def test_a_skipped_minibatch_dilutes_no_metric_of_the_others(run: Run) -> None:
    alone, among = opened(run), opened(run)
    batch = constant(among)
    wanted = alone.fit_rollouts(batch[:4], DROPPING, anchor=alone.freeze())
    found = among.fit_rollouts(batch, replace(DROPPING, minibatches=4), anchor=among.freeze())
    for name in ("loss", "grad_norm", "lr", *RATIOS):
        assert found[name] == pytest.approx(wanted[name], rel=1e-5, abs=1e-7)
    assert found["skipped"] == 0.75
    assert "skipped" not in wanted


def test_a_skipped_minibatch_is_no_update(run: Run) -> None:
    policy = opened(run)
    objective = replace(DROPPING, minibatches=2, epochs=2)
    policy.fit_rollouts(constant(policy, 2), objective, anchor=policy.freeze())
    assert policy.version == policy.optimiser.steps == 2


def test_where_all_is_skipped_nothing_is_said_of_an_update(run: Run) -> None:
    policy = opened(run)
    before = policy.voice.decoder.snapshot()
    batch = [replace(one, reward=1.0) for one in constant(policy)]
    found = policy.fit_rollouts(
        batch, replace(DROPPING, minibatches=2, epochs=2), anchor=policy.freeze()
    )
    assert found["skipped"] == 1.0
    assert not {"loss", "grad_norm", "lr", *RATIOS} & found.keys()
    after = policy.voice.decoder.snapshot()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_batch_that_teaches_nothing_is_not_drawn_again(run: Run) -> None:
    """Noise follows the id: an id that stood still would bring the same batch, for ever."""
    policy = opened(run)
    first = policy.sample(PROMPTS, n=4)
    batch = [replace(one, reward=1.0) for one in constant(policy)]
    policy.fit_rollouts(batch, replace(DROPPING, epochs=3), anchor=policy.freeze())
    assert policy.version == 1
    assert [g.completions for g in policy.sample(PROMPTS, n=4)] != [g.completions for g in first]


def test_a_run_goes_on_exactly_after_a_skip(run: Run, tmp_path: Path) -> None:
    objective = replace(DROPPING, minibatches=2)
    first, second = opened(run), opened(run)
    start, other = first.freeze(), second.freeze()
    first.fit_rollouts(constant(first), objective, anchor=start)
    first.save_state(tmp_path / "state")
    second.load_state(tmp_path / "state")
    for _ in range(2):
        one, two = constant(first), constant(second)
        assert one == two
        said = first.fit_rollouts(one, objective, anchor=start)
        assert second.fit_rollouts(two, objective, anchor=other) == said
    assert first.id == second.id


def test_each_metric_is_a_mean_over_those_that_report_it() -> None:
    mean = Mean()
    mean.add({"loss": 1.0, "seldom": 4.0}, 3.0)
    mean.add({"loss": 5.0}, 1.0)
    other = Mean()
    other.add({"seldom": 1.0}, 1.0)
    other.add({"never": 1.0}, 0.0)
    mean.join(other)
    assert dict(mean) == {"loss": 2.0, "seldom": 13 / 4}


def test_an_optimiser_weighs_metrics_apart_from_losses() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    losses = [
        Loss(value=2 * weight.sum(), weight=1.0, metrics={"x": 4.0}, metrics_weight=6.0),
        Loss(value=5 * weight.sum(), weight=2.0, metrics={"x": 1.0}, metrics_weight=2.0),
    ]
    found = Optimiser([[weight]], Adam(lr=0.1, warmup=0)).update(losses, what="test")
    assert found["loss"] == found["grad_norm"] == pytest.approx(4.0)
    assert found["x"] == pytest.approx(26 / 8)


# -- the value network's precision


def valued(policy: LocalPolicy, times: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for _ in range(times):
        found = dict(policy.fit_rollouts(constant(policy), PPO(epochs=1), anchor=policy.freeze()))
    return found


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_value_head_has_its_trunks_precision_and_says_float32(run: Run, dtype: str) -> None:
    policy = opened(run, dtype=dtype)
    valued(policy, 2)
    critic = policy.critic
    assert critic is not None
    assert {str(p.dtype) for p in critic.trained().values()} == {f"torch.{dtype}"}
    values = critic.values(policy.voice.rows([one.completion for one in constant(policy)]))
    assert values.dtype == torch.float32
    assert float(values.detach().abs().max()) > 0


def test_a_float32_value_head_that_was_kept_goes_on_in_its_trunks_precision(
    run: Run, tmp_path: Path
) -> None:
    first, second = opened(run, dtype="bfloat16"), opened(run, dtype="bfloat16")
    valued(first, 2)
    first.save_state(tmp_path / "state")
    file = tmp_path / "state" / "critic.safetensors"
    kept = load_file(file)
    save_file({n: w.float() if "head" in n else w for n, w in kept.items()}, file)
    second.load_state(tmp_path / "state")
    assert valued(second, 1) == valued(first, 1)
