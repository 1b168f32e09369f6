"""Cells of a recorded row, each read strictly: its type or a DataError of file, row and field.

A cell that is absent and one that is null say the same: nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from solon.errors import DataError
from solon.judges.rows import Row, rows

T = TypeVar("T")


def read(path: Path | str, fields: Sequence[str], row_of: Callable[[Row], T]) -> list[T]:
    """The rows of a file, none of which has an unknown field; an empty file is an error."""
    path = Path(path)
    found = [row_of(_known(row, fields)) for row in rows(path)]
    if not found:
        raise DataError(path, expected="one or more rows", came="none")
    return found


def name(row: Row, field: str, default: str = "") -> str:
    """Text or a whole number, as text."""
    value = row.fields.get(field)
    if type(value) is int:
        return str(value)
    return default if value is None else row.text(field)


def required(row: Row, field: str) -> str:
    """A name that must stand there."""
    if row.fields.get(field) is None:
        raise row.fault(field, "text or a whole number")
    return name(row, field)


def one_of(row: Row, field: str, choices: Sequence[str], default: str = "") -> str:
    """One of the words, or the default where there is none."""
    value = row.fields.get(field)
    if value is None and default:
        return default
    if not isinstance(value, str) or value not in choices:
        raise row.fault(field, f"one of {', '.join(choices)}")
    return value


def flag(row: Row, field: str) -> bool | None:
    """True or false (or 1 and 0), or nothing."""
    value = row.fields.get(field)
    if value is not None and (not isinstance(value, bool | int | float) or value not in (0, 1)):
        raise row.fault(field, "true, false or null")
    return None if value is None else bool(value)


def number(row: Row, field: str) -> float | None:
    """A finite number, or nothing."""
    value = row.fields.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise row.fault(field, "a finite number or null")
    return float(value)


def share(row: Row, field: str) -> float | None:
    """A number from 0 to 1, or nothing."""
    value = number(row, field)
    if value is not None and not 0 <= value <= 1:
        raise row.fault(field, "a number from 0 to 1, or null")
    return value


def flags(row: Row, field: str) -> tuple[bool, ...]:
    """A list of true and false (or 1 and 0); empty where there is none."""
    value = row.fields.get(field)
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if value is not None and (not listed or any(one not in (0, 1) for one in listed)):
        raise row.fault(field, "a list of true and false, or null")
    return tuple(bool(one) for one in listed)


def _known(row: Row, fields: Sequence[str]) -> Row:
    for field in row.fields:
        if field not in fields:
            raise row.fault(field, f"one of {', '.join(fields)}")
    return row
