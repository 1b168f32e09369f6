"""Who sits in a pixel game: the sparse judge, debaters that search on it, and chance.

axes: N positions, P pixels, C classes, W pixels tried at one turn
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from solon.errors import SettingError
from solon.oversight.pixels import Floats, Look, Reveal

Bools: TypeAlias = NDArray[np.bool_]
BATCH = 128  # positions whose further pixels are looked at at once: memory, not results


class Sees(Protocol):
    """A judge of a few pixels: log-probabilities of the classes, now and after one pixel more."""

    def __call__(self, images: Floats, shown: Bools, /) -> Floats: ...
    def further(self, images: Floats, shown: Bools) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Sparse:
    """The judge at its seat.

    Example:
        Sparse(Teaching(pixels=6).taught(digits, seed=1))
    """

    sees: Sees

    def __call__(self, asked: Sequence[Look], /) -> list[tuple[float, ...]]:
        return [tuple(row) for row in self.sees(*_positions(asked)).tolist()]


@dataclass(frozen=True, slots=True)
class AtRandom:
    """Shows any pixel that was not shown yet."""

    def __call__(self, asked: Sequence[Reveal], /) -> list[int]:
        return [self._pixel(one) for one in asked]

    def _pixel(self, asked: Reveal) -> int:
        draw = np.random.default_rng([asked.picture.seed, len(asked.shown)])
        left = np.setdiff1d(np.arange(len(asked.picture.image)), asked.shown)
        return int(draw.choice(left))


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """A debater that looks some turns ahead: minimax on the lead that the judge would give.

    At each turn but the last that it sees, it tries only the ``width`` pixels that are best at
    once. With a depth of all turns and a width of all pixels it plays optimally.

    Example:
        Searching(sees=judge, depth=2)       # depth 1 is greedy
    """

    sees: Sees
    depth: int = 1
    """Turns that it looks ahead, its own included."""
    width: int = 8
    """Pixels tried at each turn but the last."""

    def __post_init__(self) -> None:
        if self.depth < 1 or self.width < 1:
            came = f"{self.depth} and {self.width}"
            raise SettingError(f"depth, width: expected 1 or more, got {came}")

    def __call__(self, asked: Sequence[Reveal], /) -> list[int]:
        found: dict[int, int] = {}
        for rows in _alike(asked):
            pixels, _ = self._searched([asked[row] for row in rows], self.depth)
            found |= zip(rows, pixels.tolist(), strict=True)
        return [found[row] for row in range(len(asked))]

    def _searched(self, asked: list[Reveal], depth: int) -> tuple[NDArray[np.intp], Floats]:
        """The best pixel of each, and the mover's lead that it leads to: [N] twice."""
        leads = self._leads(asked)
        rows = np.arange(len(asked))
        if min(depth, len(asked[0].turns)) == 1:
            pixels = leads.argmax(axis=1)
            return pixels, leads[rows, pixels]
        width = min(self.width, int(np.isfinite(leads[0]).sum()))
        tried = leads.argsort(axis=1)[:, ::-1][:, :width]
        after = [
            replace(one, shown=(*one.shown, pixel), turns=one.turns[1:])
            for one, pixels in zip(asked, tried.tolist(), strict=True)
            for pixel in pixels
        ]
        same = np.array([one.turns[1] == one.turns[0] for one in asked])[:, None]
        _, theirs = self._searched(after, depth - 1)
        reached = np.where(same, 1.0, -1.0) * theirs.reshape(len(asked), width)
        best = reached.argmax(axis=1)
        return tried[rows, best], reached[rows, best]

    def _leads(self, asked: list[Reveal]) -> Floats:
        """The mover's lead after each further pixel, -inf for one that is shown: [N P]."""
        leads: list[Floats] = []
        for at in range(0, len(asked), BATCH):
            part = asked[at : at + BATCH]
            images, shown = _positions(part)
            logps = self.sees.further(images, shown)
            first = np.stack([one.picture.lead(row) for one, row in zip(part, logps, strict=True)])
            sign = np.array([1.0 if one.turns[0] == "first" else -1.0 for one in part])
            leads.append(np.where(shown, -np.inf, sign[:, None] * first))
        return np.concatenate(leads)


def _positions(asked: Sequence[Look | Reveal]) -> tuple[Floats, Bools]:
    """Images and what is shown of them: [N P] twice."""
    images = np.stack([one.picture.image for one in asked])
    shown = np.zeros(images.shape, dtype=bool)
    for row, one in enumerate(asked):
        shown[row, list(one.shown)] = True
    return images, shown


def _alike(asked: Sequence[Reveal]) -> list[list[int]]:
    """Rows with as many pixels shown and as many turns left."""
    rows: dict[tuple[int, int], list[int]] = {}
    for row, one in enumerate(asked):
        rows.setdefault((len(one.shown), len(one.turns)), []).append(row)
    return list(rows.values())
