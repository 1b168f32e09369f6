"""A model from a checkpoint, of which each process reads no more than its own part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedModel
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME
from transformers.utils.hub import cached_file, get_checkpoint_shard_files

from solon.engines.local.tensors import Tensors
from solon.engines.local.weights import load_model, no_model
from solon.engines.sharded.parts import Read


def opened(
    name: str, dtype: torch.dtype, note: Callable[[str], None]
) -> tuple[PreTrainedModel, Read | None]:
    """The model of a folder or the hub without numbers, and the reader of its weights.

    Where transformers must turn the checkpoint's tensors into the model's, the model is loaded
    whole into main memory instead, which is noted, and has no reader. Raises SettingError.
    """
    try:
        model = _bare(name, dtype)
        kept = Tensors.of(_files(name))
    except (OSError, ValueError, SafetensorError) as error:
        raise no_model(name, error) from error
    reason = _why_whole(model, kept)
    if reason:
        note(f"{name}: each process loads all of it before it is cut up, since {reason}")
        return load_model(name, dtype=dtype, device=torch.device("cpu")), None
    names = {own: _found(aliases, kept) for own, aliases in _aliases(model).items()}
    for own, buffer in _buffers(model):
        buffer.copy_(kept.rows(own, slice(None)))

    def rows(own: str, rows: slice) -> Tensor:
        return kept.rows(names[own], rows).to(dtype)

    return model, rows


def _bare(name: str, dtype: torch.dtype) -> PreTrainedModel:
    """Its buffers have numbers, its weights have none."""
    config = AutoConfig.from_pretrained(name)
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.tie_weights()  # every weight of its own again, after the line above
    with suppress(OSError):  # a folder without one: what the configuration says stays
        model.generation_config = GenerationConfig.from_pretrained(name)
    return model.eval()


def _files(name: str) -> list[Path]:
    """The model's safetensors. Raises OSError where there are none."""
    single = cached_file(name, SAFE_WEIGHTS_NAME, _raise_exceptions_for_missing_entries=False)
    if single is not None:
        return [Path(single)]
    index = cached_file(name, SAFE_WEIGHTS_INDEX_NAME)
    return [Path(file) for file in get_checkpoint_shard_files(name, index)[0]]


def _why_whole(model: PreTrainedModel, kept: Tensors) -> str:
    """Why its parts cannot be read; empty where they can."""
    if getattr(model.config, "quantization_config", None):
        return "it is quantised"
    if model.dtype != torch.float32 and getattr(model, "_keep_in_fp32_modules_strict", None):
        return "some of its weights stay in float32"
    for own, aliases in _aliases(model).items():
        found = _found(aliases, kept)
        if not found:
            return f"its checkpoint has no {own}"
        if kept.shape(found) != tuple(model.get_parameter(own).shape):
            return f"{own} has another shape there"
    missing = [own for own, _ in _buffers(model) if own not in kept.files]
    return f"its checkpoint has no {missing[0]}" if missing else ""


def _aliases(model: PreTrainedModel) -> dict[str, list[str]]:
    """All names of each weight, by the first of them: a tied weight has two."""
    first: dict[int, str] = {}
    names: dict[str, list[str]] = {}
    for name, weight in model.named_parameters(remove_duplicate=False):
        names.setdefault(first.setdefault(id(weight), name), []).append(name)
    return names


def _found(aliases: list[str], kept: Tensors) -> str:
    """The name under which the checkpoint has the weight; empty where it has not."""
    return next((name for name in aliases if name in kept.files), "")


def _buffers(model: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """Those that a checkpoint keeps."""
    kept = model.state_dict()
    return ((name, buffer) for name, buffer in model.named_buffers() if name in kept)
