"""Weights in parts: PyTorch's FSDP2 (``fully_shard``, arXiv:2304.11277) under the local engine.

Each process holds 1/N of every weight, gradient and optimiser state. A layer is gathered for its
forward and its backward pass. Gradients are summed as their parts come back, not averaged: the
optimiser divides by the weight of the whole batch. FSDP2's hooks surround a module's own forward
pass, so such a decoder never walks its layers by hand.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel

from solon.engines.local.recompute import layers
from solon.engines.local.spread import laid_like
from solon.run.ranks import Ranks

M = TypeVar("M", bound=nn.Module)
# The rows of a weight, by its name in the model.
Read = Callable[[str, slice], Tensor]


@dataclass(slots=True, kw_only=True)
class Parts:
    """A model of which each process holds a part of every weight. Satisfies Spread.

    ``plain`` has its modules and buffers, and no weights: copies are made of it. ``whole`` is
    whether sampling gathers all weights, or a layer at a time.
    """

    model: nn.Module
    plain: nn.Module
    ranks: Ranks
    mesh: DeviceMesh
    device: torch.device
    whole: bool

    @classmethod
    def of(
        cls,
        model: nn.Module,
        ranks: Ranks,
        device: torch.device,
        *,
        read: Read | None = None,
        whole: bool = True,
    ) -> Parts:
        """Cuts the model up in place, its parts on the device.

        ``read`` is asked for this process's rows of each weight; without it they are the model's.
        """
        mesh = init_device_mesh(device.type, (ranks.count,))
        read = read or _own(model)
        made = cls(
            model=model, plain=_bared(model), ranks=ranks, mesh=mesh, device=device, whole=whole
        )
        return made.filled(read)

    def again(self, model: M, /) -> tuple[M, Parts]:
        read = _own(model)
        return model, replace(self, model=model, plain=_bared(model)).filled(read)

    def filled(self, read: Read) -> Parts:
        """Itself, when the model, which had no weights, is cut up and each part is read."""
        model = self.model
        for layer in layers(model):
            fully_shard(layer, mesh=self.mesh, reshard_after_forward=True)
        fully_shard(model, mesh=self.mesh, reshard_after_forward=False)
        for module in _modules(model):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(enable=True)  # gloo knows no other
        for name, bare in list(model.named_parameters()):
            part = laid_like(bare, partial(read, name), self.device)
            _exchange(model, bare, nn.Parameter(part, requires_grad=bare.requires_grad))
        cast("Any", model).through = lambda work: work()
        register_fsdp_forward_method(model, "through")
        with torch.no_grad():  # the first pass tells every part who its root is
            self.through(lambda: torch.zeros(()))
            # room for a whole layer that was first made while sampling could not be learnt with
            for module in _modules(model):
                module.unshard()
                module.reshard()
        return self

    def through(self, work: Callable[[], Tensor], /) -> Tensor:
        learning = False
        try:
            found = cast("Any", self.model).through(work)
            learning = found.requires_grad
        finally:
            if not learning:  # no backward pass follows, which would let the root's weights go
                cast("Any", self.model).reset_iter_state()
        return found

    @contextmanager
    def sampling(self, idle: Callable[[], Tensor], /) -> Generator[None]:
        if self.whole:
            with self._gathered():
                yield
            return
        yield
        with torch.no_grad():
            while any(self.ranks.gathered(False)):  # another one makes a step
                self.through(idle)

    def step(self, work: Callable[[], Tensor], /) -> Tensor:
        if self.whole:
            return work()
        self.ranks.gathered(True)
        return self.through(work)

    @contextmanager
    def _gathered(self) -> Generator[None]:
        """All weights in every process, for a while."""
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
        alone = copy.deepcopy(cast("M", self.plain))
        parts = dict(model.named_parameters())
        for name, bare in list(alone.named_parameters()):
            part = parts[name].detach().clone()
            _exchange(alone, bare, nn.Parameter(part, requires_grad=parts[name].requires_grad))
        return alone


def _own(model: nn.Module) -> Read:
    """A model's own weights, each let go when it has been read."""
    own = {name: p.detach() for name, p in model.named_parameters()}

    def rows(name: str, rows: slice) -> Tensor:
        weight = own.pop(name)
        return weight.to_local() if isinstance(weight, DTensor) else weight[rows].clone()

    return rows


def _bared(model: M) -> M:
    """Takes the model's weights away; a copy of the rest, under the same configuration, which may
    still be changed.
    """
    for weight in list(model.parameters()):
        bare = torch.empty(weight.shape, dtype=weight.dtype, device="meta")
        _exchange(model, weight, nn.Parameter(bare, requires_grad=weight.requires_grad))
    configured = [m.config for m in model.modules() if isinstance(m, PreTrainedModel)]
    return copy.deepcopy(model, {id(config): config for config in configured})


def _exchange(model: nn.Module, old: nn.Parameter, new: nn.Parameter) -> None:
    """One weight for another, wherever the model has it."""
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            if weight is old:
                setattr(module, name, new)


def _modules(model: nn.Module) -> Iterator[FSDPModule]:
    """The parts that are gathered by themselves, the root among them."""
    return (module for module in model.modules() if isinstance(module, FSDPModule))
