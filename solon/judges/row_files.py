"""The objects of a file of rows, each with its number: JSON lines or parquet."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from solon.errors import DataError
from solon.run.shards import KEY
from solon.run.tables import values


def read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The numbered objects of a JSON lines file (also ``.gz``) or a parquet file."""
    if not path.is_file():
        raise DataError(path, expected="a file (JSON lines or parquet) or a folder", came="none")
    if path.suffix == ".parquet":
        yield from enumerate(_parquet(path), start=1)
        return
    for number, line in enumerate(_bytes(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(path, row=number, expected="one JSON object", came=error) from error
        if not isinstance(row, dict):
            came = type(row).__name__
            raise DataError(path, row=number, expected="one JSON object", came=came)
        yield number, row


def _bytes(path: Path) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(path, expected="a whole gzip file", came=error) from error


def _parquet(path: Path) -> list[dict[str, Any]]:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, expected="a parquet file", came=error) from error
    if KEY in (table.schema.metadata or {}):
        raise DataError(path, expected="the shard's folder, to read a run's records", came="a file")
    return values(path, table)
