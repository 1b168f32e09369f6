"""Tensors on disk as safetensors, written and read one at a time.

A tensor that lies in parts is gathered when its turn comes and let go when it is written. Each
process reads back its own rows only, so that any number of them may read what others have written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors import safe_open
from torch import Tensor

from solon.engines.local.spread import told_first

# Of safetensors' header.
NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_tensors(
    file: Path,
    tensors: Mapping[str, Tensor],
    *,
    rank: int = 0,
    notes: Mapping[str, str] | None = None,
) -> None:
    """One file, by the first process: every process must call, with the same names.

    ``notes`` are the file's metadata.
    """
    # as safetensors' own writer: wide types first, so that every tensor is aligned
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    if rank:
        for name in order:
            told_first(tensors[name].detach(), rank)
        return
    with file.open("wb") as out:
        out.write(_header({name: tensors[name] for name in order}, notes or {}))
        for name in order:
            out.write(_bytes(told_first(tensors[name].detach(), rank)))


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data


def _header(tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> bytes:
    """Types, shapes and places: JSON after its length, filled up to a multiple of 8 bytes."""
    entries: dict[str, Any] = {"__metadata__": dict(notes)} if notes else {}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + size_of(tensor)
        entries[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    said = orjson.dumps(entries)
    said += b" " * (-len(said) % 8)
    return len(said).to_bytes(8, "little") + said


def size_of(tensor: Tensor) -> int:
    """Bytes of the whole tensor."""
    return tensor.numel() * tensor.element_size()


@dataclass(frozen=True, slots=True)
class Tensors:
    """The tensors of some files, by name; nothing is read before it is asked for."""

    files: Mapping[str, Any]

    @classmethod
    def of(cls, files: Iterable[Path]) -> Tensors:
        """Raises SafetensorError or OSError where one cannot be read."""
        opened = [safe_open(file, framework="pt") for file in files]
        return cls({name: file for file in opened for name in list(file.keys())})

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.files[name].get_slice(name).get_shape())

    def rows(self, name: str, rows: slice) -> Tensor:
        """Those rows; all of a number, which has none."""
        view = self.files[name].get_slice(name)
        # what is read is a window on the whole tensor's storage
        return view[rows].clone() if view.get_shape() else self.files[name].get_tensor(name)
