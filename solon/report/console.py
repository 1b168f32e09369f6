"""The closing table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from solon.report.closing import Cell, Closing
from solon.report.element import visible
from solon.report.figure import NONE, quantity


def closing_table(summary: Mapping[str, Any]) -> Table:
    """The content of ``summary.json`` as a table: estimates, their intervals dim beneath."""
    closing = Closing.of(summary)
    table = Table(caption="\n".join(map(visible, closing.notes)) or None, caption_justify="left")
    table.add_column("")
    for column in closing.columns:
        table.add_column(Text(visible(quantity(column).title)), justify="right")
    for name, cells in closing.rows:
        row = [_cell(column, cells.get(column)) for column in closing.columns]
        table.add_row(Text(visible(name), style="bold"), *row)
    return table


def _cell(column: str, cell: Cell | None) -> Text:
    if cell is None:
        return Text(NONE, style="dim")
    write = quantity(column)
    text = Text(write(cell.estimate))
    if cell.bounded:
        text.append(f"\n{write(cell.low)} to {write(cell.high)}", style="dim")
    return text
