"""Rows of what people bring, one at a time, from any place on: a million rows are never held.

a file              .jsonl or .parquet (and what ``solon.judges.rows`` reads; .gz too)
a data set folder   as the hub lays it out, as ``datasets`` saves it, or shards of our records
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from solon.errors import DataError, SettingError
from solon.judges.rows import Row, rows, short
from solon.run.shards import KEY, read_records, shards
from solon.run.tables import values

RECORD = "record"  # the only field of a row that is a record of ours
BATCH = 1024  # rows of a table that are read at once
ENDINGS = (".jsonl", ".jsonl.gz", ".parquet", ".arrow")
PIECE = re.compile(r"(.+?)-\d{5}-of-\d{5}")
SPLITS = {"train", "validation", "valid", "dev", "test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where reading goes on: the file, bytes of its text (or rows of its table), rows before it.

    Example:
        Place(file=1, offset=81_342, row=200)
    """

    file: int = 0
    offset: int = 0
    row: int = 0


def input_files(path: Path, split: str = "") -> list[Path]:
    """The files of a data set in the order they are read; SettingError where it has more splits."""
    if not path.is_dir():
        if split:
            raise SettingError(f"split: expected none for a file, got {split!r}")
        return [path]
    if (path / "dataset_dict.json").is_file():
        folders = sorted(one for one in path.iterdir() if (one / "state.json").is_file())
        return input_files(_one_of(path, {one.name: [one] for one in folders}, split)[0])
    if (path / "state.json").is_file():
        return _saved(path)
    found = [one for one in sorted(path.rglob("*")) if one.name.endswith(ENDINGS)]
    if not found:
        raise DataError(path, expected=f"files that end in {', '.join(ENDINGS)}", came="none")
    splits: dict[str, list[Path]] = {}
    for one in found:
        splits.setdefault(_split_of(one), []).append(one)
    return _one_of(path, splits, split) if split or len(splits) > 1 else found


def _saved(path: Path) -> list[Path]:
    """The files of ``Dataset.save_to_disk``, in its order."""
    try:
        state = orjson.loads((path / "state.json").read_bytes())
        return [path / one["filename"] for one in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(path / "state.json", expected="a saved data set", came=error) from error


def _split_of(file: Path) -> str:
    """The split that a file's name tells; all other files are one."""
    stem = file.name.partition(".")[0]
    piece = PIECE.fullmatch(stem)
    name = piece[1] if piece else stem
    return name if piece or name in SPLITS else ""


def _one_of(path: Path, splits: dict[str, list[Path]], split: str) -> list[Path]:
    if split in splits:
        return splits[split]
    if not split and len(splits) == 1:
        return next(iter(splits.values()))
    have = ", ".join(sorted(name or "files without a split" for name in splits)) or "none"
    raise SettingError(f"split: expected one of {path}'s ({have}), got {split or 'none'!r}")


def read(files: Sequence[Path], at: Place = Place()) -> Iterator[tuple[Row, Place]]:
    """Rows from that place on, each with the place after it. DataError for one that is no row."""
    for number in range(at.file, len(files)):
        start = at if number == at.file else Place(file=number)
        yield from _read(files[number], start)


def _read(file: Path, at: Place) -> Iterator[tuple[Row, Place]]:
    if not file.is_file():
        raise DataError(file, expected="a file", came="nothing there")
    name = file.name.removesuffix(".gz")
    if name.endswith(".jsonl"):
        return _lines(file, at)
    if name.endswith(".arrow"):
        return _numbered(file, at, _cells(file, _arrow(file), at.offset))
    if name.endswith(".parquet"):
        return _numbered(file, at, _parquet(file, at.offset))
    return _counted(at, islice(rows(file), at.offset, None))


def _lines(file: Path, at: Place) -> Iterator[tuple[Row, Place]]:
    offset, number = at.offset, at.row
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as text:
            text.seek(offset)
            for line in text:
                offset, number = offset + len(line), number + 1
                if line.strip():
                    fields = _object(file, number, line)
                    after = Place(file=at.file, offset=offset, row=number)
                    yield Row(file=file, number=number, fields=fields), after
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(file, expected="a readable file", came=error) from error


def _object(file: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DataError(file, row=number, expected="a JSON object", came=error) from error
    if not isinstance(fields, dict):
        raise DataError(file, row=number, expected="a JSON object", came=short(fields))
    return cast("dict[str, Any]", fields)


def _numbered(
    file: Path, at: Place, found: Iterable[dict[str, Any]]
) -> Iterator[tuple[Row, Place]]:
    """Rows of a table; a file that breaks while it is read is told like one that never opens."""
    listed = (Row(file=file, number=n, fields=row) for n, row in enumerate(found, at.offset + 1))
    try:
        yield from _counted(at, listed)
    except (pa.ArrowException, OSError) as error:
        raise DataError(file, expected="a readable table", came=error) from error


def _counted(at: Place, listed: Iterable[Row]) -> Iterator[tuple[Row, Place]]:
    """Rows that are found again by their number alone."""
    for count, row in enumerate(listed, at.offset + 1):
        yield row, Place(file=at.file, offset=count, row=count)


def _parquet(file: Path, skip: int) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(file, pre_buffer=False) as table:
        if KEY in (table.schema_arrow.metadata or {}):
            yield from _records(file, skip)
            return
        groups, before = list(range(table.num_row_groups)), 0
        while groups and skip >= (size := table.metadata.row_group(groups[0]).num_rows):
            groups, skip, before = groups[1:], skip - size, before + size
        yield from _cells(file, table.iter_batches(BATCH, row_groups=groups), skip, before=before)


def _records(file: Path, skip: int) -> Iterator[dict[str, Any]]:
    """A shard of our own records, whose prompts keep their facts and answers their policies."""
    place = shards(file.parent).index(file)
    found = read_records(file.parent, first=place, last=place + 1)
    yield from ({RECORD: record} for record in found[skip:])


def _arrow(file: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as stream:
        for batch in stream:
            for start in range(0, batch.num_rows, BATCH):
                yield batch.slice(start, BATCH)


def _cells(
    file: Path, batches: Iterable[pa.RecordBatch], skip: int, *, before: int = 0
) -> Iterator[dict[str, Any]]:
    """Rows after so many that are skipped; ``before`` rows of the file stand above the batches."""
    for batch in batches:
        if skip < batch.num_rows:
            yield from values(file, batch.slice(skip), before=before + skip)
        skip, before = max(skip - batch.num_rows, 0), before + batch.num_rows
