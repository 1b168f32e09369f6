"""Append-only JSON lines that survive ``kill -9`` and can be cut back to a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

BLOCK = 2**16  # bytes read at a time from a file's end


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Adds one line; it reaches the operating system before this returns."""
    if path.exists():
        mend(path)
    with path.open("ab") as file:
        file.write(orjson.dumps(dict(line), option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a last line that a kill cut short is left out."""
    return list(each(path))


def each(path: Path) -> Iterator[dict[str, Any]]:
    """The same one by one, for a file that is too long to hold."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n") and line != b"\n":
                yield orjson.loads(line)


def mend(path: Path) -> None:
    """Cuts off a last line that a kill left unfinished, so that the next one begins cleanly.

    Reads no more than that line.
    """
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 1))
        if file.read(1) in {b"", b"\n"}:
            return
        start, kept = end, 0
        while start > 0:
            start = max(0, start - BLOCK)
            file.seek(start)
            found = file.read(min(BLOCK, end - start)).rfind(b"\n")
            if found >= 0:
                kept = start + found + 1
                break
        file.truncate(kept)


def keep(path: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Leaves only the wanted lines."""
    lines = read(path)
    kept = [line for line in lines if wanted(line)]
    if len(kept) == len(lines):
        return
    partial = path.with_suffix(".partial")
    partial.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in kept))
    partial.replace(path)
