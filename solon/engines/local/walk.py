"""Decoders of Llama's family walked by hand: the same parameters and sums, in fewer operations.

Their own forward pass turns queries, keys and values about for attention, a packed row turns them
back, and its norms and rotations take twice the operations that they need. The probe asks, when a
model is opened, whether walking gives the model's own hidden states.

axes: N tokens, H heads, D head width
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solon.engines.local.attention import Asked, Plan
from solon.engines.local.recompute import passed

# Trunks of exactly this walk; a relative with a scale or a bias of its own is not among them.
KNOWN = ("LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model")


@dataclass(frozen=True, slots=True)
class Walk:
    """How to walk such a trunk: what each of its layers asked of attention, first layer first."""

    asked: tuple[Asked, ...]

    @classmethod
    def through(cls, trunk: nn.Module, asked: Sequence[Asked]) -> Walk | None:
        """None where the trunk is of no known kind."""
        return cls(tuple(asked)) if type(trunk).__name__ in KNOWN else None

    def __call__(self, trunk: Any, ids: Tensor, positions: Tensor, plan: Plan) -> Tensor:
        """[N hidden] of tokens [N] at their positions [N], with the gradient of the trunk's own."""
        x = trunk.embed_tokens(ids)
        cos, sin = (part[0, :, None] for part in trunk.rotary_emb(x[None], positions[None]))
        half = sin.size(-1) // 2
        # the sign of the swapped halves goes into the sine, once for all layers
        turn = cos, torch.cat((-sin[..., :half], sin[..., half:]), dim=-1)
        for layer, asked in zip(trunk.layers, self.asked, strict=True):
            x = passed(layer, partial(_through, layer, turn, plan, asked), x)
        return _norm(trunk.norm, x)


def _through(
    layer: Any, turn: tuple[Tensor, Tensor], plan: Plan, asked: Asked, x: Tensor
) -> Tensor:
    x = x + _attention(layer.self_attn, _norm(layer.input_layernorm, x), turn, plan, asked)
    return x + layer.mlp(_norm(layer.post_attention_layernorm, x))


def _attention(
    module: Any, x: Tensor, turn: tuple[Tensor, Tensor], plan: Plan, asked: Asked
) -> Tensor:
    heads = (len(x), -1, module.head_dim)
    query, key = module.q_proj(x).view(heads), module.k_proj(x).view(heads)
    if hasattr(module, "q_norm"):
        query, key = _norm(module.q_norm, query), _norm(module.k_norm, key)
    value = module.v_proj(x).view(heads)
    seen = plan.attend(module, (_turned(query, turn), _turned(key, turn), value), *asked)
    return module.o_proj(seen.flatten(1))


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions (arXiv:2104.09864) of [N H D]."""
    first, second = x.chunk(2, dim=-1)
    return torch.addcmul(x * turn[0], torch.cat((second, first), dim=-1), turn[1])


def _norm(module: Any, x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.size(-1),), module.weight, module.variance_epsilon)
