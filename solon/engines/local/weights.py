"""Weights: loaded from a folder or the hub, or made at random; with or without LoRA."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from solon.engines.local.device import Device
from solon.errors import SettingError

# A run shows its own progress; a bar for every tensor of every checkpoint drowns it.
logging.disable_progress_bar()

Dtype = Literal["auto", "float32", "bfloat16"]
Task = Literal["CAUSAL_LM", "FEATURE_EXTRACTION"]  # of peft: with its output layer, or without


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A Llama-style model with random weights.

    Example:
        Shape(hidden=128, layers=4, heads=4)
    """

    vocab: int = 0
    """Tokens; 0 is the tokenizer's size (1024 where it is trained on a text file)."""
    hidden: int = 128
    """Width of the residual stream, a multiple of heads."""
    inner: int = 0
    """Width of the feed-forward layers; 0 is 8/3 of hidden, up to a multiple of 64."""
    layers: int = 4
    """Blocks of attention and feed-forward."""
    heads: int = 4
    """Attention heads."""
    kv_heads: int = 0
    """Heads of the keys and values; 0 is heads."""
    context: int = 1024
    """Longest sequence, in tokens."""


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters (arXiv:2106.09685).

    Example:
        Lora(rank=16, alpha=32)
    """

    rank: int = 16
    """Rank of each adapter."""
    alpha: int = 32
    """An adapter counts alpha / rank times."""
    dropout: float = 0.0
    """Must be 0: log-probabilities are those of one policy, not of a random one."""
    targets: str | tuple[str, ...] = "all-linear"
    """Linears that get an adapter, by name; all-linear is all but the output layer."""

    def __post_init__(self) -> None:
        if self.dropout:
            raise SettingError(
                f"lora.dropout: expected 0 (dropout is off everywhere, so that the policy that is "
                f"trained is the policy that samples), got {self.dropout}"
            )


def place(device: Device) -> torch.device:
    """The device meant; auto is CUDA where there is one."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingError(
            "device='cuda', but torch sees no CUDA device: use device='auto' or 'cpu'"
        )
    there = torch.cuda.is_available() and device != "cpu"
    return torch.device("cuda" if there else "cpu")


def precision(dtype: Dtype, device: torch.device) -> torch.dtype:
    """The dtype meant; auto is bfloat16 on CUDA and float32 on a CPU."""
    if dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return torch.bfloat16 if dtype == "bfloat16" else torch.float32


def load_model(name: str, *, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
    """A causal language model from a folder or the hub.

    Only safetensors are read: a pickle runs what it likes. Raises SettingError where there is none.
    """
    try:
        model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise no_model(name, error) from error
    return on_device(model, device)


def no_model(name: str, error: Exception) -> SettingError:
    """What is said where there is none of that name."""
    first = str(error).splitlines()[0]
    return SettingError(
        f"model: expected a folder or a hub name of a language model, got {name!r} ({first})"
    )


def on_device(model: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    """The model there, with dropout off: the policy that is trained is the one that samples."""
    nn.Module.to(model, device)
    return model.eval()


def make_model(
    shape: Shape,
    tokenizer: PreTrainedTokenizerBase,
    *,
    seed: int,
    dtype: torch.dtype,
    device: torch.device,
) -> PreTrainedModel:
    """A Llama of that shape with random weights drawn from ``seed``."""
    if shape.hidden % shape.heads:
        raise SettingError(
            f"shape: hidden ({shape.hidden}) must be a multiple of heads ({shape.heads})"
        )
    if 0 < shape.vocab < len(tokenizer):
        raise SettingError(
            f"shape.vocab: the tokenizer has {len(tokenizer)} tokens, got {shape.vocab}"
        )
    config = LlamaConfig(
        vocab_size=shape.vocab or len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.inner or -(-shape.hidden * 8 // (3 * 64)) * 64,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads or shape.heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=False,
        pad_token_id=cast("int | None", tokenizer.pad_token_id),
        bos_token_id=cast("int | None", tokenizer.bos_token_id),
        eos_token_id=cast("int | None", tokenizer.eos_token_id),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    nn.Module.to(model, dtype)
    return on_device(model, device)


def adapt(model: PreTrainedModel, lora: Lora, *, seed: int, task: Task = "CAUSAL_LM") -> PeftModel:
    """Adapters on the model, in place, drawn from ``seed``; only they learn."""
    targets: str | list[str] = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    settings = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, target_modules=targets, task_type=task
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft still asks transformers by the old name of activation checkpointing
        warnings.filterwarnings(
            "ignore", message=".*is_gradient_checkpointing", category=FutureWarning
        )
        torch.manual_seed(seed)
        adapted = get_peft_model(model, settings)
    assert isinstance(adapted, PeftModel), "one adapter of one type"
    return adapted.eval()  # pyright: ignore[reportReturnType]


def stop_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every token that ends a completion: the tokenizer's EOS, and the model's own."""
    listed: int | Sequence[int] | None = getattr(model.generation_config, "eos_token_id", None)
    more = [listed] if isinstance(listed, int) else list(listed or ())
    return frozenset({int(cast("int", tokenizer.eos_token_id)), *more})
