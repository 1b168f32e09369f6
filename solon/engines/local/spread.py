"""How a model's weights lie over the processes of a run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

M = TypeVar("M", bound=nn.Module)


class Spread(Protocol):
    """A model's weights, whole in every process or a part in each."""

    def through(self, work: Callable[[], Tensor], /) -> Tensor:
        """A forward pass whose result may be differentiated; where weights lie in parts, every
        process must make as many.
        """
        ...

    def whole(self) -> AbstractContextManager[None]:
        """For a while, every process has all weights and computes by itself, without gradient."""
        ...

    def behind(self, passes: int, /) -> int:
        """Passes that this process must make beyond its own, so that no other one waits."""
        ...

    def copy(self, model: M, /) -> M:
        """The model with all weights, on this process."""
        ...

    def again(self, model: M, /) -> tuple[M, Spread]:
        """Another model, spread in the same way."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """Every process has all weights, and no pass waits for another process."""

    def through(self, work: Callable[[], Tensor], /) -> Tensor:
        return work()

    def whole(self) -> AbstractContextManager[None]:
        return nullcontext()

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


def laid_like(whole: Tensor, weight: Tensor) -> Tensor:
    """A whole tensor, which every process has, as the weight lies."""
    if not isinstance(weight, DTensor):
        return whole
    there = whole.detach().to(weight.device)
    return distribute_tensor(there, weight.device_mesh, weight.placements, src_data_rank=None)
