"""A course: how many pairs of each difficulty a learner meets, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, get_args

import numpy as np

from solon.errors import SettingError
from solon.records import Preference

Difficulty = Literal["easy", "medium", "hard"]
Order = Literal["easy_to_hard", "shuffled", "reversed"]
Graded = Mapping[Difficulty, Sequence[Preference]]

DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)
PER_PROMPT: Mapping[Difficulty, int] = {"easy": 1, "medium": 2, "hard": 1}
"""Pairs that four draws of a prompt give: y+ y-; y+ y1 and y1 y-; y1 y2."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """The same number of pairs whatever the order, the difficulties and the replay.

    Example:
        Course(pairs=400, stages=("easy", "hard")).places    # {"easy": 200, "hard": 200}
    """

    pairs: int = 2048
    """Pairs learnt from, of all difficulties together."""
    stages: tuple[Difficulty, ...] = DIFFICULTIES
    """Difficulties taken: easy is contrastive, medium bridging, hard random pairs."""
    order: Order = "easy_to_hard"
    """Order of the difficulties; shuffled mixes them all."""
    replay: float = 0.0
    """Share of the places of every later stage that pairs of earlier ones take once more."""

    def __post_init__(self) -> None:
        if not self.stages or len(set(self.stages)) < len(self.stages):
            raise SettingError(f"course.stages: expected some difficulties, got {self.stages}")
        if self.pairs < len(self.stages):
            raise SettingError(f"course.pairs: expected one a stage or more, got {self.pairs}")
        if not 0 <= self.replay < 1:
            raise SettingError(f"course.replay: expected at least 0, below 1, got {self.replay}")
        if self.replay and self.order == "shuffled":
            raise SettingError("course.replay: shuffled pairs have no earlier stage; set it to 0")

    @property
    def sequence(self) -> tuple[Difficulty, ...]:
        """The difficulties in the order that they are met."""
        found: tuple[Difficulty, ...] = tuple(n for n in DIFFICULTIES if n in self.stages)
        return found[::-1] if self.order == "reversed" else found

    @property
    def places(self) -> dict[Difficulty, int]:
        """Pairs met in each stage: in proportion to what a prompt gives, ``pairs`` in all."""
        shares = [PER_PROMPT[name] for name in self.sequence]
        ends = [self.pairs * end // sum(shares) for end in accumulate(shares, initial=0)]
        return dict(zip(self.sequence, (b - a for a, b in pairwise(ends)), strict=True))

    @property
    def fresh(self) -> dict[Difficulty, int]:
        """New pairs of each stage: its places less those that replay takes, of pairs met before."""
        found: dict[Difficulty, int] = {}
        met = 0
        for name, size in self.places.items():
            found[name] = size - min(met, round(self.replay * size))
            met += size
        return found

    @property
    def prompts(self) -> int:
        """Prompts whose four draws are needed."""
        return max(-(-size // PER_PROMPT[name]) for name, size in self.fresh.items())

    def arranged(self, graded: Graded, *, seed: int) -> list[Preference]:
        """The pairs in the order of the course. Medium pairs come as they are, easiest first (last
        where reversed); the others are shuffled within their stage.
        """
        draw = np.random.default_rng(seed)
        if self.order == "shuffled":
            return shuffled([one for name in self.sequence for one in graded[name]], draw)
        met: list[Preference] = []
        for name in self.sequence:
            turn = -1 if self.order == "reversed" else 1
            medium = name == "medium"
            own = graded[name][::turn] if medium else shuffled(graded[name], draw)
            again = self.places[name] - self.fresh[name]
            met += mixed(own, shuffled(met, draw)[:again], draw)
        return met


def shuffled(data: Sequence[Preference], draw: np.random.Generator) -> list[Preference]:
    return [data[i] for i in draw.permutation(len(data))]


def mixed(
    own: Sequence[Preference], again: Sequence[Preference], draw: np.random.Generator
) -> list[Preference]:
    """Both, each in its own order, at random places among each other."""
    turns = draw.permutation([True] * len(own) + [False] * len(again))
    rows, others = iter(own), iter(again)
    return [next(rows) if mine else next(others) for mine in turns]
