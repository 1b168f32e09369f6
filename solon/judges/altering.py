"""Pairs in which one completion is altered, so that a judge's change of mind has one cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from solon.records import Compare, Completion


def by_turns(questions: Sequence[Compare]) -> list[Compare]:
    """Every other pair turned round: files often hold the better one first."""
    return [pair.swapped() if number % 2 else pair for number, pair in enumerate(questions)]


def altered(completion: Completion, text: str) -> Completion:
    """The completion with another text, which no policy drew: without tokens."""
    return replace(completion, text=text, tokens=(), logps=())
