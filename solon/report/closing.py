"""The closing table of a run, and the sentence that it amounts to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solon.report.element import Html, h
from solon.report.evidence import Evidence
from solon.report.figure import NONE, figure, fixed, number, places, quantity
from solon.report.plot import whisker
from solon.report.scale import Scale, cover
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
    """The closing table, each number over its interval, on a scale shared by its column."""
    if evidence.summary is None:
        return Absent(why="No closing table: summary.json is written when the run ends.")
    table = Closing.of(evidence.summary)
    head = h("tr", h("th", ""), [h("th", quantity(c).title, scope="col") for c in table.columns])
    columns = {name: _column(table, name) for name in table.columns}
    rows = [
        h("tr", h("th", name, scope="row"), [columns[c][k] for c in table.columns])
        for k, (name, _) in enumerate(table.rows)
    ]
    body = h("table", h("thead", head), h("tbody", rows), class_="closing")
    notes = h("ul", [h("li", note) for note in table.notes]) if table.notes else None
    key = "Dot: estimate. Whisker: interval. All rows of a column share one scale."
    return section("Result", h("div", body, class_="wide"), h("p", key, class_="faint"), notes)


def verdict(table: Closing) -> str:
    """What the last row shows against the first, in words; never more than the intervals say."""
    if len(table.rows) < 2:
        return "There is one row only, so nothing is compared."
    (before, base), (after, last) = table.rows[0], table.rows[-1]
    said: list[str] = []
    if "gold" in base and "gold" in last:
        said.append(_shift(after, before, last["gold"], base["gold"]))
    rates = ("win_rate", "length_controlled_win_rate")
    said += [_wins(name, after, before, last[name]) for name in rates if name in last]
    if "length" in base and "length" in last:
        said.append(_lengths(base["length"].estimate, last["length"].estimate))
    return " ".join(filter(None, said)) or f"No gold and no win rate of {after} was measured."


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
    return f"The {what.label} of {after}, {what(cell.estimate)}{between}, {word}."


def _lengths(old: float, new: float) -> str:
    """Says so where length moved by a fifth or more: a judge may have paid for it."""
    if not (old > 0 and math.isfinite(new)) or 0.8 < new / old < 1.2:
        return ""
    word = "longer" if new > old else "shorter"
    return f"Completions are {figure(100 * abs(new / old - 1), digits=2)} % {word}."


def _range(cell: Cell) -> str:
    between = f" ({figure(cell.low, digits=3)} to {figure(cell.high, digits=3)})"
    return figure(cell.estimate, digits=3) + (between if cell.bounded else "")


def _cell(value: Any) -> Cell:
    """A bare number is an estimate without an interval."""
    if not isinstance(value, Mapping):
        return Cell(estimate=number(value))
    low, high = number(value.get("low")), number(value.get("high"))
    return Cell(estimate=number(value.get("estimate")), low=low, high=high, n=value.get("n") or 0)


def _column(table: Closing, name: str) -> list[Html]:
    """The cells of a column: one scale and one number of decimals for all of them."""
    factor = 100 if quantity(name).share else 1
    cells = [cells.get(name) for _, cells in table.rows]
    values = [v for cell in cells if cell for v in (cell.estimate, cell.low, cell.high)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return [h("td", NONE, class_="number faint") for _ in cells]
    scale, decimals = cover(finite, 5, 95), places(factor * value for value in finite)
    return [_drawn(cell, scale, lambda v: fixed(factor * v, decimals)) for cell in cells]


def _drawn(cell: Cell | None, scale: Scale, write: Callable[[float], str]) -> Html:
    if cell is None or not math.isfinite(cell.estimate):
        return h("td", NONE, class_="number faint")
    between = f"{write(cell.low)} to {write(cell.high)}" if cell.bounded else "no interval"
    return h(
        "td",
        h("b", write(cell.estimate)),
        whisker((cell.estimate, cell.low, cell.high), scale),
        h("small", between),
        h("small", f"n = {cell.n:,}") if cell.n else None,
        class_="number",
    )
