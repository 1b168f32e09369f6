"""The real vLLM, where it is installed: a push in place, on whatever device there is."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest

from solon.engines.local import Lora, Transformer
from solon.engines.vllm import Engine, OnVllm
from solon.run.run import Run
from tests.vllm.taught import PROMPTS, flat, gap, teach


def installed() -> bool:
    """Whether there is a package vllm, beside the folder of tests of that name."""
    found = importlib.util.find_spec("vllm")
    return found is not None and found.origin is not None


pytestmark = [
    pytest.mark.skipif(not installed(), reason="no vLLM here"),
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
]
SMALL = Engine(
    eager=True, extra='{"max_num_seqs": 32, "kv_cache_memory_bytes": 50000000, "seed": 0}'
)


@pytest.mark.parametrize("lora", [None, Lora(rank=2)])
def test_the_weights_that_were_pushed_are_the_ones_that_are_sampled(
    run: Run, small: Transformer, lora: Lora | None
):
    shape = replace(small.shape, hidden=128, heads=4)  # heads of 32, which its kernels know
    learner = replace(small, shape=shape, lora=lora, dtype="float32")
    policy = OnVllm(policy=learner, sampler=SMALL).open(run)
    before = policy.sample(PROMPTS, n=4)
    assert policy.sample(PROMPTS, n=4) == before
    assert teach(policy)["mismatch"] < 1e-4
    after = flat(policy.sample(PROMPTS, n=4))
    assert gap(policy, flat(before)) > 0.1
    assert gap(policy, after) < 1e-3
    assert {one.policy for one in after} == {"policy@2"}
    assert {one.finish for one in after} <= {"stop", "length"}
