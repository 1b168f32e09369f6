"""How a model's weights lie over the processes of a run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, Shard

M = TypeVar("M", bound=nn.Module)


class Spread(Protocol):
    """A model's weights, whole in every process or a part in each."""

    def through(self, work: Callable[[], Tensor], /) -> Tensor:
        """A forward pass whose result may be differentiated; where weights lie in parts, every
        process must make as many.
        """
        ...

    def sampling(self, idle: Callable[[], Tensor], /) -> AbstractContextManager[None]:
        """For a while, each process makes as many ``step``s as it likes, without gradient; it may
        be asked for an ``idle`` one where others make more.
        """
        ...

    def step(self, work: Callable[[], Tensor], /) -> Tensor:
        """A pass of one process while it samples."""
        ...

    def behind(self, passes: int, /) -> int:
        """Passes that this process must make beyond its own, so that no other one waits."""
        ...

    def copy(self, model: M, /) -> M:
        """A copy of the model; where its weights lie in parts, so do the copy's, and it computes
        only after ``again``.
        """
        ...

    def again(self, model: M, /) -> tuple[M, Spread]:
        """Another model, or a copy, spread in the same way."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """Every process has all weights, and no pass waits for another process."""

    def through(self, work: Callable[[], Tensor], /) -> Tensor:
        return work()

    def sampling(self, idle: Callable[[], Tensor], /) -> AbstractContextManager[None]:
        del idle
        return nullcontext()

    def step(self, work: Callable[[], Tensor], /) -> Tensor:
        return work()

    def behind(self, passes: int, /) -> int:
        del passes
        return 0

    def copy(self, model: M, /) -> M:
        return copy.deepcopy(model)

    def again(self, model: M, /) -> tuple[M, Spread]:
        return model, self


def in_parts(weight: Tensor) -> bool:
    """Whether each process has only a part of the weight."""
    return isinstance(weight, DTensor)


def all_of(weight: Tensor) -> Tensor:
    """The whole weight; where it lies in parts, every process must ask."""
    return weight.full_tensor() if isinstance(weight, DTensor) else weight


def told_first(weight: Tensor, rank: int) -> Tensor:
    """The whole weight for the process of rank 0, off its device where it lay in parts; for the
    others nothing. Every process must ask.
    """
    if not isinstance(weight, DTensor):
        return weight
    whole = weight.full_tensor()
    return whole.cpu() if not rank else whole.new_empty(0)


def laid_like(weight: Tensor, rows: Callable[[slice], Tensor], device: torch.device) -> Tensor:
    """A tensor that lies as the weight does. ``rows`` gives any rows of the whole tensor, and is
    asked for this process's own.
    """
    if not isinstance(weight, DTensor):
        return rows(slice(None)).to(device)
    return DTensor.from_local(
        rows(own_rows(weight)).to(device),
        weight.device_mesh,
        weight.placements,
        run_check=False,
        shape=weight.shape,
        stride=weight.stride(),
    )


def own_rows(weight: DTensor) -> slice:
    """The rows that this process has of a weight that is cut along its first axis."""
    assert weight.placements == (Shard(0),), "FSDP2 cuts weights by rows"
    size = -(-len(weight) // weight.device_mesh.size())
    start = min(weight.device_mesh.get_local_rank() * size, len(weight))
    return slice(start, min(start + size, len(weight)))
