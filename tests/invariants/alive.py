"""How much memory a piece of work takes: bytes of tensors, counted exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary


class Alive(TorchDispatchMode):
    """``most`` is the most bytes alive at once of the tensors that were made while it watched,
    ``now`` what is still alive of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self.made = WeakIdKeyDictionary()

    @property
    def now(self) -> int:
        return sum(one.nbytes() for one in list(self.made) if one.device.type != "meta")

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Any = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        before = {
            _storage(one) for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)
        }
        out = func(*args, **(kwargs or {}))
        for one in tree_leaves(out):
            if isinstance(one, torch.Tensor) and _storage(one) not in before:
                self.made[_local(one).untyped_storage()] = True
        self.most = max(self.most, self.now)
        return out


def _local(tensor: torch.Tensor) -> torch.Tensor:
    return tensor._local_tensor if isinstance(tensor, DTensor) else tensor


def _storage(tensor: torch.Tensor) -> int:
    return _local(tensor).untyped_storage()._cdata
