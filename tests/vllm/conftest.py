from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from solon.engines.local import Shape, Transformer
from tests.vllm import double


@pytest.fixture
def small() -> Transformer:
    return Transformer(
        shape=Shape(hidden=16, layers=2, heads=2, context=64),
        tokenizer=tuple("abcdefgh"),
        max_new_tokens=10,
    )


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[double.LLM]]:
    """The double in the place of the package; the engines that were made, the newest last."""
    monkeypatch.setitem(sys.modules, "vllm", double.package())
    double.LLM.made.clear()
    yield double.LLM.made
    double.LLM.made.clear()
