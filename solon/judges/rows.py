"""Rows of files that people bring: JSON lines, JSON lists, CSV, parquet, text, gzipped or not."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from solon.errors import DataError
from solon.records import Message, Role

ROLES = frozenset(get_args(Role)) - {"text"}
HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, and where it stands (rows count from 1, as editors do).

    Example:
        Row(file=Path("labels.jsonl"), number=3, fields={"prompt": "Hi", "chosen": "a"})
    """

    file: Path
    number: int
    fields: Mapping[str, Any]

    def fault(self, field: str, expected: str) -> DataError:
        """The error that says what this row's field should have been."""
        came = short(self.fields[field]) if field in self.fields else "nothing"
        return DataError(self.file, row=self.number, field=field, expected=expected, came=came)

    def text(self, field: str) -> str:
        """A field of text; DataError where it is missing, blank or something else."""
        value = self.fields.get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(field, "text")
        return self.whole(field, value)

    def said(self, field: str) -> str:
        """A field of text, a number, true or false, in JSON's words; empty where it is blank."""
        value = self.fields.get(field)
        if field not in self.fields or not isinstance(value, str | int | float | None):
            raise self.fault(field, "text or a number")
        if isinstance(value, str):
            return self.whole(field, value.strip())
        return "" if value is None else json.dumps(value)

    def messages(self, field: str) -> tuple[Message, ...]:
        """A field of turns, [{"role": ..., "content": ...}]; DataError where a turn is bad."""
        value = self.fields.get(field)
        if not isinstance(value, list) or not value:
            raise self.fault(field, "text or a list of messages")
        return tuple(self._message(field, turn) for turn in cast("list[Any]", value))

    def _message(self, field: str, turn: Any) -> Message:
        said: dict[str, Any] = cast("dict[str, Any]", turn) if isinstance(turn, dict) else {}
        role, content = said.get("role"), said.get("content")
        known = isinstance(role, str) and role in ROLES
        if not known or not isinstance(content, str):
            raise self.fault(field, "messages with a role (system, user, assistant) and a content")
        return Message(role=cast("Role", role), text=self.whole(field, content))

    def whole(self, field: str, text: str) -> str:
        """JSON can spell half a surrogate pair, which is no text and which parquet cannot hold."""
        if HALF.search(text):
            raise self.fault(field, "text without lone surrogates")
        return text


def rows(file: Path) -> Iterator[Row]:
    """Rows of a .jsonl, .json (one list), .csv, .parquet or .txt file (.gz too); else DataError."""
    kind = file.name.removesuffix(".gz").rpartition(".")[2]
    if not file.is_file():
        raise DataError(file, expected="a file", came="nothing there")
    match kind:
        case "jsonl":
            yield from _json_lines(file)
        case "json":
            yield from _json_list(file)
        case "csv":
            yield from _csv(file)
        case "parquet":
            yield from _parquet(file)
        case "txt":
            for number, line in _lines(file):
                yield Row(file=file, number=number, fields={"text": line})
        case _:
            raise DataError(
                file, expected=".jsonl, .json, .csv, .parquet or .txt (or .gz)", came=f".{kind}"
            )


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank."""
    for number, line in enumerate(_text(file, encoding="utf-8"), start=1):
        if line.strip():
            yield number, line.strip()


def _text(file: Path, *, encoding: str, newline: str | None = None) -> Iterator[str]:
    try:
        with (
            gzip.open(file, "rt", encoding=encoding, newline=newline)
            if file.suffix == ".gz"
            else file.open(encoding=encoding, newline=newline) as lines
        ):
            yield from lines
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(file, expected="UTF-8 text", came=error) from error


def _json_lines(file: Path) -> Iterator[Row]:
    for number, line in _lines(file):
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(file, row=number, expected="a JSON object", came=error) from error
        if not isinstance(fields, dict):
            raise DataError(file, row=number, expected="a JSON object", came=short(fields))
        yield Row(file=file, number=number, fields=cast("dict[str, Any]", fields))


def _json_list(file: Path) -> Iterator[Row]:
    try:
        listed = json.loads("\n".join(line for _, line in _lines(file)))
    except (ValueError, RecursionError) as error:
        raise DataError(file, expected="a JSON list of objects", came=error) from error
    if not isinstance(listed, list):
        raise DataError(file, expected="a JSON list of objects", came=short(listed))
    for number, fields in enumerate(cast("list[Any]", listed), start=1):
        if not isinstance(fields, dict):
            raise DataError(file, row=number, expected="a JSON object", came=short(fields))
        yield Row(file=file, number=number, fields=cast("dict[str, Any]", fields))


def _csv(file: Path) -> Iterator[Row]:
    """Rows under a header; every cell is text."""
    records = _records(file)
    _, header = next(records, (1, []))
    for name in header:
        if header.count(name) > 1:
            raise DataError(file, row=1, field=name, expected="each field once", came="it again")
    for number, cells in records:
        if len(cells) != len(header):
            expected = f"{len(header)} cells, as in the header"
            raise DataError(file, row=number, expected=expected, came=len(cells))
        yield Row(file=file, number=number, fields=dict(zip(header, cells, strict=True)))


def _records(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each record that is not blank."""
    # Excel begins a file with a byte order mark, which is no part of the first field's name.
    reader = csv.reader(_text(file, encoding="utf-8-sig", newline=""), strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DataError(file, row=begins, expected="CSV", came=error) from error
        if cells is None:
            return
        if cells:
            yield begins, cells


def _parquet(file: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from solon.run.tables import values

    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise DataError(file, expected="a parquet file", came=error) from error
    for number, fields in enumerate(values(file, table), start=1):
        yield Row(file=file, number=number, fields=fields)


def left_out(file: object, dropped: Mapping[str, int], *, read: int) -> str:
    """One line that says how many rows of a file went unread, and why."""
    counts = "; ".join(f"{reason}: {n}" for reason, n in sorted(dropped.items()))
    total = sum(dropped.values())
    return f"{file}: {total} of {total + read} rows left out ({counts})"


def short(value: object) -> str:
    """A value as an error message can hold it, whatever it is."""
    try:
        said = "null" if value is None else ascii(value)
    except RecursionError:
        return "something nested too deep to show"
    return said if len(said) <= 60 else f"{said[:57]}..."
