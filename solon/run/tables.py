"""Rows of Arrow tables as Python values: a cell that is none is named by its row and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from solon.errors import DataError

# text that is no UTF-8, dates after the year 9999, units and zones that are not installed
NO_VALUE = (pa.ArrowException, ValueError, OverflowError)


def values(
    file: Path, table: pa.Table | pa.RecordBatch, *, before: int = 0
) -> list[dict[str, Any]]:
    """The rows as dicts; ``before`` rows of the file stand above them."""
    try:
        return table.to_pylist()
    except NO_VALUE as error:
        row, field = _where(table)
        expected = "a cell that Python can hold"
        raise DataError(
            file, row=before + row, field=field, expected=expected, came=error
        ) from error


def _where(table: pa.Table | pa.RecordBatch) -> tuple[int, str]:
    """The row, counted from 1, and the field of the first such cell."""
    faults = (
        (row, name)
        for name, column in zip(table.schema.names, table.columns, strict=True)
        for row, cell in enumerate(column, start=1)
        if not _held(cell)
    )
    return min(faults)


def _held(cell: pa.Scalar) -> bool:
    try:
        cell.as_py()
    except NO_VALUE:
        return False
    return True
