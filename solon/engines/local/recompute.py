"""Gradient checkpointing (arXiv:1604.06174): a layer keeps its input and computes the rest again.

A layer's class is changed, not the layer: copies of a model (an anchor, a value network) are then
right by themselves, and FSDP2, which does the same, finds a module like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from solon.engines.local.attention import under_plan


class Recomputed(nn.Module):
    """A layer that forgets its inner states until the backward pass needs them."""

    def forward(self, *args: Any, **named: Any) -> Any:
        own = super().forward
        # the backward pass may run in another thread, where no plan of attention is set
        return recomputed(under_plan(own), *args, **named)


def recomputed(work: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """What ``work`` gives; in the backward pass it is called a second time."""
    if not torch.is_grad_enabled():
        return work(*args, **named)
    # nothing random happens in a layer: dropout is off everywhere
    return checkpoint(work, *args, use_reentrant=False, preserve_rng_state=False, **named)


def passed(layer: nn.Module, work: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``work(x)``, which is a pass through the layer by other means, kept as the layer keeps."""
    return recomputed(work, x) if isinstance(layer, Recomputed) else work(x)


def recompute(model: nn.Module) -> None:
    """Every layer of the model computes again, from now on."""
    for layer in layers(model):
        cast("Any", layer).__class__ = _again(type(layer))


@cache
def _again(kind: type[nn.Module]) -> type[nn.Module]:
    return type(kind.__name__, (Recomputed, kind), {})


def layers(module: nn.Module) -> Iterator[nn.Module]:
    """The blocks: what stands in the outermost lists of modules."""
    for child in module.children():
        if isinstance(child, nn.ModuleList):
            yield from child
        else:
            yield from layers(child)
