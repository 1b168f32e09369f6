"""What is asked of vLLM and what it says, whichever way it is reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from solon.engines.local.layout import Ids
from solon.engines.local.sampling import Drawn, Manner
from solon.engines.local.voice import Voice
from solon.engines.local.words import Words
from solon.errors import SettingError, SolonError
from solon.records import Group, Prompt

Mode = Literal["raw_logprobs", "processed_logprobs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One completion to draw: the prompt's ids, the seed of its noise, the most tokens it has.

    Example:
        Request(ids=(4, 5, 6), seed=17, most=128)
    """

    ids: Ids
    seed: int
    most: int


class Sampler(Protocol):
    """A vLLM that answers, and whose weights can be replaced."""

    def holds(self, version: str, /) -> bool:
        """Whether the weights of that id are the ones that it samples from."""
        ...

    def load(self, voice: Voice, version: str, /) -> None:
        """Takes the voice's weights as they are now, and forgets what it cached of older ones."""
        ...

    def draw(self, requests: Sequence[Request], /) -> list[Drawn]:
        """One for each, in order; log-probabilities as our records have them."""
        ...


def logprobs_mode(manner: Manner) -> Mode | None:
    """The setting under which vLLM's log-probabilities are those of our records: after the
    temperature, before any cut. None where both settings agree.

    Raises SettingError where neither is right.
    """
    cut = manner.temperature > 0 and (manner.top_p < 1 or manner.top_k > 0)
    if manner.temperature in (0.0, 1.0):
        return "raw_logprobs" if cut else None
    if cut:
        raise SettingError(
            f"temperature: expected 1 (or 0) where top_p or top_k cut, got {manner.temperature:g}: "
            "vLLM tells log-probabilities before the temperature or after the cut, not between"
        )
    return "processed_logprobs"


def sampling(manner: Manner, request: Request, stops: Sequence[int]) -> dict[str, Any]:
    """What a request's sampling is called by SamplingParams and by the server alike."""
    return {
        "temperature": manner.temperature,
        "top_p": manner.top_p,
        "top_k": manner.top_k,
        "seed": request.seed,
        "max_tokens": request.most,
        "stop_token_ids": list(stops),
        "logprobs": 0,  # the sampled token's alone
    }


def drawn(tokens: Sequence[int], logps: Sequence[float], finish: str | None) -> Drawn:
    """One answer. Raises SolonError for one that was cut off, or whose parts do not fit."""
    if finish not in {"stop", "length"} or len(tokens) != len(logps):
        raise SolonError(
            f"vllm: expected an answer that ends by stop or length, with a log-probability for "
            f"each token, got finish {finish!r}, {len(tokens)} tokens and {len(logps)} of them"
        )
    return Drawn(tokens=list(tokens), logps=list(logps), finished=finish == "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """From prompts to requests and from answers to completions, as the local engine has them."""

    words: Words
    manner: Manner
    seed_for: Callable[..., int]

    def requests(self, prompts: Sequence[Prompt], n: int, policy: str) -> list[Request]:
        """n of each prompt, side by side, so that the first one's prefix serves its siblings; the
        seed of each from (run, policy, prompt, which of its occurrences in this call, sibling).
        """
        seen = Counter[str]()
        asked: list[Request] = []
        for prompt in prompts:
            ids = self.words.prompt(prompt)
            most = min(self.manner.max_new_tokens, self.words.context - len(ids))
            occurrence = (policy, prompt.id, seen[prompt.id])
            asked += [
                Request(ids=ids, seed=self.seed_for("sample", *occurrence, sibling), most=most)
                for sibling in range(n)
            ]
            seen[prompt.id] += 1
        return asked

    def groups(
        self, prompts: Sequence[Prompt], n: int, policy: str, answers: Sequence[Drawn]
    ) -> list[Group]:
        """The answers to ``requests`` of the same prompts and n."""
        told = iter(answers)
        return [
            Group(
                completions=tuple(
                    next(told).completion(prompt, self.words, policy) for _ in range(n)
                )
            )
            for prompt in prompts
        ]
