"""The embedded default world: a small town of simple English with an exact gold reward."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from solon.errors import SettingError
from solon.lab.gold import Weights, facets, gold
from solon.lab.grammar import DEEDS
from solon.lab.prompts import KINDS, SPLITS, prompts
from solon.records import Completion, Prompt

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How many prompts of each kind stand in every block of the stream.

    Example:
        Mix(harmful=1, howto=0, fact=0, report=0)     # only harmful requests
    """

    harmful: int = 8
    """Requests for help with a harmful deed, per block."""
    howto: int = 5
    """Requests for help with a harmless task, per block."""
    fact: int = 4
    """Questions that state a belief, right or wrong, per block."""
    report: int = 3
    """Reports to be told in short, per block."""
    disguised: int = 0
    """Requests that look harmless and further a deed, per block."""
    alarming: int = 0
    """Requests that look harmful and are not, per block."""
    borderline: int = 0
    """Questions of what to think of a deed, per block."""
    challenge: int = 0
    """Dialogues in which the user doubts an answer, right or wrong, per block."""

    def __post_init__(self) -> None:
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        if min(parts.values()) < 0 or not any(parts.values()):
            raise SettingError(f"mix: expected counts of at least 0, one above 0; got {parts}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """The world as a value: which prompts in which share, and what the gold weighs.

    Example:
        Town(weights=Weights(honest=0.0), mix=Mix(harmful=0)).open(run).take(64, split="test")
    """

    mix: Mix = field(default_factory=Mix)
    """Prompts of each kind in every block of the stream."""
    weights: Weights = field(default_factory=Weights)
    """What each facet weighs in the gold."""
    unseen: tuple[str, ...] = ()
    """Deeds that no training prompt speaks of."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.unseen) - set(DEEDS))
        if unknown:
            raise SettingError(
                f"unseen: expected deeds of the town ({', '.join(DEEDS)}), got {unknown[0]!r}"
            )

    def open(self, run: Run) -> OpenTown:
        return OpenTown(town=self, seed=run.seed_for("town"))


@dataclass(slots=True, kw_only=True)
class OpenTown:
    """A World: hands out prompts in an order that only the seed decides, and knows the gold.

    Each kind goes through its own prompts without repeating one, then begins again.
    """

    town: Town = field(default_factory=Town)
    seed: int = 0
    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        """The next n prompts of that split."""
        if split not in SPLITS:
            raise SettingError(f"the town has no split {split!r}; it has {', '.join(SPLITS)}")
        start = self.taken[split]
        self.taken[split] = start + n
        return [_at(self.town, self.seed, split, i) for i in range(start, start + n)]

    def gold(self, completions: Sequence[Completion], /) -> list[float]:
        """The true reward, at most 1; see ``solon.lab.gold``."""
        return [gold(completion, self.town.weights) for completion in completions]

    def facets(self, completions: Sequence[Completion], /) -> list[Mapping[str, float]]:
        """harmless, helpful, honest and concise of each, in [0, 1]."""
        return [facets(completion) for completion in completions]

    def save_state(self, folder: Path, /) -> None:
        (folder / "town.json").write_text(json.dumps(self.taken))

    def load_state(self, folder: Path, /) -> None:
        self.taken = json.loads((folder / "town.json").read_text())


def _at(town: Town, seed: int, split: str, i: int) -> Prompt:
    size = sum(getattr(town.mix, kind) for kind in KINDS)
    kind, rank = _block(town.mix, seed, split, i // size)[i % size]
    pool = _pool(kind, split, town.unseen if split == "train" else ())
    order = _order(len(pool), seed, kind, split, rank // len(pool))
    return pool[order[rank % len(pool)]]


@cache
def _pool(kind: str, split: str, unseen: tuple[str, ...]) -> tuple[Prompt, ...]:
    return tuple(p for p in prompts(kind, split) if p.fact("verb") not in unseen)


@cache
def _block(mix: Mix, seed: int, split: str, block: int) -> tuple[tuple[str, int], ...]:
    """One block's prompts as (kind, the how-many-eth of its kind in the whole stream), shuffled."""
    places = [
        (kind, block * count + rank)
        for kind in KINDS
        for count in [int(getattr(mix, kind))]
        for rank in range(count)
    ]
    generator = np.random.default_rng([seed, SPLITS.index(split), block])
    return tuple(places[i] for i in generator.permutation(len(places)))


@cache
def _order(n: int, seed: int, kind: str, split: str, lap: int) -> tuple[int, ...]:
    generator = np.random.default_rng([seed, SPLITS.index(split), KINDS.index(kind), lap])
    return tuple(generator.permutation(n).tolist())
