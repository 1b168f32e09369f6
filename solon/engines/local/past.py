"""What a decoder remembers of the requests that it is answering.

Two ways: an own store behind the packed attention, and transformers' cache for models whose
attention a layout cannot express. In both, each distinct prompt is read once, and requests that
are finished leave.

axes: R requests, B living requests, V vocabulary
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from solon.engines.local.attention import Decoding, Packed
from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Ids, Row
from solon.errors import SettingError


class Past(Protocol):
    def drop(self, finished: Tensor, /) -> Tensor:
        """Forgets the finished of B; returns the old places of those that stay, in new order."""
        ...

    def next(self, tokens: Tensor, /) -> Tensor:
        """Logits [B V] after one more token each."""
        ...


def begin(decoder: Decoder, prompts: Sequence[Ids], steps: int) -> tuple[Tensor, Past]:
    """Logits [R V] after the prompts, and their past with room for ``steps`` more tokens."""
    distinct = list(dict.fromkeys(prompts))
    place = {prompt: number for number, prompt in enumerate(distinct)}
    which = torch.as_tensor([place[p] for p in prompts], device=decoder.device)
    read = _packed if decoder.packed else _padded
    return read(decoder, distinct, which, steps)


@dataclass(slots=True)
class PackedPast:
    decoder: Decoder
    store: Decoding

    def drop(self, finished: Tensor, /) -> Tensor:
        return self.store.drop(finished)

    def next(self, tokens: Tensor, /) -> Tensor:
        self.store.step()
        decoder, store = self.decoder, self.store
        logits = decoder.spread.step(
            lambda: decoder.logits(decoder.packed_states(tokens, store.places, store))
        )
        store.places = store.places + 1
        return logits


def _packed(
    decoder: Decoder, distinct: Sequence[Ids], which: Tensor, steps: int
) -> tuple[Tensor, Past]:
    layout = decoder.lay_out([Row(prompt=p, completion=()) for p in distinct], last=True)
    plan = Packed(layout, kept={})
    logits = decoder.spread.step(
        lambda: decoder.logits(decoder.hidden(layout, plan).index_select(0, layout.ends))
    )
    kept = plan.kept or {}
    lengths = torch.as_tensor([len(p) for p in distinct], device=which.device)
    longest = int(lengths.max())
    places = torch.arange(longest, device=which.device).expand(len(distinct), -1)
    # past a prompt's end stand copies of its last token: masked until they are written over
    index = layout.ends[:, None] - (lengths[:, None] - 1 - places).clamp(min=0)
    first = next(iter(kept.values()))[0]
    groups, width = first.shape[1:]
    shape = (2, len(kept), len(which), groups, longest + steps, width)
    # zeros, since a masked place must still hold a number
    store = torch.zeros(shape, dtype=first.dtype, device=first.device)
    for layer, pair in enumerate(kept.values()):
        for kind, states in enumerate(pair):
            store[kind, layer, :, :, :longest] = states[index].transpose(1, 2)[which]
    decoding = Decoding(
        layers={module: layer for layer, module in enumerate(kept)},
        keys=store[0],
        values=store[1],
        places=lengths[which],
        alive=len(which),
        top=longest,
    )
    return logits[which], PackedPast(decoder, decoding)


@dataclass(slots=True)
class CachedPast:
    """``mask`` [B places] is 0 on the padding, which stands on the left."""

    decoder: Decoder
    cache: DynamicCache
    mask: Tensor

    def drop(self, finished: Tensor, /) -> Tensor:
        stay = (~finished).nonzero()[:, 0]
        self.cache.batch_select_indices(stay)
        self.mask = self.mask[stay]
        return stay

    def next(self, tokens: Tensor, /) -> Tensor:
        self.mask = torch.cat([self.mask, torch.ones_like(self.mask[:, :1])], dim=1)
        return self.read(tokens[:, None])

    def read(self, ids: Tensor) -> Tensor:
        """Logits [B V] after the ids, which are the last places of the mask."""
        settings: dict[str, Any] = {}
        takes = inspect.signature(self.decoder.trunk.forward).parameters
        if "position_ids" in takes:
            settings["position_ids"] = (self.mask.cumsum(1) - 1).clamp(min=0)[:, -ids.size(1) :]
        if "past_key_values" not in takes:
            raise SettingError(
                f"model: {self.decoder.kind} keeps no keys and values, so this "
                "engine cannot sample from it: serve it by an endpoint"
            )
        decoder = self.decoder

        def logits() -> Tensor:
            states = decoder.trunk(
                input_ids=ids,
                attention_mask=self.mask,
                past_key_values=self.cache,
                use_cache=True,
                **settings,
            ).last_hidden_state
            return decoder.logits(states[:, -1])

        return decoder.spread.step(logits)


def _padded(
    decoder: Decoder, distinct: Sequence[Ids], which: Tensor, steps: int
) -> tuple[Tensor, Past]:
    del steps  # transformers' cache grows by itself
    longest = max(map(len, distinct))
    ids = torch.zeros(len(distinct), longest, dtype=torch.long, device=which.device)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(distinct):
        ids[row, longest - len(prompt) :] = torch.as_tensor(prompt, device=which.device)
        mask[row, longest - len(prompt) :] = 1
    past = CachedPast(decoder, DynamicCache(config=decoder.model.config), mask)
    logits = past.read(ids)[which]
    past.cache.batch_select_indices(which)
    past.mask = past.mask[which]
    return logits, past
