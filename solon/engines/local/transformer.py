"""The value that opens into a policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.engines.local.decoder import Decoder
from solon.engines.local.fitting import Optimiser
from solon.engines.local.policy import LocalPolicy, Opened
from solon.engines.local.probe import settle
from solon.engines.local.recompute import recompute
from solon.engines.local.sampling import Manner
from solon.engines.local.spread import Spread, Whole
from solon.engines.local.threads import choose_threads
from solon.engines.local.vocabulary import load_tokenizer
from solon.engines.local.voice import Voice
from solon.engines.local.weights import (
    Device,
    Dtype,
    Lora,
    Shape,
    adapt,
    load_model,
    make_model,
    place,
    precision,
    stop_tokens,
)
from solon.engines.local.words import Chat, Words
from solon.errors import SettingError
from solon.objectives.adam import Adam
from solon.run.ranks import Alone, at_work

Sharding = Literal["auto", "ddp", "fsdp2"]
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """A causal language model from a folder or the hub, or of a shape with random weights.

    Example:
        Transformer(shape=Shape(hidden=128), tokenizer="corpus.txt").open(run)
    """

    model: str = ""
    """Folder or hub name of a causal language model; empty takes shape."""
    tokenizer: str | tuple[str, ...] = ""
    """Folder, hub name, text file (to train byte-level BPE on) or words; empty is the model's."""
    shape: Shape | None = None
    """Size of a model with random weights, in the place of model."""
    name: str = "policy"
    """What completions call it, as name@version."""
    chat: Chat = "auto"
    """Whether prompts go through the tokenizer's chat template; auto does where it has one."""
    temperature: float = 1.0
    """Sampling temperature; 0 takes the likeliest token."""
    top_p: float = 1.0
    """Probability of the likeliest tokens that are drawn from; 1 takes all."""
    top_k: int = 0
    """Number of the likeliest tokens that are drawn from; 0 takes all."""
    max_new_tokens: int = 128
    """Longest completion, in tokens."""
    max_prompt_tokens: int = 1024
    """Longest prompt, in tokens; a longer one loses its beginning."""
    dtype: Dtype = "auto"
    """Precision of the weights; auto is bfloat16 on CUDA and float32 on a CPU."""
    device: Device = "auto"
    """Where it computes; auto is CUDA where there is one."""
    lora: Lora | None = None
    """Adapters that learn in the place of the weights; none trains all weights."""
    tokens_per_chunk: int = 16_384
    """Tokens of one pass: lower it when memory runs out; results do not change."""
    packed: Literal["auto", "never"] = "auto"
    """Whether rows stand end to end without padding; auto does where the model allows it."""
    gradient_checkpointing: bool = False
    """Whether layers compute again for the backward pass what they would have to keep for it: a
    third more work, a fraction of the memory; results do not change."""
    sharding: Sharding = "auto"
    """Over several processes, whole weights in each (ddp) or a part in each (fsdp2); auto is ddp
    where there are several."""
    gather: Literal["whole", "layers"] = "whole"
    """What a process with fsdp2 gathers to sample: all weights, once; or a layer at a time, for
    every token, which is far slower and needs no room for a whole copy. Draws do not change."""

    def open(self, run: Opened) -> LocalPolicy:
        """Raises SettingError where a setting cannot be met."""
        self._check()
        self._check_processes()
        decoder, words = self._decoder(run)
        choose_threads(sum(p.numel() for p in decoder.model.parameters()), decoder.device, run)
        voice = Voice(
            decoder=decoder,
            words=words,
            manner=Manner(
                temperature=self.temperature,
                top_p=self.top_p,
                top_k=self.top_k,
                max_new_tokens=self.max_new_tokens,
            ),
            stops=stop_tokens(decoder.model, words.tokenizer),
            tokens_per_chunk=self.tokens_per_chunk,
            seed_for=run.seed_for,
        )
        return LocalPolicy(
            name=self.name,
            voice=voice,
            optimiser=Optimiser([list(decoder.trained().values())], Adam(), ranks=voice.ranks),
        )

    def _decoder(self, run: Opened) -> tuple[Decoder, Words]:
        tokenizer = load_tokenizer(
            self.tokenizer or self.model, size=self.shape.vocab if self.shape else 0
        )
        model, spread = self._spread(tokenizer, run)
        decoder = Decoder(model, spread=spread)
        settle(decoder, self.packed, run)
        if self.lora is not None:
            decoder.adapter = adapt(model, self.lora, seed=run.seed_for(self.name, "lora"))
        if self.max_new_tokens >= decoder.context:
            raise SettingError(
                f"max_new_tokens: expected less than the model's context of {decoder.context} "
                f"tokens, got {self.max_new_tokens}"
            )
        longest = min(self.max_prompt_tokens, decoder.context - self.max_new_tokens)
        return decoder, Words(
            tokenizer=tokenizer,
            chat=self.chat,
            longest_prompt=longest,
            context=decoder.context,
            vocabulary=decoder.vocabulary,
        )

    def _spread(
        self, tokenizer: PreTrainedTokenizerBase, run: Opened
    ) -> tuple[PreTrainedModel, Spread]:
        """The model, and how its weights lie."""
        device = place(self.device)
        dtype, read = precision(self.dtype, device), None
        cut = self.sharding == "fsdp2"
        # what is cut up is made in main memory: only its part goes to the device
        first = place("cpu") if cut else device
        if not self.model:
            shape, seed = self.shape or Shape(), run.seed_for(self.name, "weights")
            model = make_model(shape, tokenizer, seed=seed, dtype=dtype, device=first)
        elif cut:
            from solon.engines.sharded.loading import opened

            model, read = opened(self.model, dtype, run.note)
        else:
            model = load_model(self.model, dtype=dtype, device=first)
        if self.gradient_checkpointing:
            recompute(model)
        if not cut:
            return model, Whole()
        from solon.engines.sharded.parts import Parts

        return model, Parts.of(model, at_work(), device, read=read, whole=self.gather == "whole")

    def _check_processes(self) -> None:
        if self.sharding != "auto" and isinstance(at_work(), Alone):
            raise SettingError(
                f"{self.name}.sharding={self.sharding}: expected a group of processes, got one "
                "alone: use `torchrun --nproc-per-node N --no-python solon run ...`"
            )
        if self.sharding != "fsdp2" and self.gather == "layers":
            raise SettingError(
                f"{self.name}.gather: expected sharding=fsdp2 with gather=layers, got "
                f"sharding={self.sharding}, where each process has whole weights"
            )
        if self.sharding == "fsdp2" and self.lora is not None:
            raise SettingError(
                f"{self.name}.lora: expected none with sharding=fsdp2, got rank {self.lora.rank}: "
                "an adapter is small, use sharding=ddp"
            )

    def _check(self) -> None:
        if self.model and not HUB_NAME.fullmatch(self.model) and not Path(self.model).is_dir():
            raise SettingError(f"policy.model: expected a model folder, got {self.model!r}")
        if bool(self.model) == (self.shape is not None):
            raise SettingError(
                f"{self.name}: give either model (a folder or hub name), or, for random weights, "
                "shape (shape.hidden=128) and tokenizer (a text file)"
            )
        if not self.model and not self.tokenizer:
            raise SettingError(
                "policy: random weights need a tokenizer: a folder, a text file or words"
            )
        if (
            self.temperature < 0
            or not 0 < self.top_p <= 1
            or self.top_k < 0
            or self.max_new_tokens < 1
        ):
            raise SettingError(
                "policy: expected temperature >= 0, 0 < top_p <= 1, top_k >= 0, max_new_tokens >= 1"
            )
