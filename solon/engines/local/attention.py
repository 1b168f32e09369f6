"""Attention over layouts, behind transformers' attention interface.

A decoder that calls the interface needs no change: its linears see one row of real tokens, and the
function registered here gathers queries, keys and values into groups of similar length.

axes: N tokens, H heads, G key-value heads, D head width, B rows, Q queries, K keys
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface

from solon.engines.local.layout import Layout

NAME = "solon"
# Arguments with which a model changes the scores themselves: no layout can honour them.
FOREIGN = ("softcap", "s_aux", "sinks", "position_bias", "alibi")


# The scale of the scores (None: the usual one), and the sliding window (0: none).
Asked = tuple[float | None, int]


class CannotPack(Exception):
    """The model's attention does something that a layout cannot express."""


class Plan(Protocol):
    """Who attends to whom in one forward pass."""

    def attend(
        self,
        module: nn.Module,
        qkv: tuple[Tensor, Tensor, Tensor],
        scale: float | None,
        window: int,
    ) -> Tensor:
        """[N H D], [N G D], [N G D] -> [N H D]."""
        ...


_plan: ContextVar[Plan | None] = ContextVar("plan", default=None)


@contextmanager
def attending(plan: Plan) -> Generator[None]:
    """Every attention call of this context follows the plan."""
    token = _plan.set(plan)
    try:
        yield
    finally:
        _plan.reset(token)


def under_plan(work: Callable[..., Any]) -> Callable[..., Any]:
    """``work`` under the plan of this moment, whenever and in whatever thread it is called."""
    plan = _plan.get()
    if plan is None:
        return work

    def planned(*args: Any, **named: Any) -> Any:
        with attending(plan):
            return work(*args, **named)

    return planned


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """The registered function, which follows the context's plan.

    Raises CannotPack where the model asks for what a layout cannot express.
    """
    plan = _plan.get()
    assert plan is not None, "a packed model is only ever called under a plan"
    foreign = [name for name in FOREIGN if settings.get(name) is not None]
    if foreign or attention_mask is not None:
        raise CannotPack(f"attention with {', '.join(foreign) or 'its own mask'}")
    window = int(settings.get("sliding_window") or 0)
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    return plan.attend(module, (q, k, v), settings.get("scaling"), window)[None], None


AttentionInterface.register(NAME, attend)


@dataclass(slots=True)
class Packed:
    """Whole sequences at once, by a layout. ``kept`` receives keys and values where it is a dict.

    ``asked`` notes what each layer asked for, in order.
    """

    layout: Layout
    kept: dict[nn.Module, tuple[Tensor, Tensor]] | None = None
    asked: list[Asked] = field(default_factory=list[Asked])

    def attend(
        self,
        module: nn.Module,
        qkv: tuple[Tensor, Tensor, Tensor],
        scale: float | None,
        window: int,
    ) -> Tensor:
        self.asked.append((scale, window))
        if self.kept is not None:
            self.kept[module] = qkv[1:]
        heads, width = qkv[0].shape[1:]
        # heads flat: rows of H*D floats are what a gather reads fastest
        query, key, value = (x.flatten(1) for x in qkv)
        parts: list[Tensor] = []
        for group in self.layout.groups:
            q = _gather(query, group.queries, width)
            k, v = _gather(key, group.keys, width), _gather(value, group.keys, width)
            # a window narrower than the rows needs a mask; otherwise the causal flag is cheaper
            narrow = window if 0 < window < k.size(2) else 0
            flag = group.causal and not narrow
            mask = None if flag else group.mask(narrow, q.dtype)
            out = F.scaled_dot_product_attention(
                q,
                k,
                v,
                attn_mask=mask,
                is_causal=flag,
                scale=scale,
                enable_gqa=q.size(1) != k.size(1),
            )
            parts.append(out.transpose(1, 2).reshape(-1, heads * v.size(3)))
        together = parts[0] if len(parts) == 1 else torch.cat(parts)
        return together.index_select(0, self.layout.home).view(-1, heads, qkv[2].size(2))


def _gather(x: Tensor, index: Tensor, width: int) -> Tensor:
    """[N H*D] and [B Q] -> [B H Q D]."""
    rows, columns = index.shape
    return x.index_select(0, index.view(-1)).view(rows, columns, -1, width).transpose(1, 2)


@dataclass(slots=True, kw_only=True)
class Decoding:
    """One new token for each living row, its past in an own store of keys and values.

    ``keys`` and ``values`` are [layers, rows, G, places, D]; ``places`` [B] is where each row
    writes next. Rows that finish leave: the last living rows move into their slots.
    """

    layers: dict[nn.Module, int]
    keys: Tensor
    values: Tensor
    places: Tensor
    alive: int
    top: int = 0
    _rows: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    _masks: dict[tuple[int, torch.dtype], Tensor | None] = field(
        default_factory=dict[tuple[int, torch.dtype], Tensor | None]
    )

    def step(self) -> None:
        """Call before each forward pass."""
        self._masks.clear()
        self._rows = torch.arange(self.alive, device=self.places.device)
        self.top = int(self.places.max()) + 1

    def attend(
        self,
        module: nn.Module,
        qkv: tuple[Tensor, Tensor, Tensor],
        scale: float | None,
        window: int,
    ) -> Tensor:
        query, key, value = qkv
        count = self.alive
        keys, values = self.keys[self.layers[module]], self.values[self.layers[module]]
        keys[self._rows, :, self.places] = key
        values[self._rows, :, self.places] = value
        # query heads of one key-value head stand as rows of one query: the past is never repeated
        out = F.scaled_dot_product_attention(
            query.reshape(count, key.size(1), -1, query.size(2)),
            keys[:count, :, : self.top],
            values[:count, :, : self.top],
            attn_mask=self._mask(window, query.dtype),
            scale=scale,
        )
        return out.reshape(count, query.size(1), value.size(2))

    def _mask(self, window: int, dtype: torch.dtype) -> Tensor | None:
        if (window, dtype) not in self._masks:
            place = torch.arange(self.top, device=self.places.device)
            seen = place <= self.places[:, None]
            if window:
                seen &= place > self.places[:, None] - window
            mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
            whole = bool(seen.all())
            self._masks[window, dtype] = (
                None if whole else mask.masked_fill_(~seen, float("-inf"))[:, None, None]
            )
        return self._masks[window, dtype]

    def drop(self, finished: Tensor) -> Tensor:
        """Removes the finished rows [B]; returns the permutation of the rows that stay."""
        left = int((~finished).sum())
        stay = torch.arange(left, device=finished.device)
        holes = finished[:left].nonzero()[:, 0]
        movers = (~finished[left:]).nonzero()[:, 0] + left
        stay[holes] = movers
        if len(holes):
            self.keys[:, holes, :, : self.top] = self.keys[:, movers, :, : self.top]
            self.values[:, holes, :, : self.top] = self.values[:, movers, :, : self.top]
        self.places, self.alive = self.places[stay], left
        return stay
