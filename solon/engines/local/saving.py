"""Models and state on disk: safetensors and JSON."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import torch
from safetensors import SafetensorError
from torch import nn

from solon.engines.local.parted import save_parted
from solon.engines.local.spread import in_parts, laid_like
from solon.engines.local.tensors import Tensors
from solon.errors import RunError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CARD = "solon.json"


def save_model(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    rank: int = 0,
    **card: object,
) -> None:
    """A Hugging Face folder by the first process, with what is ours in solon.json.

    Where the weights lie in parts, every process must call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder):
        if in_parts(next(model.parameters())):
            save_parted(folder, model, rank=rank)
        elif not rank:
            model.save_pretrained(folder)
        if not rank:
            tokenizer.save_pretrained(folder)
            (folder / CARD).write_bytes(orjson.dumps(card))


def read_card(folder: Path) -> dict[str, Any]:
    """What save_model wrote beside the model; empty for a folder of someone else's."""
    file = folder / CARD
    return orjson.loads(file.read_bytes()) if file.is_file() else {}


@contextmanager
def writing(where: Path) -> Generator[None]:
    """What safetensors says of a disk that takes no more, as the OSError that it is."""
    try:
        yield
    except SafetensorError as error:
        told = re.search(r"os error (\d+)", str(error))
        if told is None:
            raise
        raise OSError(int(told[1]), os.strerror(int(told[1])), str(where)) from error


def load_weights(file: Path, into: Mapping[str, nn.Parameter]) -> None:
    """Copies the file's tensors into the parameters of the same names.

    Raises RunError where names or shapes differ.
    """
    found = Tensors.of([file])
    if {name: found.shape(name) for name in found} != {n: tuple(p.shape) for n, p in into.items()}:
        raise RunError(
            f"{file}: expected the weights of this model, got others: "
            "resume with the recipe and the bench that began the run"
        )
    with torch.no_grad():
        for name, parameter in into.items():
            parameter.copy_(laid_like(parameter, partial(found.rows, name), parameter.device))
