"""The value that opens into a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from solon.engines.local.decoder import Decoder
from solon.engines.local.fitting import Optimiser
from solon.engines.local.policy import LocalPolicy, Opened
from solon.engines.local.probe import settle
from solon.engines.local.sampling import Manner
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


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """A causal language model from a folder or the hub, or of a shape with random weights.

    ``tokenizer`` is a folder or hub name (by default the model's), a text file to train byte-level
    BPE of ``shape.vocab`` tokens on, or a tuple of words. ``tokens_per_chunk`` bounds the tokens of
    one forward and backward pass: lower it when memory runs out; results do not change.

    Example:
        Transformer(shape=Shape(hidden=128), tokenizer="corpus.txt").open(run)
    """

    model: str = ""
    tokenizer: str | tuple[str, ...] = ""
    shape: Shape | None = None
    name: str = "policy"
    chat: Chat = "auto"
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 128
    max_prompt_tokens: int = 1024
    dtype: Dtype = "auto"
    device: Device = "auto"
    lora: Lora | None = None
    tokens_per_chunk: int = 16_384
    packed: Literal["auto", "never"] = "auto"

    def open(self, run: Opened) -> LocalPolicy:
        """Raises SettingError where a setting cannot be met."""
        self._check()
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
            optimiser=Optimiser([list(decoder.trained().values())], Adam()),
        )

    def _decoder(self, run: Opened) -> tuple[Decoder, Words]:
        device = place(self.device)
        dtype = precision(self.dtype, device)
        shape = self.shape or Shape()
        tokenizer = load_tokenizer(self.tokenizer or self.model, size=shape.vocab)
        if self.model:
            model = load_model(self.model, dtype=dtype, device=device)
        else:
            seed = run.seed_for(self.name, "weights")
            model = make_model(shape, tokenizer, seed=seed, dtype=dtype, device=device)
        decoder = Decoder(model)
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
            tokenizer=tokenizer, chat=self.chat, longest_prompt=longest, context=decoder.context
        )

    def _check(self) -> None:
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
