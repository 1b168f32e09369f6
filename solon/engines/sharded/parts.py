"""Weights in parts: PyTorch's FSDP2 (``fully_shard``, arXiv:2304.11277) under the local engine.

Each process holds 1/N of every weight, gradient and optimiser state. A layer is gathered for its
forward and its backward pass. Gradients are summed as their parts come back, not averaged: the
optimiser divides by the weight of the whole batch. FSDP2's hooks surround a module's own forward
pass, so such a decoder never walks its layers by hand.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

from solon.engines.local.spread import all_of
from solon.run.ranks import Ranks

M = TypeVar("M", bound=nn.Module)


@dataclass(slots=True, kw_only=True)
class Parts:
    """A model of which each process holds a part of every weight. Satisfies Spread.

    ``plain`` has its modules and buffers, and no weights: whole copies are made of it.
    """

    model: nn.Module
    plain: nn.Module
    ranks: Ranks
    mesh: DeviceMesh

    @classmethod
    def of(cls, model: nn.Module, ranks: Ranks) -> Parts:
        """Cuts the model up in place."""
        device = next(model.parameters()).device.type
        return cls._cut(model, ranks, init_device_mesh(device, (ranks.count,)))

    @classmethod
    def _cut(cls, model: nn.Module, ranks: Ranks, mesh: DeviceMesh) -> Parts:
        plain = _with(model, {name: p.to("meta") for name, p in model.named_parameters()})
        for layer in _layers(model):
            fully_shard(layer, mesh=mesh, reshard_after_forward=True)
        fully_shard(model, mesh=mesh, reshard_after_forward=False)
        for module in _modules(model):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(enable=True)  # gloo knows no other
        cast("Any", model).through = lambda work: work()
        register_fsdp_forward_method(model, "through")
        made = cls(model=model, plain=plain, ranks=ranks, mesh=mesh)
        with torch.no_grad():  # the first pass tells every part who its root is
            made.through(lambda: torch.zeros(()))
        cast("Any", model).reshard()  # else an optimiser would be given the root's whole weights
        return made

    def through(self, work: Callable[[], Tensor], /) -> Tensor:
        return cast("Any", self.model).through(work)

    @contextmanager
    def whole(self) -> Generator[None]:
        for module in _modules(self.model):
            module.set_reshard_after_forward(reshard_after_forward=False, recurse=False)
            module.unshard()
        try:
            yield
        finally:
            for module in _modules(self.model):
                module.reshard()
                later = module is not cast("Any", self.model)
                module.set_reshard_after_forward(reshard_after_forward=later, recurse=False)

    def behind(self, passes: int, /) -> int:
        return max(self.ranks.gathered(passes)) - passes

    def copy(self, model: M, /) -> M:
        assert model is self.model, "these are the parts of one model"
        weights = {name: all_of(p.detach()) for name, p in model.named_parameters()}
        return _with(cast("M", self.plain), weights)

    def again(self, model: M, /) -> tuple[M, Parts]:
        return model, self._cut(model, self.ranks, self.mesh)


def _with(model: M, weights: Mapping[str, Tensor]) -> M:
    """A copy of the model with these weights in the place of its own."""
    named = model.named_parameters()
    memo = {
        id(p): nn.Parameter(weights[name].clone(), requires_grad=p.requires_grad)
        for name, p in named
    }
    return copy.deepcopy(model, memo)


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """The blocks: what stands in the outermost lists of modules."""
    for child in module.children():
        if isinstance(child, nn.ModuleList):
            yield from child
        else:
            yield from _layers(child)


def _modules(model: nn.Module) -> Iterator[FSDPModule]:
    """The parts that are gathered by themselves, the root among them."""
    return (module for module in model.modules() if isinstance(module, FSDPModule))
