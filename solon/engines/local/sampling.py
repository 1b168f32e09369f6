"""Sampling: one prefill per distinct prompt, an own store of keys and values, no finished rows.

Every request brings its own noise, so what shares its batch never changes what it draws.

axes: B living requests, V vocabulary
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Ids
from solon.engines.local.past import begin
from solon.engines.local.words import Words
from solon.errors import SolonError
from solon.records import Completion, Prompt

# Below 1 in float32 even after it has been multiplied by a sum of probabilities.
ALMOST_ONE = 1 - 2.0**-20


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How tokens are drawn. Temperature 0 takes the likeliest; top_k 0 and top_p 1 cut nothing."""

    temperature: float
    top_p: float
    top_k: int
    max_new_tokens: int

    @property
    def cut(self) -> str:
        """The setting by which less than the whole distribution is drawn from; empty: none."""
        if not self.temperature:
            return "temperature=0"
        if self.top_p < 1:
            return f"top_p={self.top_p:g}"
        return f"top_k={self.top_k}" if self.top_k else ""

    @property
    def scale(self) -> float:
        """What logits are divided by when log-probabilities are recorded."""
        return self.temperature or 1.0


@dataclass(slots=True)
class Drawn:
    """Tokens of one request, their log-probabilities in nats, and whether it ended by itself."""

    tokens: list[int] = field(default_factory=list[int])
    logps: list[float] = field(default_factory=list[float])
    finished: bool = False

    def completion(self, prompt: Prompt, words: Words, policy: str) -> Completion:
        """As a record, by the weights that ``policy`` is the id of."""
        return Completion(
            prompt=prompt,
            text=words.text(self.tokens),
            policy=policy,
            tokens=tuple(self.tokens),
            logps=tuple(self.logps),
            finish="stop" if self.finished else "length",
        )


def uniforms(seed: int, steps: int) -> NDArray[np.float64]:
    """The noise of one request: one uniform for each step, from its own Philox stream."""
    return np.random.Generator(np.random.Philox(key=seed)).random(steps).clip(max=ALMOST_ONE)


def draw(
    decoder: Decoder,
    prompts: Sequence[Ids],
    noise: Sequence[NDArray[np.float64]],
    manner: Manner,
    *,
    stops: frozenset[int],
    budget: int,
) -> list[Drawn]:
    """One completion for each prompt; ``budget`` bounds the places in the store of one batch.

    ``noise[r]`` holds a uniform for each token that request r may draw: its length is the limit.
    """
    requests = [Drawn() for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda r: (-len(prompts[r]), prompts[r]))
    done = 0
    with torch.inference_mode():
        while done < len(order):
            room = len(prompts[order[done]]) + manner.max_new_tokens
            batch = order[done : done + max(1, budget // room)]
            _Batch(
                decoder=decoder,
                prompts=[prompts[r] for r in batch],
                noise=[noise[r] for r in batch],
                drawn=[requests[r] for r in batch],
                manner=manner,
                stops=stops,
            ).run()
            done += len(batch)
    return requests


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Requests that are decoded together."""

    decoder: Decoder
    prompts: list[Ids]
    noise: list[NDArray[np.float64]]
    drawn: list[Drawn]
    manner: Manner
    stops: frozenset[int]

    def run(self) -> None:
        steps = max(map(len, self.noise))
        logits, past = begin(self.decoder, self.prompts, steps)
        device = logits.device
        living = torch.arange(len(self.prompts), device=device)
        limits = torch.as_tensor([len(u) for u in self.noise], device=device)
        table = np.zeros((len(self.prompts), steps), dtype=np.float32)
        for request, values in enumerate(self.noise):
            table[request, : len(values)] = values
        noise = torch.as_tensor(table, device=device)
        for step in range(steps):
            tokens, logps = pick(logits, noise[living, step], self.manner)
            ended = record(self.drawn, living, tokens, logps, self.stops)
            ended |= limits[living] <= step + 1
            if bool(ended.any()):
                stay = past.drop(ended)
                living, tokens = living[stay], tokens[stay]
            if not len(living):
                return
            logits = past.next(tokens)


def pick(logits: Tensor, noise: Tensor, manner: Manner) -> tuple[Tensor, Tensor]:
    """Tokens [B] by the inverse of the distribution function at the noise [B], and their
    log-probabilities [B] before any cut.

    Raises SolonError on logits that are not finite.
    """
    logps = torch.log_softmax(logits / manner.scale if manner.scale != 1.0 else logits, dim=-1)
    if manner.temperature == 0:
        tokens = logps.argmax(-1)
    else:
        below = _cut(logps.exp(), manner).cumsum(-1)
        target = noise[:, None] * below[:, -1:]
        tokens = torch.searchsorted(below, target, right=True)[:, 0].clamp(max=logits.size(-1) - 1)
    chosen = logps.gather(1, tokens[:, None])[:, 0]
    if not bool(torch.isfinite(chosen).all()):
        raise SolonError(
            "sampling: the model's logits are not finite; lower the learning rate, or use float32"
        )
    return tokens, chosen


def _cut(probabilities: Tensor, manner: Manner) -> Tensor:
    """Zero outside the top_k likeliest and outside the smallest set that holds top_p."""
    if not manner.top_k and manner.top_p >= 1:
        return probabilities
    ordered, index = probabilities.sort(dim=-1, descending=True, stable=True)
    keep = torch.ones_like(ordered, dtype=torch.bool)
    if manner.top_k:
        keep[:, manner.top_k :] = False
    if manner.top_p < 1:
        keep &= ordered.cumsum(-1) - ordered < manner.top_p
    return torch.zeros_like(probabilities).scatter(1, index, ordered * keep)


def record(
    drawn: Sequence[Drawn], living: Tensor, tokens: Tensor, logps: Tensor, stops: frozenset[int]
) -> Tensor:
    """Writes one step down; True [B] where the token ended its completion."""
    picked = tokens.tolist()
    for request, token, logp in zip(living.tolist(), picked, logps.tolist(), strict=True):
        drawn[request].tokens.append(token)
        drawn[request].logps.append(logp)
        drawn[request].finished = token in stops
    return torch.as_tensor([token in stops for token in picked], device=tokens.device)
