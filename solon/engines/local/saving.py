"""State on disk: safetensors and JSON, and torch's reader of tensors only for optimisers."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from solon.engines.local.spread import laid_like, told_first
from solon.errors import RunError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CARD = "solon.json"


def save_model(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, **card: object
) -> None:
    """A Hugging Face folder, with what is ours in solon.json."""
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    (folder / CARD).write_bytes(orjson.dumps(card))


def read_card(folder: Path) -> dict[str, Any]:
    """What save_model wrote beside the model; empty for a folder of someone else's."""
    file = folder / CARD
    return orjson.loads(file.read_bytes()) if file.is_file() else {}


@contextmanager
def writing(where: Path) -> Generator[None]:
    """What safetensors and torch say of a disk that takes no more, as the OSError that it is."""
    try:
        yield
    except SafetensorError as error:
        told = re.search(r"os error (\d+)", str(error))
        if told is None:
            raise
        raise OSError(int(told[1]), os.strerror(int(told[1])), str(where)) from error
    except RuntimeError as error:
        if "PytorchStreamWriter" not in str(error):
            raise
        raise OSError(errno.ENOSPC, "the file could not be written whole", str(where)) from error


def save_weights(file: Path, weights: Mapping[str, Tensor], *, rank: int = 0) -> None:
    """Whole weights, one at a time: every process must call, and the first one writes."""
    kept: dict[str, Tensor] = {}
    for name, weight in weights.items():
        whole = told_first(weight.detach(), rank)
        if not rank:
            kept[name] = whole.contiguous().clone()
    if not rank:
        with writing(file):
            save_file(kept, file)


def load_weights(file: Path, into: Mapping[str, nn.Parameter]) -> None:
    """Copies the file's tensors into the parameters of the same names.

    Raises RunError where names or shapes differ.
    """
    found = load_file(file)
    if {n: w.shape for n, w in found.items()} != {n: p.shape for n, p in into.items()}:
        raise RunError(
            f"{file}: expected the weights of this model, got others: "
            "resume with the recipe and the bench that began the run"
        )
    with torch.no_grad():
        for name, parameter in into.items():
            parameter.copy_(laid_like(found[name], parameter))


def save_tensors(file: Path, state: Mapping[str, Any]) -> None:
    """Nested tensors and numbers, such as an optimiser's state."""
    with writing(file):
        torch.save(dict(state), file)


def load_tensors(file: Path) -> dict[str, Any]:
    """Reads back tensors and numbers only: a file cannot run code."""
    return torch.load(file, weights_only=True, map_location="cpu")
