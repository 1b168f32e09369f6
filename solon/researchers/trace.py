"""What every researcher did, call by call, where no researcher can change it.

Each row holds the digest of the one before it, so a row that is changed, taken out or moved breaks
the chain. The chain alone cannot tell that its end was cut off, or that all of it was written anew:
whoever keeps the hash of the last row elsewhere can, and gives it to ``verify``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from solon.errors import DataError

FIRST = "0" * 64
LONGEST, MOST, DEEPEST = 4096, 64, 6
FIELDS = ("row", "time", "agent", "tool", "detail", "before", "hash")


@dataclass(frozen=True, slots=True)
class Trace:
    """One file of rows; any number of processes and threads may append to it.

    Example:
        Trace(Path("office/trace.jsonl")).append("ada", "shell", {"command": "ls"})
    """

    path: Path
    """The file, outside every workspace; made with mode 600."""

    def append(self, agent: str, tool: str, detail: Mapping[str, object]) -> str:
        """The hash of the row, which is on the disk when this returns.

        Long details are clipped, and say by how much. DataError where the last row is broken: a
        chain that goes on after a break would hide it.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            number, before = self._end(file)
            row: dict[str, Any] = {
                "row": number + 1,
                "time": time.time(),
                "agent": clipped(agent),
                "tool": clipped(tool),
                "detail": clipped(detail),
                "before": before,
            }
            row["hash"] = digest(row)
            _write(file, (json.dumps(row) + "\n").encode())
            if not number:
                _settle(self.path.parent)
        finally:
            os.close(file)
        return row["hash"]

    def _end(self, file: int) -> tuple[int, str]:
        """The number and the hash of the last row."""
        size = os.fstat(file).st_size
        if not size:
            return 0, FIRST
        start, tail = size, b""
        while start and b"\n" not in tail[:-1]:
            start = max(0, start - 65536)
            tail = os.pread(file, size - start, start)
        row = _row(self.path, tail[:-1].rsplit(b"\n", 1)[-1] + tail[-1:], None)
        return row["row"], row["hash"]


def verify(path: Path, *, head: str = "") -> int:
    """How many rows the chain has, once all are found whole; DataError names the first broken one.

    With ``head``, what the last ``append`` returned, a chain that was cut short is found too.
    """
    before, number = FIRST, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            row = _row(path, line, number)
            if row["row"] != number:
                came = row["row"]
                raise DataError(
                    path, row=number, field="row", expected=f"number {number}", came=came
                )
            if row["before"] != before:
                raise DataError(
                    path, row=number, field="before", expected=before, came=row["before"]
                )
            before = row["hash"]
    if head and before != head:
        raise DataError(path, row=number, field="hash", expected=f"the head {head}", came=before)
    return number


def digest(row: Mapping[str, object]) -> str:
    """SHA-256 of the row without its own hash, as JSON with sorted keys."""
    rest = {key: value for key, value in row.items() if key != "hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def clipped(value: object, depth: int = 0) -> Any:
    """The value as JSON of bounded size; long texts and lists say what they lack."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < 2**63 and math.isfinite(value):
        return value
    if isinstance(value, int):
        return f"{value.bit_length()} bits"  # its digits would take longer than they are worth
    if isinstance(value, Mapping) and depth < DEEPEST:
        items = list(cast("Mapping[object, object]", value).items())
        kept = {clipped(str(key)): clipped(one, depth + 1) for key, one in items[:MOST]}
        return kept | ({"...": f"{len(items) - MOST} more"} if len(items) > MOST else {})
    if isinstance(value, list | tuple) and depth < DEEPEST:
        row = cast("list[object]", value)
        more = [f"... {len(row) - MOST} more"] if len(row) > MOST else []
        return [clipped(one, depth + 1) for one in row[:MOST]] + more
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... {len(text) - LONGEST} more"


def _row(path: Path, line: bytes, number: int | None) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise DataError(path, row=number, expected="a whole last row", came="one cut short")
    try:
        row = json.loads(line)
    except ValueError:
        raise DataError(path, row=number, expected="a row of JSON", came=line[:60]) from None
    if not isinstance(row, dict) or tuple(cast("dict[str, Any]", row)) != FIELDS:
        raise DataError(path, row=number, expected=f"the fields {', '.join(FIELDS)}", came="others")
    found = cast("dict[str, Any]", row)
    if digest(found) != found["hash"]:
        raise DataError(path, row=number, field="hash", expected=digest(found), came=found["hash"])
    return found


def _write(file: int, line: bytes) -> None:
    while line:
        line = line[os.write(file, line) :]
    os.fsync(file)


def _settle(folder: Path) -> None:
    """A new file survives a crash only once its folder is on the disk too."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
