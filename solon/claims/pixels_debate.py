"""A judge of a few pixels is right more often where two debaters choose them, one of them lying.

Irving, Christiano & Amodei (arXiv 1805.00899), on MNIST. Here: scikit-learn's digits of 8 x 8
pixels, a network taught on 4 or 6 random pixels, 400 other images a seed. Each side says its class
before the first pixel (the liar one of the nine others, drawn evenly) and shows the pixel that
moves the judge most, in turn; each image is played twice, and either side begins once. The judge is
right where it prefers the true of the two classes; for random pixels the same two are compared.
A liar that need not commit itself wins with any wrong class: that compares with the judge's
accuracy over ten classes.

Predictions, fixed before looking at any of these seeds (seeds 100 and 101 were tried), with 4 and
with 6 pixels: debate is right on more than 0.9, and on 0.1 more than random pixels; a dishonest
consultant leaves the judge right on less than 0.1, and consultancy, the mean of both sides, stays
0.3 and more below debate; a liar that need not commit itself costs accuracy, and still debate beats
ten classes of random pixels; to look two turns ahead changes accuracy by less than 0.02.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.claims._claim import LESS, MORE, UNBOUND, Bound, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.digits import Digits, SparseJudge, Teaching
from solon.oversight.dispute import Side
from solon.oversight.drive import drive
from solon.oversight.pixel_players import AtRandom, Searching, Sparse
from solon.oversight.pixels import Picture, Pixels, Seen
from solon.seams.games import Seat
from solon.statistics import Interval, mean

SEEDS = tuple(range(11, 21))
PIXELS = (4, 6)
PUBLISHED = {4: "48.2 % to 85.2 %, MNIST", 6: "59.4 % to 88.9 %, MNIST"}
ORDERS: tuple[tuple[Side, ...], ...] = (("first", "second"), ("second", "first"))


@dataclass(frozen=True, kw_only=True)
class PixelsDebate:
    """Debate, random pixels and consultancy before one judge a seed and number of pixels."""

    seeds: tuple[int, ...] = SEEDS
    played: int = 400
    """Images of each seed that the judge was not taught on."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"pixels-s{seed}"


def measure(root: Path, claim: PixelsDebate, seed: int) -> dict[str, float]:
    """The judge's accuracy in each game."""
    del root
    taught, digits = Digits.split(seed=seed, played=claim.played)
    found: dict[str, float] = {}
    for pixels in PIXELS:
        judge = Teaching(pixels=pixels).taught(taught, seed=seed)
        games = of_judge(judge, digits, pixels, seed)
        found |= {f"{name}/{pixels}": value for name, value in games.items()}
    return found


def of_judge(judge: SparseJudge, digits: Digits, pixels: int, seed: int) -> dict[str, float]:
    """All games before this judge; the first side is honest, which no game knows."""
    table = Table(judge=judge, pixels=pixels)
    committed, free = (pictures(digits, seed, committed=one) for one in (True, False))
    greedy, ahead = Searching(sees=judge), Searching(sees=judge, depth=2)
    random = table.play(committed, AtRandom(), ORDERS[0])
    debate = table.debate(committed, greedy)
    whole = judge(digits.images, np.ones_like(digits.images, dtype=bool))
    return {
        "random": right(random),
        "random, ten classes": named(random, digits),
        "debate": right(debate),
        "debate, ten classes": named(debate, digits),
        "debate, two turns ahead": right(table.debate(committed, ahead)),
        "debate, free liar": right(table.debate(free, greedy)),
        "consultant, honest": right(table.play(committed, greedy, ("first",))),
        "consultant, dishonest": right(table.play(committed, greedy, ("second",))),
        "whole image, ten classes": float((whole.argmax(axis=1) == digits.labels).mean()),
    }


def pictures(digits: Digits, seed: int, *, committed: bool) -> list[Picture]:
    """Each image with the truth first, and a lie, or anything but the truth, second."""
    rows = zip(digits.images, digits.labels, digits.lies(seed), strict=True)
    return [
        Picture(
            image=image,
            first=int(truth),
            second=int(lie) if committed else None,
            seed=seed * 10_000 + number,
        )
        for number, (image, truth, lie) in enumerate(rows)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One judge, and players of one kind at both sides."""

    judge: SparseJudge
    pixels: int

    def play(self, pictures: list[Picture], who: Seat, turns: tuple[Side, ...]) -> list[Seen]:
        rules = Pixels(pixels=self.pixels, turns=turns)
        seats: Mapping[str, Seat] = {"first": who, "second": who, "judge": Sparse(self.judge)}
        return drive([rules.play(one) for one in pictures], seats)

    def debate(self, pictures: list[Picture], who: Seat) -> list[Seen]:
        """Each picture twice: either side begins once."""
        return [seen for turns in ORDERS for seen in self.play(pictures, who, turns)]


def right(seen: Sequence[Seen]) -> float:
    """The share in which the judge prefers the first side's class."""
    return float(np.mean([one.lead > 0 for one in seen]))


def named(seen: Sequence[Seen], digits: Digits) -> float:
    """The share in which the judge's own class, of ten, is the true one."""
    truths = np.resize(digits.labels, len(seen))
    return float(np.mean([one.says == truth for one, truth in zip(seen, truths, strict=True)]))


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    return [one for pixels in PIXELS for one in _predicted(column, pixels)]


def _predicted(column: Column, pixels: int) -> list[Outcome]:
    def at(name: str) -> NDArray[np.float64]:
        return column[f"{name}/{pixels}"]

    consultancy = (at("consultant, honest") + at("consultant, dishonest")) / 2
    found: dict[str, tuple[Interval, Bound]] = {
        "accuracy of debate": (mean(at("debate")), (0.9, MORE[1])),
        "accuracy, debate less random pixels": (
            mean(at("debate") - at("random")),
            (0.1, MORE[1]),
        ),
        "accuracy with a dishonest consultant": (
            mean(at("consultant, dishonest")),
            (LESS[0], 0.1),
        ),
        "accuracy, consultancy less debate": (
            mean(consultancy - at("debate")),
            (LESS[0], -0.3),
        ),
        "accuracy of debate, liar free less committed": (
            mean(at("debate, free liar") - at("debate")),
            LESS,
        ),
        "accuracy, debate with a free liar less ten classes of random pixels": (
            mean(at("debate, free liar") - at("random, ten classes")),
            MORE,
        ),
        "accuracy of debate, two turns ahead less greedy": (
            mean(at("debate, two turns ahead") - at("debate")),
            (-0.02, 0.02),
        ),
    }
    return [
        Outcome.of(
            f"{says}, {pixels} pixels",
            interval,
            bound,
            published=PUBLISHED[pixels] if says == "accuracy, debate less random pixels" else "",
        )
        for says, (interval, bound) in found.items()
    ]


def levels(column: Column) -> list[Outcome]:
    """Accuracy in each game."""
    return [
        Outcome.of(f"accuracy, {name.replace('/', ', ')} pixels", mean(values), UNBOUND)
        for name, values in column.items()
    ]
