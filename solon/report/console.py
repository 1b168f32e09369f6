"""The closing table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from solon.report.closing import Cell, Closing
from solon.report.element import visible
from solon.report.figure import NONE, fixed, places, quantity


def closing_table(summary: Mapping[str, Any]) -> Table:
    """The content of ``summary.json``: a row per measure, a column per policy, intervals dim."""
    closing = Closing.of(summary)
    # Text, never str: rich would read the brackets of a note or a name as markup.
    notes = Text("\n".join(map(visible, closing.notes)), style="dim")
    table = Table(box=None, pad_edge=False, caption=notes, caption_justify="left")
    table.add_column("")
    for policy, _ in closing.rows:
        table.add_column(Text(visible(policy), style="bold"), justify="left")
    for name in closing.columns:
        factor = 100 if quantity(name).share else 1
        ends = [end for cell in closing.column(name) for end in (cell.low, cell.high)]
        values = [factor * v for v in ends] + [factor * c.estimate for c in closing.column(name)]
        cells = [_cell(cells.get(name), factor, places(values)) for _, cells in closing.rows]
        table.add_row(Text(visible(quantity(name).title)), *cells)
    return table


def _cell(cell: Cell | None, factor: int, decimals: int) -> Text:
    if cell is None:
        return Text(NONE, style="dim")
    text = Text(fixed(factor * cell.estimate, decimals))
    if cell.bounded:
        low, high = fixed(factor * cell.low, decimals), fixed(factor * cell.high, decimals)
        text.append(f"  {low} to {high}", style="dim")
    return text
