"""What a run directory holds, read once; a part that is not there is empty."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from solon.errors import DataError, RunError
from solon.records import Finding
from solon.report.figure import number
from solon.run.shards import read_records, shards

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The parts of one run directory; records are read when asked for.

    Example:
        read(Path("runs/2026-08-23-cream-town-7f3a9c21-s0")).manifest["recipe"]    # 'cream'
    """

    folder: Path
    manifest: Line
    stages: tuple[Line, ...] = ()
    metrics: tuple[Line, ...] = ()
    watched: tuple[Line, ...] = ()
    ledger: tuple[Line, ...] = ()
    notes: tuple[Line, ...] = ()
    alarms: tuple[Line, ...] = ()
    mistakes: tuple[Line, ...] = ()
    summary: Line | None = None
    findings: tuple[Finding, ...] = ()

    def sets(self) -> dict[str, int]:
        """The names of the record sets, and how many records each holds."""
        folders = sorted(path for path in self.folder.glob("records/*") if shards(path))
        return {path.name: sum(map(_rows, shards(path))) for path in folders}

    def records(self, name: str) -> list[Any]:
        """All records of that set, in order; raises DataError for a broken shard."""
        return read_records(self.folder / "records" / name)


def read(folder: Path) -> Evidence:
    """Reads a run directory.

    Raises RunError where there is no manifest, DataError for a broken line or file.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise RunError(f"{folder}: expected a run directory, found no manifest.json in it")
    summary = folder / "summary.json"
    return Evidence(
        folder=folder,
        manifest=_object(manifest),
        stages=_lines(folder / "stages.jsonl"),
        metrics=_lines(folder / "metrics.jsonl"),
        watched=_lines(folder / "watched.jsonl"),
        ledger=_lines(folder / "ledger.jsonl"),
        notes=_lines(folder / "notes.jsonl"),
        alarms=_lines(folder / "alarms.jsonl"),
        mistakes=_lines(folder / "mistakes.jsonl"),
        summary=_object(summary) if summary.is_file() else None,
        findings=tuple(f for path in sorted(folder.glob("audits/*.json")) for f in _findings(path)),
    )


def finding(plain: Any, *, file: Path, row: int) -> Finding:
    """A finding from JSON, where null stands for what JSON cannot write: no bound, no number."""
    if not isinstance(plain, dict):
        raise DataError(file, row=row, expected="a finding as an object", came=type(plain).__name__)
    low, high = plain.get("bound") or (None, None)
    values = {name: plain.get(name) for name in ("estimate", "low", "high")}
    for name, value in {**values, "bound": low, "bound ": high}.items():
        if value is not None and not isinstance(value, int | float):
            raise DataError(file, row=row, field=name.strip(), expected="numbers", came=repr(value))
    return Finding(
        audit=str(plain.get("audit", file.stem)),
        quantity=str(plain.get("quantity", "")),
        n=int(plain.get("n", 0)),
        bound=(-math.inf if low is None else low, math.inf if high is None else high),
        note=str(plain.get("note", "")),
        **{name: number(value) for name, value in values.items()},
    )


def _findings(path: Path) -> list[Finding]:
    found = _json(path.read_text(encoding="utf-8"), path)
    listed = found if isinstance(found, list) else [found]
    return [finding(plain, file=path, row=row) for row, plain in enumerate(listed)]


def _object(path: Path) -> Line:
    found = _json(path.read_text(encoding="utf-8"), path)
    if not isinstance(found, dict):
        raise DataError(path, expected="a JSON object", came=type(found).__name__)
    return found


def _lines(path: Path) -> tuple[Line, ...]:
    """The objects of a file of lines, less half a last line: a run may be killed as it writes."""
    if not path.is_file():
        return ()
    *whole, _half = path.read_text(encoding="utf-8").split("\n")
    rows = [(row, _json(text, path, row)) for row, text in enumerate(whole) if text.strip()]
    for row, plain in rows:
        if not isinstance(plain, dict):
            raise DataError(path, row=row, expected="a JSON object", came=type(plain).__name__)
    return tuple(plain for _, plain in rows)


def _json(text: str, path: Path, row: int | None = None) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(path, row=row, expected="JSON", came=error) from error


def _rows(path: Path) -> int:
    return pq.read_metadata(path).num_rows
