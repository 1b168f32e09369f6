"""One source that a method may hold, and what kind of idea it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Family = Literal[
    "self-training",
    "ensemble",
    "distillation",
    "data filtering",
    "confidence weighting",
    "loss function",
    "unsupervised elicitation",
    "curriculum",
    "model internal",
    "evolutionary",
    "other",
]
Place = Literal["data", "loss", "learn", "answer"]
Setting = int | float


class Entry(NamedTuple):
    """One source; of each setting's choices, the first is its default."""

    family: Family
    place: Place
    code: str
    choices: Mapping[str, tuple[Setting, ...]] = {}
    students: int = 1
    """How many times as many students it trains, at most."""
