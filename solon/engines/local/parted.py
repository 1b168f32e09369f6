"""A Hugging Face folder of a model that no process has whole: transformers' own layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import torch
from torch import Tensor
from transformers.core_model_loading import revert_weight_conversion
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from solon.engines.local.spread import all_of
from solon.engines.local.tensors import size_of, write_tensors

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Bytes of one file. Memory is another matter: one tensor at a time is gathered and written.
FILE = 5 * 10**9


def save_parted(folder: Path, model: PreTrainedModel, *, rank: int, size: int = FILE) -> None:
    """Configuration and weights, by the first process: every process must call."""
    weights = by_checkpoint(model)
    files = in_files(weights, size)
    if not rank:
        for old in folder.glob("model*.safetensors*"):
            old.unlink()
        # FSDP2 puts its own class over a model's
        model.config.architectures = [type(model).__name__.removeprefix("FSDP")]
        model.config.dtype = str(model.dtype).removeprefix("torch.")
        model.config.save_pretrained(folder)
        if model.can_generate():
            model.generation_config.save_pretrained(folder)
        _write_index(folder, weights, files)
    for file, names in files.items():
        mine = {name: weights[name] for name in names}
        write_tensors(folder / file, mine, rank=rank, notes={"format": "pt"})


def by_checkpoint(model: PreTrainedModel) -> dict[str, Tensor]:
    """Every weight once, by the name that its checkpoint gives it.

    Some models hold their weights in another form than their checkpoint (fused experts): that is
    undone, as transformers' own saving undoes it, on whole weights, all of them at once.
    """
    once: dict[int, tuple[str, Tensor]] = {}
    for name, weight in model.state_dict(keep_vars=True).items():
        once.setdefault(id(weight), (name, weight))  # a tied one comes again
    weights = {name: weight.detach() for name, weight in once.values()}
    outline = {
        name: torch.empty(w.shape, dtype=w.dtype, device="meta") for name, w in weights.items()
    }
    if _shapes(revert_weight_conversion(model, outline)) == _shapes(weights):
        return weights
    return revert_weight_conversion(model, {name: all_of(w).cpu() for name, w in weights.items()})


def in_files(weights: Mapping[str, Tensor], size: int) -> dict[str, list[str]]:
    """The names for each file; a tensor larger than a file has one of its own."""
    parts: list[list[str]] = [[]]
    held = 0
    for name, weight in weights.items():
        if parts[-1] and held + size_of(weight) > size:
            parts.append([])
            held = 0
        parts[-1].append(name)
        held += size_of(weight)
    if len(parts) == 1:
        return {SAFE_WEIGHTS_NAME: parts[0]}
    stem, ending = SAFE_WEIGHTS_NAME.split(".")
    total = len(parts)
    return {f"{stem}-{n:05d}-of-{total:05d}.{ending}": names for n, names in enumerate(parts, 1)}


def _write_index(
    folder: Path, weights: Mapping[str, Tensor], files: Mapping[str, list[str]]
) -> None:
    if len(files) == 1:
        return
    index = {
        "metadata": {"total_size": sum(map(size_of, weights.values()))},
        "weight_map": {name: file for file, names in files.items() for name in names},
    }
    (folder / SAFE_WEIGHTS_INDEX_NAME).write_bytes(
        orjson.dumps(index, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    )


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in weights.items()}
