"""The closing table of a run, and the sentence that it amounts to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solon.report.element import Html, h
from solon.report.evidence import Evidence
from solon.report.figure import figure, fixed, number, places, quantity
from solon.report.plot import whisker
from solon.report.scale import cover
from solon.report.section import Absent, section


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One measured value with its interval.

    Example:
        Cell(estimate=0.61, low=0.58, high=0.64, n=200)
    """

    estimate: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0

    @property
    def bounded(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Rows by name and columns of cells; the first row is what the others are held against.

    Example:
        Closing(columns=("gold",), rows=(("SFT", {"gold": Cell(estimate=0.4)}),))
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, Cell]], ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> Closing:
        """The content of ``summary.json``; a value that is null or absent leaves its cell empty."""
        rows = [
            (str(row["name"]), {k: _cell(v) for k, v in row["values"].items() if v is not None})
            for row in summary.get("rows", ())
        ]
        notes = tuple(map(str, summary.get("notes", ())))
        return cls(columns=tuple(summary.get("columns", ())), rows=tuple(rows), notes=notes)

    def column(self, name: str) -> list[Cell]:
        return [cells[name] for _, cells in self.rows if name in cells]


def closing(evidence: Evidence) -> Html | Absent:
    """A small table per measure: a line per policy, all whiskers of a measure on one scale."""
    if evidence.summary is None:
        return Absent(why="No closing table: summary.json is written when the run ends.")
    table = Closing.of(evidence.summary)
    measures = [_measure(table, name) for name in table.columns]
    notes = h("ul", [h("li", note) for note in table.notes]) if table.notes else None
    key = "Dot: estimate. Whisker: interval. The tick of a win rate stands at one half."
    return section("Result", h("div", measures, class_="plots"), h("p", key, class_="faint"), notes)


def verdict(table: Closing) -> str:
    """What the last row shows against the first, in words; never more than the intervals say."""
    if len(table.rows) < 2:
        return "There is one row only, so nothing is compared."
    (before, base), (after, last) = table.rows[0], table.rows[-1]
    shared = [name for name in last if name in base]
    said = [_shift(after, before, last[name], base[name]) for name in shared if name == "gold"]
    said += [_wins(name, after, before, last[name]) for name in last if "win rate" in _plain(name)]
    said += [_lengths(base[name], last[name]) for name in shared if _plain(name) == "length"]
    said += [_recovers(after, last[name]) for name in last if name == "PGR"]
    return " ".join(filter(None, said)) or f"No gold and no win rate of {after} was measured."


def _plain(name: str) -> str:
    return quantity(name).label


def _shift(after: str, before: str, new: Cell, old: Cell) -> str:
    if not (new.bounded and old.bounded):
        return f"Gold of {after} is {_range(new)}, of {before} {_range(old)}; without intervals."
    if new.low > old.high:
        word = "is higher than"
    elif new.high < old.low:
        word = "is lower than"
    else:
        return (
            f"Gold of {after}, {_range(new)}, cannot be told from that of {before}, "
            f"{_range(old)}: the intervals overlap."
        )
    return f"Gold of {after}, {_range(new)}, {word} that of {before}, {_range(old)}."


def _wins(name: str, after: str, before: str, cell: Cell) -> str:
    what = quantity(name)
    word = "cannot be told from even"
    if cell.bounded and cell.low > 0.5:
        word = f"is above even against {before}"
    elif cell.bounded and cell.high < 0.5:
        word = f"is below even against {before}"
    between = f" ({what(cell.low)} to {what(cell.high)})" if cell.bounded else ""
    rate, _, how = what.label.partition(", ")
    named = f"{rate} of {after} ({how})" if how else f"{rate} of {after}"
    return f"The {named}, {what(cell.estimate)}{between}, {word}."


def _recovers(after: str, cell: Cell) -> str:
    if not cell.bounded:
        return f"What {after} recovers of the gap cannot be told: the gap is too small."
    share, low, high = (
        figure(100 * value, digits=3) for value in (cell.estimate, cell.low, cell.high)
    )
    return f"{after.capitalize()} recovers {share} % of the gap ({low} to {high})."


def _lengths(old: Cell, new: Cell) -> str:
    """Says so where length moved by a fifth or more: a judge may have paid for it."""
    times = new.estimate / old.estimate if old.estimate > 0 else math.nan
    if not math.isfinite(times) or 0.8 < times < 1.2:
        return ""
    word = "longer" if times > 1 else "shorter"
    return f"Completions are {figure(100 * abs(times - 1), digits=2)} % {word}."


def _range(cell: Cell) -> str:
    between = f" ({figure(cell.low, digits=3)} to {figure(cell.high, digits=3)})"
    return figure(cell.estimate, digits=3) + (between if cell.bounded else "")


def _cell(value: Any) -> Cell:
    """A bare number is an estimate without an interval."""
    if not isinstance(value, Mapping):
        return Cell(estimate=number(value))
    low, high = number(value.get("low")), number(value.get("high"))
    return Cell(estimate=number(value.get("estimate")), low=low, high=high, n=value.get("n") or 0)


def _measure(table: Closing, name: str) -> Html:
    """One measure of every policy that has it, with one scale and one number of decimals."""
    what = quantity(name)
    factor = 100 if what.share else 1
    even = 0.5 if "win rate" in what.label else None
    cells = table.column(name)
    values = [v for c in cells for v in (c.estimate, c.low, c.high) if math.isfinite(v)]
    scale = cover([*values, even] if even else values or [0.0], 5, 125)
    decimals = places(factor * value for value in values)

    def line(policy: str, cell: Cell) -> Html:
        low, high = fixed(factor * cell.low, decimals), fixed(factor * cell.high, decimals)
        drawn = whisker((cell.estimate, cell.low, cell.high), scale, mark=even)
        estimate = h("td", h("b", fixed(factor * cell.estimate, decimals)), class_="number")
        between = h("td", h("small", f"{low} to {high}") if cell.bounded else None)
        return h("tr", h("th", policy, scope="row"), estimate, h("td", drawn), between)

    lines = [line(policy, cells[name]) for policy, cells in table.rows if name in cells]
    counts = sorted({cell.n for cell in cells})
    counted = h("small", f"n = {' to '.join(f'{n:,}' for n in counts[:: len(counts) - 1 or 1])}")
    return h("table", h("caption", h("b", what.title), " ", counted), lines, class_="measure")
