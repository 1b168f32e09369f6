"""A vLLM server: weights pushed through its routes, ids in and out, and errors in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solon.engines.local import Transformer
from solon.engines.vllm import OnVllm, VllmLearner, routes
from solon.engines.vllm import Server as Serving
from solon.errors import EndpointError, InputError, SettingError, SolonError
from solon.records import Completion, Rollout
from solon.run.run import Run
from solon.run.shards import read_records
from tests.tiny import tiny
from tests.vllm.served import Server, serving
from tests.vllm.taught import PROMPTS, flat, gap, teach

PUSH = [
    "pause", "update_weight_version", "collective_rpc", "reset_prefix_cache",
    "update_weight_version", "resume",
]  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routes, "FIRST_PAUSE", 0.002)
    monkeypatch.delenv("VLLM_API_KEY", raising=False)


@pytest.fixture
def folder(run: Run, small: Transformer, tmp_path: Path) -> Path:
    """What the server was started with: the learner's first weights."""
    small.open(run).save(tmp_path / "model")
    return tmp_path / "model"


def opened(run: Run, small: Transformer, server: Server, **settings: Any) -> VllmLearner:
    return OnVllm(policy=small, sampler=Serving(base_url=server.url, **settings)).open(run)


def test_the_weights_that_were_pushed_are_the_ones_that_are_sampled(
    run: Run, small: Transformer, folder: Path
):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        before = flat(policy.sample(PROMPTS, n=2))
        server.calls.clear()
        teach(policy)
        after = flat(policy.sample(PROMPTS, n=2))
    assert server.calls == ["weight_info", *PUSH, *["completions"] * 8]
    assert gap(policy, before) > 0.1
    assert gap(policy, after) < 1e-5
    assert {one.policy for one in after} == {"policy@2"}
    assert server.version.startswith("policy@2 ")
    assert not any(Path(path).exists() for path in server.paths)


def test_order_noise_and_ends_are_those_of_the_engine_in_this_process(
    run: Run, small: Transformer, folder: Path, engines: list[object]
):
    with serving(Server(folder)) as server:
        there = opened(run, small, server, concurrency=3).sample(PROMPTS, n=8)
    here = OnVllm(policy=small).open(run).sample(PROMPTS, n=8)
    assert there == here
    assert {one.finish for one in flat(there)} == {"stop", "length"}
    assert len({body["seed"] for body in server.bodies}) == 32


def test_a_server_that_was_started_anew_gets_the_weights_again(
    run: Run, small: Transformer, folder: Path
):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        policy.sample(PROMPTS)
        teach(policy)
        kept = policy.sample(PROMPTS)
        server.restart()
        assert policy.sample(PROMPTS) == kept
        other = opened(run, small, server)  # another run, whose policy@0 is not in there
        other.sample(PROMPTS)
        assert policy.sample(PROMPTS) == kept
        assert len(server.paths) == 5


def test_a_paused_server_is_asked_again(run: Run, small: Transformer, folder: Path):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        policy.sample(PROMPTS)
        server.busy = 3
        assert len(policy.sample(PROMPTS)) == 4
        server.busy = 1000
        with pytest.raises(EndpointError, match="HTTP 503: generation is paused, 6 times"):
            policy.sample(PROMPTS)


def test_what_is_drawn_ahead_is_drawn_by_the_weights_that_it_began_with(
    run: Run, small: Transformer, folder: Path
):
    with serving(Server(folder, latency=0.05)) as server:
        policy = opened(run, small, server)
        assert policy.elsewhere
        expected = policy.sample(PROMPTS, n=2)
        server.calls.clear()
        ahead = policy.begin_sample(PROMPTS, n=2)
        teach(policy)
        assert not ahead.done()
        after = flat(policy.sample(PROMPTS))  # its push has to wait
        assert ahead.done()
    assert ahead.result() == expected
    assert gap(policy, after) < 1e-5
    assert [name for name in server.calls if name != "weight_info"] == [
        *["completions"] * 8, *PUSH, *["completions"] * 4,
    ]  # fmt: skip


def test_weights_are_compared_before_anything_is_drawn_ahead(
    run: Run, small: Transformer, folder: Path
):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        teach(policy)
        ahead = policy.begin_sample(PROMPTS, n=4)
        assert teach(policy)["mismatch"] < 1e-5
        assert {one.policy for one in flat(ahead.result())} == {"policy@2"}
        assert [body["max_tokens"] for body in server.bodies[:8]] == [10] * 8
        assert len(server.bodies) == 8 + 16
        policy.channel.tolerance = 1e-12
        with pytest.raises(SolonError, match="expected log-probabilities within 1e-12 nats"):
            policy.begin_sample(PROMPTS)


def test_an_error_behind_the_scenes_comes_out_of_the_result_and_holds_up_nobody(
    run: Run, small: Transformer, folder: Path
):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        policy.sample(PROMPTS)
        server.token_ids = False
        ahead = policy.begin_sample(PROMPTS)
        with pytest.raises(EndpointError, match="expected vLLM's token_ids"):
            ahead.result()
        server.token_ids = True
        teach(policy)
        assert gap(policy, flat(policy.sample(PROMPTS))) < 1e-5


def test_a_climb_says_the_same_whether_or_not_it_learns_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def climbed(name: str) -> list[Rollout]:
        recipe, _ = tiny("direct", climb__ahead="2", climb__steps="5")
        model = tmp_path / name / "model"
        with Run(tmp_path / name, seed=3) as run, run.stage("climb"):
            recipe.policy.open(run).save(model)
            with serving(Server(model, latency=0.01, max_model_len=256)) as server:
                policy = opened(run, recipe.policy, server)
                prompts = recipe.prompts.open(run)
                recipe.climb(run, policy, short, prompts, anchor=policy.freeze())
        return read_records(tmp_path / name / "records" / "rollouts")

    ahead = climbed("ahead")
    monkeypatch.setattr(VllmLearner, "elsewhere", False)
    assert climbed("here") == ahead
    assert len({one.completion.policy for one in ahead}) == 3  # turn t by the weights of t - 2


def short(completions: Sequence[Completion]) -> list[float]:
    return [-float(len(one.text)) for one in completions]


def test_resumed_weights_are_pushed(run: Run, small: Transformer, folder: Path, tmp_path: Path):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        teach(policy)
        policy.save_state(tmp_path / "state")
        kept = policy.sample(PROMPTS)
        teach(policy)
        policy.sample(PROMPTS)
        again = opened(run, small, server)
        again.load_state(tmp_path / "state")
        assert again.sample(PROMPTS) == kept


@pytest.mark.parametrize(
    ("faults", "settings", "says"),
    [
        ({"development": False}, {}, "VLLM_SERVER_DEV_MODE=1"),
        ({"max_model_len": 12}, {}, "server's 12 .* got 64"),
        ({}, {"served": "n"}, "served: expected one of m, got 'n'"),
        ({}, {"push": "nccl"}, "push: expected folder for weights on cpu"),
        ({}, {"concurrency": 0}, "concurrency, timeout: expected more than 0"),
    ],
)
def test_a_server_that_does_not_fit_is_refused_at_the_start(
    run: Run,
    small: Transformer,
    folder: Path,
    faults: dict[str, Any],
    settings: dict[str, Any],
    says: str,
):
    with (
        serving(Server(folder, **faults)) as server,
        pytest.raises(SolonError, match=says) as error,
    ):
        opened(run, small, server, **settings)
    assert "\n" not in str(error.value)


def test_a_temperature_needs_the_servers_other_mode(run: Run, small: Transformer, folder: Path):
    warm = replace(small, temperature=0.6)
    with serving(Server(folder)) as server:
        with pytest.raises(SettingError, match="--logprobs-mode processed_logprobs, got raw"):
            opened(run, warm, server)
        server.mode = "processed_logprobs"
        policy = opened(run, warm, server)
        assert gap(policy, flat(policy.sample(PROMPTS, n=2))) < 1e-5


def test_another_shape_is_refused_before_it_is_pushed(run: Run, small: Transformer, folder: Path):
    other = replace(small, shape=replace(small.shape, hidden=8))
    with serving(Server(folder)) as server:
        with pytest.raises(SettingError, match="learner's shape, got hidden_size 16 for 8"):
            opened(run, other, server)
        server.root = "org/not-here"
        policy = opened(run, other, server)
        with pytest.raises(
            EndpointError, match="a model of the same shape; start it anew"
        ) as error:
            policy.sample(PROMPTS)
    assert "\n" not in str(error.value)
    assert server.paused, "nobody samples from weights that are half of one and half of the other"
    assert "shape cannot be looked up" in (run.dir / "notes.jsonl").read_text()


def test_no_server_and_no_vllm_there(run: Run, small: Transformer, folder: Path):
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        server.token_ids = False
        with pytest.raises(EndpointError, match="expected vLLM's token_ids .* 'token_ids'"):
            policy.sample(PROMPTS)
    with pytest.raises(EndpointError, match=f"no server answers at {server.url[:-3]}"):
        policy.sample(PROMPTS)
    with pytest.raises(InputError, match="base_url: expected http"):
        opened(run, small, replace(server, url="ftp://x"))


def test_a_key_is_sent_and_never_told(
    run: Run, small: Transformer, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VLLM_API_KEY", "secret-0123456789")
    seen: list[str | None] = []
    handle: Callable[..., Any] = Server.handle

    async def listens(self: Server, request: Any) -> Any:
        seen.append(request.headers.get("Authorization"))
        return await handle(self, request)

    monkeypatch.setattr(Server, "handle", listens)
    with serving(Server(folder)) as server:
        policy = opened(run, small, server)
        policy.sample(PROMPTS)
    assert set(seen) == {"Bearer secret-0123456789"}
    assert "secret" not in repr(policy)
