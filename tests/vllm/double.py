"""A double of the package ``vllm``: the calls that the engine makes, signatures as in vLLM 0.33.

Read from vllm/entrypoints/llm.py (LLM), vllm/sampling_params.py (SamplingParams), vllm/outputs.py
(RequestOutput, CompletionOutput), vllm/logprobs.py (Logprob), vllm/v1/worker/gpu_worker.py
(reload_weights). Behind it is a real tiny model, so that tokens and log-probabilities are true.
"""

from __future__ import annotations

import os
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig

from tests.vllm.model import Model

LOGPROB_TOKEN_IDS = 128  # MAX_LOGPROB_TOKEN_IDS


@dataclass(frozen=True, kw_only=True)
class SamplingParams:
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    max_tokens: int | None = 16
    stop_token_ids: list[int] = field(default_factory=list)
    logprobs: int | None = None
    logprob_token_ids: list[int] | None = None
    detokenize: bool = True

    def __post_init__(self) -> None:
        assert self.seed is None or -(2**63) <= self.seed < 2**63
        assert len(self.logprob_token_ids or ()) <= LOGPROB_TOKEN_IDS


@dataclass(frozen=True)
class Logprob:
    logprob: float


@dataclass(frozen=True)
class CompletionOutput:
    token_ids: list[int]
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str | None


@dataclass(frozen=True)
class RequestOutput:
    outputs: list[CompletionOutput]


class LLM:
    """``made`` are the engines of a test, the newest last."""

    made: list[LLM] = []  # noqa: RUF012

    def __init__(
        self,
        model: str,
        *,
        skip_tokenizer_init: bool = False,
        tensor_parallel_size: int = 1,
        dtype: str = "auto",
        gpu_memory_utilization: float = 0.92,
        enforce_eager: bool = False,
        load_format: str = "auto",
        max_model_len: int | None = None,
        logprobs_mode: str = "raw_logprobs",
        **more: Any,
    ) -> None:
        assert skip_tokenizer_init, "prompts and answers are ids"
        assert dtype in {"auto", "float32"}
        self.model = Model.dummy(AutoConfig.from_pretrained(model))
        if load_format == "auto":
            self.model.load_folder(Path(model))
        self.load_format, self.more, self.max_model_len = load_format, more, max_model_len
        self.apart = tensor_parallel_size > 1 or os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] != "0"
        self.mode, self.asked = logprobs_mode, []
        self.deaf = False
        LLM.made.append(self)

    def collective_rpc(
        self,
        method: str,
        timeout: float | None = None,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> list[None]:
        assert method == "reload_weights"
        self._reload(**kwargs or {})
        return [None]

    def _reload(
        self,
        weights_iterator: Iterable[tuple[str, torch.Tensor]] | None = None,
        weights_path: str | None = None,
    ) -> None:
        if self.deaf:
            return
        if weights_iterator is not None:
            assert not self.apart, "a worker in another process cannot read our tensors"
            self.model.load(weights_iterator)
            return
        if self.load_format == "dummy":
            raise NotImplementedError("Model reloading with `dummy` format")
        assert weights_path is not None
        self.model.load_folder(Path(weights_path))

    def reset_prefix_cache(
        self, reset_running_requests: bool = False, reset_connector: bool = False
    ) -> bool:
        self.model.remembered.clear()
        return True

    def generate(
        self,
        prompts: Sequence[Mapping[str, list[int]]],
        sampling_params: Sequence[SamplingParams],
        *,
        use_tqdm: bool = True,
    ) -> list[RequestOutput]:
        self.asked += zip(prompts, sampling_params, strict=True)
        return [self._answer(**p, params=s) for p, s in zip(prompts, sampling_params, strict=True)]

    def _answer(self, prompt_token_ids: list[int], params: SamplingParams) -> RequestOutput:
        assert len(prompt_token_ids) + params.max_tokens <= self.max_model_len
        said = self.model.say(
            prompt_token_ids,
            mode=self.mode,
            temperature=params.temperature,
            top_p=params.top_p,
            top_k=params.top_k,
            seed=params.seed,
            max_tokens=params.max_tokens,
            stop_token_ids=params.stop_token_ids,
        )
        listed = [{t: Logprob(p)} for t, p in zip(said.tokens, said.logps, strict=True)]
        for token in params.logprob_token_ids or ():
            listed[0][token] = Logprob(float(said.first[token]))
        return RequestOutput([CompletionOutput(said.tokens, listed, said.finish)])


def package() -> types.ModuleType:
    module = types.ModuleType("vllm")
    module.LLM, module.SamplingParams = LLM, SamplingParams
    return module
