"""vLLM in this process: what is sampled is what was pushed, and is recorded as it was drawn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solon.engines.local import Lora, Transformer
from solon.engines.vllm import Engine, OnVllm
from solon.errors import SettingError, SolonError
from solon.objectives.policy import PPO
from solon.records import Rollout
from solon.run.run import Run
from solon.seams.feedback import Chooser, Policy
from tests.tiny import tiny
from tests.vllm.double import LLM
from tests.vllm.taught import PROMPTS, flat, gap, teach


def test_the_weights_that_were_pushed_are_the_ones_that_are_sampled(
    run: Run, small: Transformer, engines: list[LLM]
):
    policy = OnVllm(policy=small).open(run)
    before = flat(policy.sample(PROMPTS, n=2))
    assert isinstance(policy, Policy)
    assert isinstance(policy, Chooser)
    assert gap(policy, before) < 1e-5
    assert teach(policy)["mismatch"] < 1e-5
    assert gap(policy, before) > 0.1
    assert not policy.channel.sampler.holds(policy.id)
    after = flat(policy.sample(PROMPTS, n=2))
    assert gap(policy, after) < 1e-5
    assert {one.policy for one in before} == {"policy@0"}
    assert {one.policy for one in after} == {"policy@2"}


def test_a_push_happens_once_and_its_mismatch_is_told_once(
    run: Run, small: Transformer, engines: list[LLM], monkeypatch: pytest.MonkeyPatch
):
    policy = OnVllm(policy=small).open(run)
    pushes = []
    reload = LLM.collective_rpc
    monkeypatch.setattr(LLM, "collective_rpc", lambda *a, **k: pushes.append(1) or reload(*a, **k))
    for _ in range(3):
        policy.sample(PROMPTS)
    assert len(pushes) == 1
    assert "mismatch" in teach(policy, steps=1)
    assert "mismatch" not in teach(policy, steps=1)


def test_order_and_noise_belong_to_the_request(run: Run, small: Transformer, engines: list[LLM]):
    policy = OnVllm(policy=small).open(run)
    groups = policy.sample(PROMPTS, n=3)
    assert [group.completions[0].prompt for group in groups] == PROMPTS
    assert policy.sample(PROMPTS, n=3) == groups
    turned = policy.sample(PROMPTS[::-1], n=3)
    assert [g.completions for g in turned[::-1]] == [g.completions for g in groups]
    assert [g.completions[:2] for g in groups] == [
        g.completions for g in policy.sample(PROMPTS, n=2)
    ]
    twice = policy.sample([PROMPTS[0], PROMPTS[0]])
    assert twice[0].completions[0].tokens != twice[1].completions[0].tokens
    asked = engines[0].asked[:12]
    assert len({params.seed for _, params in asked}) == 12
    ids = [prompt["prompt_token_ids"] for prompt, _ in asked]
    assert ids == [ids[i // 3 * 3] for i in range(12)], "siblings stand side by side"


def test_a_completion_ends_with_its_stop_token_or_at_the_limit(
    run: Run, small: Transformer, engines: list[LLM]
):
    policy = OnVllm(policy=small).open(run)
    found = flat(policy.sample(PROMPTS, n=16))
    eos = policy.local.voice.words.eos
    assert {one.finish for one in found} == {"stop", "length"}
    for one in found:
        assert (one.tokens[-1] == eos) == (one.finish == "stop")
        assert len(one.tokens) == len(one.logps) <= 10
        assert one.finish == "stop" or len(one.tokens) == 10
        assert one.text == policy.local.voice.words.text(one.tokens)


@pytest.mark.parametrize(
    ("temperature", "top_p", "mode"),
    [
        (1.0, 1.0, "raw_logprobs"),
        (1.0, 0.5, "raw_logprobs"),
        (0.0, 0.5, "raw_logprobs"),
        (0.6, 1.0, "processed_logprobs"),
    ],
)
def test_log_probabilities_are_after_the_temperature_and_before_the_cut(
    run: Run, small: Transformer, engines: list[LLM], temperature: float, top_p: float, mode: str
):
    policy = OnVllm(policy=replace(small, temperature=temperature, top_p=top_p)).open(run)
    assert gap(policy, flat(policy.sample(PROMPTS, n=4))) < 1e-5
    assert engines[0].mode == mode


def test_a_cut_with_another_temperature_is_refused(
    run: Run, small: Transformer, engines: list[LLM]
):
    with pytest.raises(SettingError, match="temperature: expected 1 .* got 0.6"):
        OnVllm(policy=replace(small, temperature=0.6, top_k=5)).open(run)


def test_a_push_that_went_wrong_stops_the_run(run: Run, small: Transformer, engines: list[LLM]):
    policy = OnVllm(policy=small).open(run)
    engines[0].deaf = True
    with pytest.raises(SolonError, match=r"within 0.2 nats .* after the push of policy@0, got"):
        policy.sample(PROMPTS)


@pytest.mark.parametrize(("ratios", "expected"), [("sampler", np.exp(0.1)), ("learner", 1.0)])
def test_ratios_are_against_whom_the_setting_names(
    run: Run, small: Transformer, engines: list[LLM], ratios: str, expected: float
):
    policy = OnVllm(policy=small, ratios=ratios).open(run)
    groups = policy.sample(PROMPTS, n=2)
    told = [  # a sampler that is 0.1 nats a token less sure than the learner
        replace(one, logps=tuple(logp - 0.1 for logp in one.logps)) for one in flat(groups)
    ]
    batch = [Rollout(completion=one, reward=float(i), group=i // 2) for i, one in enumerate(told)]
    metrics = policy.fit_rollouts(batch, PPO(epochs=1, minibatches=1), anchor=policy.freeze())
    assert metrics["ratio_mean"] == pytest.approx(expected, abs=1e-4)


def test_frozen_weights_are_sampled_there_too_and_are_an_anchor(
    run: Run, small: Transformer, engines: list[LLM]
):
    policy = OnVllm(policy=small).open(run)
    start = policy.freeze()
    assert policy.freeze() is start
    first = start.sample(PROMPTS, n=2)
    teach(policy)
    policy.sample(PROMPTS)
    assert start.sample(PROMPTS, n=2) == first
    assert {one.policy for one in flat(first)} == {"policy@0"}
    batch = [
        Rollout(completion=one, reward=float(i % 2), group=i // 2)
        for i, one in enumerate(flat(policy.sample(PROMPTS, n=2)))
    ]
    assert policy.fit_rollouts(batch, PPO(epochs=1, minibatches=1), anchor=start)["kl"] > 0.01


def test_adapters_are_folded_in(run: Run, small: Transformer, engines: list[LLM]):
    policy = OnVllm(policy=replace(small, lora=Lora(rank=2))).open(run)
    before = flat(policy.sample(PROMPTS, n=2))
    teach(policy)
    taught = policy.freeze()
    after = flat(policy.sample(PROMPTS, n=2))
    assert gap(policy, before) > 0.1
    assert gap(policy, after) < 1e-5
    teach(policy)
    policy.sample(PROMPTS)
    assert flat(taught.sample(PROMPTS, n=2)) == after


def test_workers_in_other_processes_read_a_folder(run: Run, small: Transformer, engines: list[LLM]):
    policy = OnVllm(policy=small, sampler=Engine(tensor_parallel=2)).open(run)
    assert engines[0].apart
    policy.sample(PROMPTS)
    teach(policy)
    assert gap(policy, flat(policy.sample(PROMPTS))) < 1e-5


def test_a_state_that_is_loaded_is_pushed(
    run: Run, small: Transformer, engines: list[LLM], tmp_path: Path
):
    policy = OnVllm(policy=small).open(run)
    teach(policy)
    policy.save_state(tmp_path / "state")
    kept = policy.sample(PROMPTS, n=2)
    again = OnVllm(policy=small).open(run)
    teach(again, steps=2)  # another history with the same id, which vLLM has by now
    again.local.voice.decoder.model.lm_head.weight.data.mul_(2)
    again.sample(PROMPTS)
    again.load_state(tmp_path / "state")
    assert again.sample(PROMPTS, n=2) == kept


def test_a_recipe_cannot_tell(tmp_path: Path, engines: list[LLM]):
    recipe, _ = tiny("canonical")
    recipe = replace(recipe, policy=OnVllm(policy=recipe.policy))
    with Run(tmp_path / "town") as run:
        frozen = recipe(run)
        assert flat(frozen.sample(PROMPTS))[0].policy == frozen.id
    logged = (tmp_path / "town" / "metrics.jsonl").read_text()
    assert '"mismatch"' in logged
    assert len(engines) == 1


def test_errors_are_one_line(
    run: Run, small: Transformer, engines: list[LLM], monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(SettingError, match="extra: expected an object without .*dtype"):
        OnVllm(policy=small, sampler=Engine(extra='{"dtype": "float16"}')).open(run)
    with pytest.raises(SettingError, match="tolerance: expected more than 0, got 0"):
        OnVllm(policy=small, tolerance=0).open(run)
    monkeypatch.setattr(LLM, "__init__", refuses)
    with pytest.raises(SettingError, match="vllm refuses .*: No available memory$"):
        OnVllm(policy=small).open(run)
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(SettingError, match=r"pip install 'solon\[vllm\]', or use a server"):
        OnVllm(policy=small).open(run)


def refuses(*_: object, **__: object) -> None:
    raise ValueError("No available memory\nTry again")
