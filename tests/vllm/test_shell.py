"""From the shell: a learner on vLLM by one key, its parts by the keys of a plain policy."""

from __future__ import annotations

from solon.bench.bench import compose
from solon.bench.files import local
from solon.catalogue import find
from solon.engines.vllm import Engine, OnVllm, Server, Vllm
from solon.judges.wrappers import BothOrders
from solon.run.spec import plain


def test_a_policy_on_vllm_by_keys():
    keys = {
        "policy": "vllm_server",
        "policy.model": "models/base",
        "policy.base_url": "http://gpu:8000/v1",
        "policy.lora.rank": "8",
        "prompts.path": "p.jsonl",
    }
    recipe, _ = compose(find("recipes", "canonical").load(), local(), keys)
    assert isinstance(recipe.policy, OnVllm)
    assert recipe.policy.policy.model == "models/base"
    assert recipe.policy.policy.lora.rank == 8
    assert recipe.policy.sampler == Server(base_url="http://gpu:8000/v1")
    assert plain(recipe)["policy"]["sampler"]["base_url"] == "http://gpu:8000/v1"


def test_vllm_in_this_process_and_a_judge_on_it_by_keys():
    keys = {
        "policy": "vllm",
        "policy.model": "models/base",
        "policy.memory": "0.3",
        "judge": "vllm",
        "judge.model": "models/judge",
        "prompts.path": "p.jsonl",
    }
    recipe, bench = compose(find("recipes", "canonical").load(), local(), keys)
    assert recipe.policy.sampler == Engine(memory=0.3)
    assert isinstance(bench.judge, BothOrders)
    assert bench.judge.judge.policy == Vllm(model="models/judge")
