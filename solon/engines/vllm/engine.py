"""vLLM in this process: ``vllm.LLM``, whose weights are replaced in place, without a file.

With one device, vLLM's worker lives in this process too, and reads the learner's tensors where they
are. With more devices its workers are processes of their own, which read a folder.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solon.engines.additions import additions
from solon.engines.local.sampling import Drawn, Manner
from solon.engines.local.voice import Voice
from solon.engines.vllm.names import by_checkpoint
from solon.engines.vllm.request import Request, drawn, logprobs_mode, sampling
from solon.errors import SettingError, SolonError
from solon.run.run import Run

IN_PROCESS = "VLLM_ENABLE_V1_MULTIPROCESSING"
OURS = {"dtype", "enforce_eager", "gpu_memory_utilization", "load_format", "logprobs_mode"} | {
    "max_model_len", "model", "skip_tokenizer_init", "tensor_parallel_size"
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Engine:
    """vLLM in this process, on the devices that torch sees.

    Example:
        Engine(memory=0.4)
    """

    memory: float = 0.4
    """Share of each device's memory that vLLM takes for weights and cache; the learner needs the
    rest."""
    tensor_parallel: int = 1
    """Devices that hold a part of each weight."""
    eager: bool = False
    """Whether vLLM runs without CUDA graphs: a faster start, slower tokens."""
    extra: str = ""
    """JSON object of further arguments of vllm.LLM, such as max_num_seqs."""

    def begin(self, voice: Voice, run: Run) -> Live:
        """Of the voice's shape; its weights come with the first push."""
        del run
        if voice.ranks.count > 1:
            raise SettingError(
                f"sampler: expected one process with vLLM inside it, got {voice.ranks.count}: "
                "use a server (policy=vllm_server policy.base_url=...)"
            )
        manner, words = voice.manner, voice.words
        apart = self.tensor_parallel > 1
        with tempfile.TemporaryDirectory(dir=shared_memory()) as folder:
            if apart:  # a worker that reads folders must have begun with one
                voice.save(Path(folder), "start")
            else:
                voice.decoder.model.config.save_pretrained(folder)
            llm = self.open(
                folder,
                load_format="auto" if apart else "dummy",
                dtype=str(voice.decoder.model.dtype).removeprefix("torch."),
                max_model_len=words.longest_prompt + manner.max_new_tokens,
                logprobs_mode=logprobs_mode(manner) or "raw_logprobs",
            )
        return Live(llm=llm, manner=manner, stops=tuple(voice.stops), apart=apart)

    def open(self, model: str, **settings: Any) -> Any:
        """A ``vllm.LLM``. Raises SettingError where there is no vLLM, or where it refuses."""
        try:
            from vllm import LLM  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise SettingError(
                f"vllm: expected the package, got {error}: pip install 'solon[vllm]', or use a "
                "server (policy=vllm_server policy.base_url=...)"
            ) from error
        try:
            with _in_this_process():
                return LLM(
                    model=model,
                    skip_tokenizer_init=True,  # prompts and answers are ids
                    tensor_parallel_size=self.tensor_parallel,
                    gpu_memory_utilization=self.memory,
                    enforce_eager=self.eager,
                    **settings,
                    **additions(self.extra, ours=OURS),
                )
        except (AssertionError, OSError, RuntimeError, ValueError) as error:
            raise SettingError(f"vllm refuses {model!r}: {first_line(error)}") from error


@dataclass(slots=True, kw_only=True)
class Live:
    """A ``vllm.LLM`` and the id of the weights in it. Satisfies Sampler.

    ``apart`` where its workers are other processes.
    """

    llm: Any
    manner: Manner
    stops: tuple[int, ...]
    apart: bool = False
    version: str = ""

    def holds(self, version: str, /) -> bool:
        return self.version == version

    def load(self, voice: Voice, version: str, /) -> None:
        self.version = ""  # not any one's, while it changes
        if self.apart:
            with tempfile.TemporaryDirectory(dir=shared_memory()) as folder:
                voice.save(Path(folder), version)
                self._reload(weights_path=folder)
        else:
            self._reload(weights_iterator=by_checkpoint(voice.decoder))
        if not self.llm.reset_prefix_cache():
            raise SolonError("vllm: expected its prefix cache to be empty after a push, it is not")
        self.version = version

    def _reload(self, **source: Any) -> None:
        self.llm.collective_rpc("reload_weights", kwargs=source)

    def draw(self, requests: Sequence[Request], /) -> list[Drawn]:
        asked = [sampling(self.manner, one, self.stops) for one in requests]
        found = generated(self.llm, [one.ids for one in requests], asked)
        return [drawn(one.token_ids, logps_of(one), one.finish_reason) for one in found]


def generated(llm: Any, ids: Sequence[Sequence[int]], asked: Sequence[Mapping[str, Any]]) -> Any:
    """vLLM's one output for each prompt, in order."""
    from vllm import SamplingParams  # pyright: ignore[reportMissingImports]

    prompts = [{"prompt_token_ids": list(one)} for one in ids]
    manners = [SamplingParams(detokenize=False, **one) for one in asked]
    return [one.outputs[0] for one in llm.generate(prompts, manners, use_tqdm=False)]


def logps_of(output: Any) -> list[float]:
    """The sampled tokens' log-probabilities."""
    pairs = zip(output.token_ids, output.logprobs, strict=True)
    return [float(listed[token].logprob) for token, listed in pairs]


@contextmanager
def _in_this_process() -> Generator[None]:
    """vLLM made inside keeps its scheduler, and with one device its worker, in this process."""
    before = os.environ.get(IN_PROCESS)
    os.environ[IN_PROCESS] = "0"
    try:
        yield
    finally:
        os.environ.pop(IN_PROCESS)
        if before is not None:
            os.environ[IN_PROCESS] = before


def shared_memory() -> str | None:
    """A folder that is memory, where the system has one: weights pass through it, not a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
