"""Tokenizers: loaded, trained on a file, or given word by word."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import orjson
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from solon.errors import DataError, SettingError

# The space inside keeps a word of a text from ever being read as one of these.
PAD, UNK, BOS, EOS = SPECIAL = ("<no text>", "<unknown text>", "<begin text>", "<end text>")


def load_tokenizer(source: str | tuple[str, ...], *, size: int) -> PreTrainedTokenizerBase:
    """A tokenizer from a folder or hub name, a text file (byte-level BPE of ``size`` tokens), or a
    tuple of words (separated by spaces).

    Raises SettingError where nothing usable stands at ``source``.
    """
    if isinstance(source, tuple):
        return _word_level(source)
    if source.endswith((".txt", ".gz", ".jsonl")):
        return _byte_pairs(Path(source), size)
    try:
        return AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise SettingError(
            f"tokenizer: expected a folder, a hub name, a text file or words, "
            f"got {source!r} ({first})"
        ) from error


def _word_level(words: tuple[str, ...]) -> PreTrainedTokenizerBase:
    known = {word: number for number, word in enumerate(dict.fromkeys((*SPECIAL, *words)))}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token=UNK))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return _wrap(tokenizer)


def _byte_pairs(file: Path, size: int) -> PreTrainedTokenizerBase:
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size or 1024,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(file), trainer)
    return _wrap(tokenizer)


def _wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerBase:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNK,
        bos_token=BOS,
        eos_token=EOS,
        clean_up_tokenization_spaces=False,
    )


def _texts(file: Path) -> Iterator[str]:
    """Lines of text, or every string of each JSON line."""
    if not file.is_file():
        raise SettingError(f"tokenizer: no file {file}")
    inner = file.with_suffix("") if file.suffix == ".gz" else file
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if inner.suffix != ".jsonl":
                yield line
                continue
            try:
                yield from _strings(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise DataError(
                    file, row=number, expected="a JSON value", came=str(error)
                ) from error


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(item)  # pyright: ignore[reportUnknownArgumentType]


def with_own_pad(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel
) -> PreTrainedTokenizerBase:
    """A copy whose PAD is not its EOS, and the model told of it.

    transformers' classifiers read the last token that is not PAD: were EOS the PAD, they would read
    the token before a completion's end.
    """
    own = copy.deepcopy(tokenizer)
    if own.pad_token_id is None or own.pad_token_id == own.eos_token_id:
        own.add_special_tokens({"pad_token": PAD})
    if len(own) > cast("nn.Embedding", model.get_input_embeddings()).num_embeddings:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # a row that no real token ever reads
            model.resize_token_embeddings(len(own))
    model.config.pad_token_id = own.pad_token_id
    return own
