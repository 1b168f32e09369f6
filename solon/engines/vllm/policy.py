"""A judge or a debater that vLLM runs in this process; its weights stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import AutoConfig, GenerationConfig

from solon.engines.local.sampling import Manner
from solon.engines.local.vocabulary import load_tokenizer
from solon.engines.local.weights import Dtype
from solon.engines.local.words import Chat, Words
from solon.engines.vllm.choosing import choose
from solon.engines.vllm.engine import Engine, Live
from solon.engines.vllm.request import Asker, logprobs_mode
from solon.errors import SettingError
from solon.records import Abstains, Group, Prompt, digest
from solon.run.ranks import at_work
from solon.run.run import Run


@dataclass(frozen=True, kw_only=True)
class Vllm:
    """A model that vLLM runs in this process; opens to a VllmPolicy.

    Example:
        Vllm(model="models/judge", engine=Engine(memory=0.9))
    """

    model: str = ""
    """Folder or hub name of a causal language model."""
    name: str = "judge"
    """What records call it, as name@digest of the model's name."""
    chat: Chat = "auto"
    """Whether prompts go through the tokenizer's chat template; auto does where it has one."""
    temperature: float = 0.0
    """Sampling temperature; 0 takes the likeliest token."""
    top_p: float = 1.0
    """Probability of the likeliest tokens that are drawn from; 1 takes all."""
    top_k: int = 0
    """Number of the likeliest tokens that are drawn from; 0 takes all."""
    max_new_tokens: int = 512
    """Longest reply, in tokens."""
    max_prompt_tokens: int = 4096
    """Longest prompt, in tokens; a longer one loses its beginning, or has no choice made."""
    dtype: Dtype = "auto"
    """Precision of the weights; auto is the model's own."""
    engine: Engine = Engine(memory=0.5)
    """How vLLM runs."""

    def open(self, run: Run) -> VllmPolicy:
        """Raises SettingError where a setting cannot be met."""
        if not self.model:
            raise SettingError(f"{self.name}: expected a model (a folder or hub name), got none")
        if at_work().count > 1:
            raise SettingError(
                f"{self.name}: expected one process with vLLM inside it, got {at_work().count}: "
                "use an endpoint"
            )
        manner = Manner(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_new_tokens=self.max_new_tokens,
        )
        words, stops = self._words()
        llm = self.engine.open(
            self.model,
            dtype=self.dtype,
            max_model_len=words.longest_prompt + self.max_new_tokens,
            logprobs_mode=logprobs_mode(manner) or "raw_logprobs",
        )
        return VllmPolicy(
            id=f"{self.name}@{digest(self.model)[:6]}",
            live=Live(llm=llm, manner=manner, stops=stops),
            asker=Asker(words=words, manner=manner, seed_for=run.seed_for),
        )

    def _words(self) -> tuple[Words, tuple[int, ...]]:
        """The tokenizer with its manners, and every token that ends a reply."""
        tokenizer = load_tokenizer(self.model, size=0)
        config: Any = AutoConfig.from_pretrained(self.model).get_text_config()
        context = int(getattr(config, "max_position_embeddings", None) or 1 << 20)
        if not 0 < self.max_new_tokens < context:
            raise SettingError(
                f"max_new_tokens: expected 1 or more and less than the model's context of "
                f"{context} tokens, got {self.max_new_tokens}"
            )
        longest = min(self.max_prompt_tokens, context - self.max_new_tokens)
        words = Words(
            tokenizer=tokenizer,
            chat=self.chat,
            longest_prompt=longest,
            context=longest + self.max_new_tokens,
        )
        return words, tuple({words.eos, *_listed_stops(self.model)})


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmPolicy:
    """Weights that vLLM runs and that do not learn. Satisfies Policy and Chooser."""

    id: str
    live: Live
    asker: Asker

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        answers = self.live.draw(self.asker.requests(prompts, n, self.id))
        return self.asker.groups(prompts, n, self.id, answers)

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probabilities in nats of the choices as the next words, at temperature 1."""
        return choose(self.live.llm, self.asker.words, prompts, choices, cue)


def _listed_stops(model: str) -> list[int]:
    """The tokens that end a reply by the model's own generation settings, where it has some."""
    try:
        listed = GenerationConfig.from_pretrained(model).eos_token_id
    except OSError:
        return []
    return [listed] if isinstance(listed, int) else list(listed or ())
