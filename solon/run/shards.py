"""Records to parquet and back, with a schema derived from the dataclass.

    read_records(write_records(folder, records)) == records       exactly, floats included

Nested records are structs, tuples are lists. A field of several record types (a judgement's answer:
``Prefers | Abstains``) is a struct with one nullable child per type, so that DuckDB reads
``answer.Prefers.p_first``. The record's type stands in the file's metadata and is looked up among
``solon.records`` only: reading a shard never runs code that the file names.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from solon import records as nouns
from solon.errors import DataError
from solon.records import (
    Assess,
    Compare,
    Judgement,
    Prefers,
    Rank,
    Ranks,
    Rate,
    Ratings,
    Scores,
)
from solon.run.tables import values

KEY = b"solon.record"
SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}
ANSWERS: dict[type, type] = {Compare: Prefers, Rate: Scores, Rank: Ranks, Assess: Ratings}
R = TypeVar("R")


def write_records(folder: Path, records: Sequence[Any], *, index: int = 0) -> Path:
    """Writes one shard ``folder/00000.parquet``; a reader sees all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{index:05d}.parquet"
    if records:
        name, table = _name(records[0]), _table(records)
    else:
        name, table = "", pa.table({})
    table = table.replace_schema_metadata({KEY: name.encode()})
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)
    return folder


def read_records(folder: Path, *, first: int = 0, last: int | None = None) -> list[Any]:
    """All records of the shards from ``first`` up to, not including, ``last``, in order."""
    found: list[Any] = []
    for path in shards(folder)[first:last]:
        found += _read(path)
    return found


def shards(folder: Path) -> list[Path]:
    """The complete shards of a folder, in order."""
    return sorted(folder.glob("*.parquet"))


def set_aside_torn(folder: Path) -> str:
    """What to say of the newest shard, which may be torn where the machine, not only the process,
    went down; empty where it is whole.
    """
    for path in shards(folder)[-1:]:
        try:
            _read(path)
        except DataError as error:
            path.rename(path.with_suffix(".broken"))
            return f"{path.name} is set aside and made again ({error})"
    return ""


def _read(path: Path) -> list[Any]:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, expected="a parquet shard", came=error) from error
    name = (table.schema.metadata or {}).get(KEY, b"?").decode(errors="backslashreplace")
    if not name:
        return []
    kind = _named(name, path)
    for field, wanted, found in _misfits(pa.struct(list(table.schema)), _arrow(kind)):
        raise DataError(path, field=field, expected=wanted, came=found)
    built: list[Any] = []
    for number, row in enumerate(values(path, table), start=1):
        try:
            built.append(_build(row, kind))
        except (TypeError, ValueError) as error:
            raise DataError(path, row=number, expected=f"a {name}", came=error) from error
    return built


def _misfits(
    found: pa.DataType, wanted: pa.DataType, at: str = ""
) -> Iterator[tuple[str, str, str]]:
    """(field, type expected, type that came) wherever no such value could be the record's."""
    if pa.types.is_struct(found) and pa.types.is_struct(wanted):
        for inner in found:
            place = wanted.get_field_index(inner.name)
            if place >= 0:  # a field that no record has is passed over
                below = f"{at}.{inner.name}".lstrip(".")
                yield from _misfits(inner.type, wanted.field(place).type, below)
    elif _is_list(found) and _is_list(wanted):
        yield from _misfits(found.value_type, wanted.value_type, at)
    elif not any(alike(found) and alike(wanted) for alike in ALIKE) and not pa.types.is_null(found):
        yield at, str(wanted).partition("<")[0], str(found).partition("<")[0]


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _is_text(kind: pa.DataType) -> bool:
    """Also as other tools write it."""
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


ALIKE = (_is_text, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)


def _table(records: Sequence[Any]) -> pa.Table:
    kind = _named(_name(records[0]), Path())
    rows = [_flat(record, kind) for record in records]
    schema = pa.schema(list(_arrow(kind)))
    return pa.Table.from_pylist(rows, schema=schema)


def _name(record: Any) -> str:
    """The record's type as text: ``Preference``, or ``Judgement[Compare]``."""
    if isinstance(record, Judgement):
        return f"Judgement[{type(record.question).__name__}]"
    return type(record).__name__


def _named(name: str, path: Path) -> Any:
    head, _, inner = name.partition("[")
    kind = getattr(nouns, head, None)
    question = getattr(nouns, inner.rstrip("]"), None) if inner else None
    known = isinstance(kind, type) and is_dataclass(kind)
    asked = any(question is one for one in ANSWERS)
    if not known or bool(inner) != asked or asked != (kind is Judgement):
        raise DataError(path, field=KEY.decode(), expected="the name of a record", came=name)
    return kind if question is None else Judgement[question, ANSWERS[question]]


@cache
def _layout(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Field names and types of a record, with the type variables of a generic one filled in."""
    origin = get_origin(kind) or kind
    hints = get_type_hints(origin, vars(typing) | vars(nouns))
    filled = dict(zip(getattr(origin, "__parameters__", ()), get_args(kind), strict=False))
    return tuple((field.name, _fill(hints[field.name], filled)) for field in fields(origin))


def _fill(hint: Any, filled: dict[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return filled[hint]
    if _members(hint):
        return Union[tuple(_fill(member, filled) for member in get_args(hint))]  # noqa: UP007 - built at run time
    return hint


@cache
def _members(hint: Any) -> tuple[Any, ...]:
    """The types of a union without None; empty where the hint is no union."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(member for member in get_args(hint) if member is not types.NoneType)
    return ()


@cache
def _arrow(hint: Any) -> pa.DataType:
    if get_origin(hint) is Literal:
        return pa.string()
    if get_origin(hint) is tuple:
        return pa.list_(_arrow(get_args(hint)[0]))
    members = _members(hint)
    if len(members) == 1:
        return _arrow(members[0])
    if members:
        return pa.struct([pa.field(member.__name__, _arrow(member)) for member in members])
    if is_dataclass(get_origin(hint) or hint):
        return pa.struct([pa.field(name, _arrow(inner)) for name, inner in _layout(hint)])
    return SCALARS[hint]


def _flat(value: Any, hint: Any) -> Any:
    """A record as what pyarrow takes."""
    if value is None or type(value) in SCALARS:
        return value
    members = _members(hint)
    if len(members) > 1:
        return {m.__name__: _flat(value, m) if isinstance(value, m) else None for m in members}
    if isinstance(value, tuple):
        inner = get_args(members[0] if members else hint)[0]
        return list(value) if inner in SCALARS else [_flat(item, inner) for item in value]
    if is_dataclass(value):
        kind = members[0] if members else hint
        return {name: _flat(getattr(value, name), inner) for name, inner in _layout(kind)}
    return value


def _build(value: Any, hint: Any) -> Any:
    """The inverse of ``_flat``."""
    if value is None and types.NoneType not in get_args(hint):
        raise TypeError(f"null for a {getattr(hint, '__name__', hint)}")
    if value is None or type(value) in SCALARS:
        return value
    members = _members(hint)
    if len(members) > 1:
        member = next((m for m in members if value.get(m.__name__) is not None), None)
        if member is None:
            raise TypeError(f"nothing as {' or '.join(m.__name__ for m in members)}")
        return _build(value[member.__name__], member)
    kind = members[0] if members else hint
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return tuple(value) if inner in SCALARS else tuple(_build(item, inner) for item in value)
    make: Any = get_origin(kind) or kind
    if hasattr(make, "__dataclass_fields__"):
        # a field that a record got later is not in an older shard: its default stands
        known = [(name, inner) for name, inner in _layout(kind) if name in value]
        return make(**{name: _build(value[name], inner) for name, inner in known})
    return value
