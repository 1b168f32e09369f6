"""Append-only JSON lines that survive ``kill -9`` and can be cut back to a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Adds one line; it reaches the operating system before this returns."""
    with path.open("ab") as file:
        file.write(orjson.dumps(dict(line), option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a last line that a kill cut short is left out."""
    if not path.exists():
        return []
    return [orjson.loads(line) for line in path.read_bytes().split(b"\n")[:-1] if line]


def mend(path: Path) -> None:
    """Cuts off a last line that a kill left unfinished, so that the next one begins cleanly."""
    text = path.read_bytes()
    if text and not text.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(text.rfind(b"\n") + 1)


def keep(path: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Leaves only the wanted lines."""
    lines = read(path)
    kept = [line for line in lines if wanted(line)]
    if len(kept) == len(lines):
        return
    partial = path.with_suffix(".partial")
    partial.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in kept))
    partial.replace(path)
