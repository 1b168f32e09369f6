"""The pixel game: two debaters show a judge pixels of an image, to have it believe their class.

Irving, Christiano & Amodei (arXiv 1805.00899, section 3): debaters see the whole image and cannot
lie about a pixel, only choose which to show. Both claims are made before the first pixel: a liar
that need not commit itself ("anything but that") is the harder case. One seat that has all turns
is a consultancy, ``AtRandom`` at both is the baseline. Deviations: (1) debaters search by minimax
with a beam, not by Monte Carlo trees; (2) any pixel may be shown, not only those with ink, and the
judge sees which were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from solon.errors import SettingError
from solon.oversight.dispute import Side, other
from solon.seams.games import Ask, Play

Floats: TypeAlias = NDArray[np.float64]
JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """An image, and what either side says it is. Which is right is not in here.

    Example:
        Picture(image=image, first=3, second=8)
    """

    image: Floats
    first: int | None
    """A class; None for whatever the other does not say."""
    second: int | None
    seed: int = 0
    """Of what is drawn for it."""

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise SettingError(f"first, second: expected two classes, got {self.first} twice")

    def claim(self, side: Side) -> int | None:
        return self.first if side == "first" else self.second

    def lead(self, logps: Floats) -> Floats:
        """By how many nats the first side leads: [... C] -> [...]."""
        return self._for("first", logps) - self._for("second", logps)

    def _for(self, side: Side, logps: Floats) -> Floats:
        claim = self.claim(side)
        if claim is not None:
            return logps[..., claim]
        return np.delete(logps, self.claim(other(side)) or 0, axis=-1).max(axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """Asks the side whose turn it is for the next pixel."""

    picture: Picture
    shown: tuple[int, ...]
    turns: tuple[Side, ...]
    """Whose turn it is, and whose turns follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Asks the judge for the log-probabilities of all classes."""

    picture: Picture
    shown: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was shown, and what the judge made of it.

    Example:
        seen.lead > 0        # the judge prefers what the first side says
    """

    pixels: tuple[int, ...]
    logps: tuple[float, ...]
    lead: float
    """By how many nats the first side leads."""

    @property
    def says(self) -> int:
        """The judge's own class, of all."""
        return int(np.argmax(self.logps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """The rules: so many pixels, shown in turn.

    Example:
        Pixels(pixels=6, turns=("second",))        # a consultancy of the second side
    """

    pixels: int = 6
    turns: tuple[Side, ...] = ("first", "second")
    """Who shows the first pixel, and who the next, again and again."""

    def __post_init__(self) -> None:
        if self.pixels < 1 or not self.turns:
            raise SettingError(
                f"pixels, turns: expected 1 or more, and a side, got {self.pixels} and {self.turns}"
            )

    @property
    def seats(self) -> tuple[str, ...]:
        return (*dict.fromkeys(self.turns), JUDGE)

    def play(self, picture: Picture, /) -> Play[Seen]:
        turns: tuple[Side, ...] = tuple(
            self.turns[at % len(self.turns)] for at in range(self.pixels)
        )
        shown: tuple[int, ...] = ()
        for at in range(self.pixels):
            asked = Reveal(picture=picture, shown=shown, turns=turns[at:])
            (pixel,) = yield (Ask(turns[at], asked),)
            if pixel in shown or not 0 <= pixel < len(picture.image):
                raise SettingError(f"{turns[at]}: expected a pixel not shown yet, got {pixel}")
            shown = (*shown, pixel)
        (logps,) = yield (Ask(JUDGE, Look(picture=picture, shown=shown)),)
        lead = float(picture.lead(np.asarray(logps)))
        return Seen(pixels=shown, logps=tuple(logps), lead=lead)
