"""Sampling: one prefill per distinct prompt, an own store of keys and values, no finished rows.

Every request brings its own noise, so what shares its batch never changes what it draws.

axes: R requests, B living requests, V vocabulary, D head width, G key-value heads
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from solon.engines.local.attention import Decoding, Packed, attending
from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Ids, Row
from solon.errors import SolonError

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
    def scale(self) -> float:
        """What logits are divided by when log-probabilities are recorded."""
        return self.temperature or 1.0


@dataclass(slots=True)
class Drawn:
    """Tokens of one request, their log-probabilities in nats, and whether it ended by itself."""

    tokens: list[int] = field(default_factory=list[int])
    logps: list[float] = field(default_factory=list[float])
    finished: bool = False


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
    begin = 0
    with torch.inference_mode():
        while begin < len(order):
            room = len(prompts[order[begin]]) + manner.max_new_tokens
            batch = order[begin : begin + max(1, budget // room)]
            run = _Batch if decoder.packed else _Cached
            run(
                decoder=decoder,
                prompts=[prompts[r] for r in batch],
                noise=[noise[r] for r in batch],
                drawn=[requests[r] for r in batch],
                manner=manner,
                stops=stops,
            ).run()
            begin += len(batch)
    return requests


@dataclass(slots=True, kw_only=True)
class _Batch:
    """One batch of requests, decoded together through the packed attention."""

    decoder: Decoder
    prompts: list[Ids]
    noise: list[NDArray[np.float64]]
    drawn: list[Drawn]
    manner: Manner
    stops: frozenset[int]

    def run(self) -> None:
        logits, past = self._prefill()
        device = logits.device
        living = torch.arange(len(self.prompts), device=device)
        limits = torch.as_tensor([len(u) for u in self.noise], device=device)
        noise = torch.zeros(len(self.prompts), int(limits.max()), dtype=torch.float32)
        for request, values in enumerate(self.noise):
            noise[request, : len(values)] = torch.as_tensor(values)
        noise = noise.to(device)
        for step in range(noise.size(1)):
            tokens, logps = pick(logits, noise[living, step], self.manner)
            ended = record(self.drawn, living, tokens, logps, self.stops) | (limits[living] <= step + 1)
            if bool(ended.any()):
                stay = past.drop(ended)
                living, tokens = living[stay], tokens[stay]
            if not len(living):
                return
            logits = self._next(tokens, past)

    def _prefill(self) -> tuple[Tensor, Decoding]:
        """Logits [R V] after the prompts, and the store with each request's copy of its past."""
        distinct = list(dict.fromkeys(self.prompts))
        layout = self.decoder.lay_out([Row(prompt=p, completion=()) for p in distinct], last=True)
        plan = Packed(layout, kept={})
        hidden = self.decoder.hidden(layout, plan)
        kept = plan.kept or {}
        which = torch.as_tensor([distinct.index(p) for p in self.prompts], device=hidden.device)
        logits = self.decoder.logits(hidden.index_select(0, layout.ends))[which]
        lengths = torch.as_tensor([len(p) for p in distinct], device=hidden.device)
        longest = int(lengths.max())
        places = torch.arange(longest, device=hidden.device).expand(len(distinct), -1)
        # past a prompt's end stand copies of its last token: masked until they are written over
        index = layout.ends[:, None] - (lengths[:, None] - 1 - places).clamp(min=0)
        first = next(iter(kept.values()))[0]
        width = plan.width
        room = longest + max(len(u) for u in self.noise)
        shape = (2, len(kept), len(self.prompts), room, first.size(1) // width, width)
        store = torch.zeros(shape, dtype=first.dtype, device=first.device)
        for layer, pair in enumerate(kept.values()):
            for kind, states in enumerate(pair):
                gathered = states[index].view(len(distinct), longest, -1, width)
                store[kind, layer, :, :longest] = gathered[which]
        past = Decoding(
            layers={module: layer for layer, module in enumerate(kept)},
            keys=store[0],
            values=store[1],
            places=lengths[which],
            alive=len(self.prompts),
        )
        return logits, past

    def _next(self, tokens: Tensor, past: Decoding) -> Tensor:
        """Logits [B V] after one more token each."""
        past.step()
        with attending(past):
            states = self.decoder.trunk(
                input_ids=tokens[None], position_ids=past.places[None], use_cache=False
            ).last_hidden_state[0]
        past.places = past.places + 1
        return self.decoder.logits(states)


class _Cached(_Batch):
    pass


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
