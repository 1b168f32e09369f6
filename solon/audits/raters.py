"""How far do several raters agree, people or judges, beyond what chance would give?

Fleiss (1971), Krippendorff (2011), Cohen (1960), Gwet's AC1 (2008) and Byrt's PABAK (1993) side by
side: where one category prevails they part, and none of them alone says which raters to trust.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from solon.errors import InputError
from solon.judges.codings import Coding, read_codings
from solon.records import Finding
from solon.statistics import (
    Bootstrap,
    Interval,
    ac1_among,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    observed_among,
    pabak_among,
    proportion,
)
from solon.statistics.interval import Floats

FREE = (float("-inf"), float("inf"))
Level = Literal["nominal", "ordinal", "interval"]
Coefficient = Callable[[Floats], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raters:
    """Recorded categories of two raters or more. Intervals resample clusters of items.

    ``alpha`` takes every item that two rated; ``fleiss`` only those that as many rated as most
    items have. ``cohen/A~B`` is over the items that both rated. A blank is no category: it is
    counted in ``unrated`` and nowhere else.

    Example:
        Raters(least_alpha=0.667).recorded(read_codings("votes.jsonl"))
    """

    level: Level = "nominal"
    """How far categories lie apart for alpha: all alike, by rank, or by their numbers' order."""
    least_alpha: float = 0.4
    """Lowest passing alpha; Krippendorff asks for 0.667 before tentative conclusions."""
    most_unrated: float = 0.05
    """Highest passing share of codings that are blank."""
    draws: int = 1000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Seeds the bootstrap."""

    def read(self, path: Path | str) -> list[Coding]:
        """The rows of a file."""
        return read_codings(path)

    def recorded(self, codings: Sequence[Coding]) -> list[Finding]:
        """The findings; raises InputError unless some item has two raters' categories."""
        board = _Board.of(codings)
        most = board.counts.sum(axis=0).max() / board.counts.sum()
        prevails = f"the commonest category has {most:.0%} of all codings"
        blank = [float(one.category is None) for one in codings]
        unrated = proportion(blank, [one.cluster or one.item for one in codings])
        return [
            self._found("alpha", self._alpha, board, (self.least_alpha, 1.0), prevails),
            self._fleiss(board),
            self._found("ac1", ac1_among, board),
            self._found("pabak", pabak_among, board),
            self._found("observed", observed_among, board),
            *(self._pair(board, a, b) for a, b in combinations(board.raters, 2)),
            _finding("unrated", unrated, (0.0, self.most_unrated)),
        ]

    def _alpha(self, counts: Floats) -> float:
        return krippendorff_alpha(counts, self.level)

    def _fleiss(self, board: _Board) -> Finding:
        """Over the items with the commonest number of raters, as the formula needs."""
        raters = board.counts.sum(axis=1).astype(int)
        usual = int(np.bincount(raters).argmax())
        kept = board.take(raters == usual)
        left = len(raters) - len(kept.counts)
        note = f"{left} items without exactly {usual} raters left out" if left else ""
        return self._found("fleiss", fleiss_kappa, kept, note=note)

    def _pair(self, board: _Board, a: str, b: str) -> Finding:
        """Cohen's kappa of two raters over the items that both rated."""
        tables, clusters = board.pair(a, b)
        name = f"cohen/{a}~{b}"
        if not len(tables):
            return _finding(name, Interval.unknown(), note="no item has both")
        draw = Bootstrap(draws=self.draws, seed=self.seed)
        found = draw(
            lambda weights: cohen_kappa(np.tensordot(weights, tables, axes=1)),
            len(tables),
            clusters,
        )
        return _finding(name, found)

    def _found(
        self,
        quantity: str,
        coefficient: Coefficient,
        board: _Board,
        bound: tuple[float, float] = FREE,
        note: str = "",
    ) -> Finding:
        counts = board.counts

        def statistic(weights: Floats) -> float:
            return coefficient(np.repeat(counts, weights.astype(int), axis=0))

        draw = Bootstrap(draws=self.draws, seed=self.seed)
        return _finding(quantity, draw(statistic, len(counts), board.clusters), bound, note)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Board:
    """How many raters put each item into each category, [I K], of items that two rated."""

    raters: tuple[str, ...]
    clusters: tuple[str, ...]
    counts: Floats
    said: tuple[dict[str, int], ...]

    @classmethod
    def of(cls, codings: Sequence[Coding]) -> _Board:
        rated: dict[str, dict[str, str]] = {}
        clusters: dict[str, str] = {}
        for one in codings:
            if one.category is None:
                continue
            if one.rater in rated.setdefault(one.item, {}):
                raise InputError(
                    f"raters: expected one category of each rater for an item, got {one.rater!r} "
                    f"twice for {one.item!r}"
                )
            rated[one.item][one.rater] = one.category
            clusters[one.item] = one.cluster or one.item
        kept = {item: said for item, said in rated.items() if len(said) >= 2}
        if not kept:
            raise InputError(
                "raters: expected an item with the categories of two raters, got none of "
                f"{len(rated)} items"
            )
        names = _in_order({category for said in kept.values() for category in said.values()})
        said = tuple({who: names.index(what) for who, what in one.items()} for one in kept.values())
        counts = np.zeros((len(said), len(names)))
        for row, one in enumerate(said):
            np.add.at(counts[row], list(one.values()), 1)
        return cls(
            raters=tuple(sorted({rater for one in said for rater in one})),
            clusters=tuple(clusters[item] for item in kept),
            counts=counts,
            said=said,
        )

    def take(self, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> _Board:
        kept = np.flatnonzero(rows)
        return _Board(
            raters=self.raters,
            clusters=tuple(self.clusters[row] for row in kept),
            counts=self.counts[kept],
            said=tuple(self.said[row] for row in kept),
        )

    def pair(self, a: str, b: str) -> tuple[Floats, list[str]]:
        """One table [K K] for each item that both rated, and the items' clusters."""
        both = [row for row, said in enumerate(self.said) if a in said and b in said]
        tables = np.zeros((len(both), self.counts.shape[1], self.counts.shape[1]))
        for place, row in enumerate(both):
            tables[place, self.said[row][a], self.said[row][b]] = 1
        return tables, [self.clusters[row] for row in both]


def _in_order(names: set[str]) -> list[str]:
    """By number where all are numbers, else by name: what ordinal and interval levels go by."""
    try:
        return sorted(names, key=float)
    except ValueError:
        return sorted(names)


def _finding(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(audit="raters", quantity=quantity, bound=bound, note=note, **interval.measured)
