"""Files under way, on disk: a killed process finds them again and pays for none twice."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from solon.errors import RunError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call of a file, without its words.

    ``name`` is its custom_id, the address of its answer in the cache; ``number`` is the ledger's;
    ``tries`` were made before.

    Example:
        Row(name=call.key.hex(), logprobs=True, worst_in=812, worst_out=1, number=7)
    """

    name: str
    logprobs: bool
    worst_in: int
    worst_out: int
    number: int
    tries: int = 0

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One file, and what the server calls it and its batch, as far as that is known.

    ``tag`` is unique and goes into the batch's metadata: so a batch is found whose id was never
    written.

    Example:
        flights.write(flight, batch="batch_abc123")
    """

    tag: str
    rows: tuple[Row, ...]
    file: str = ""
    batch: str = ""


class Flights:
    """The files under way of one run, a JSON file each, which holds no prompt and no key.

    Example:
        Flights(run.dir / "batches").holding(keys)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, tag: str, rows: Sequence[Row]) -> Flight:
        return self.write(Flight(tag=tag, rows=tuple(rows)))

    def write(self, flight: Flight, **known: str) -> Flight:
        """The flight with what is known now, on disk whole or as it was before."""
        flight = replace(flight, **known)
        new = self.path(flight).with_suffix(".new")
        with new.open("wb") as file:
            file.write(orjson.dumps(flight))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path(flight))
        return flight

    def remove(self, flight: Flight) -> None:
        self.path(flight).unlink()
        self.lines(flight.tag).unlink(missing_ok=True)

    def holding(self, keys: Collection[bytes]) -> list[Flight]:
        """Those that one of these calls is in."""
        return [one for one in self.all() if any(row.key in keys for row in one.rows)]

    def all(self) -> Iterator[Flight]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield _flight(orjson.loads(path.read_bytes()))
            except (ValueError, KeyError, TypeError) as error:
                raise RunError(f"{path}: expected a file under way, got {error!r}") from error

    def tidy(self) -> None:
        """Drops files of lines that a kill kept from being written down as under way."""
        for lines in self.folder.glob("*.jsonl"):
            if not lines.with_suffix(".json").exists():
                lines.unlink()

    def path(self, flight: Flight) -> Path:
        """What is kept of the flight; without it nobody looks for its batch again."""
        return self.folder / f"{flight.tag}.json"

    def lines(self, tag: str) -> Path:
        """The file itself, which stands there until the server has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{tag}.jsonl"

    @staticmethod
    def tag() -> str:
        return uuid4().hex


def _flight(plain: dict[str, Any]) -> Flight:
    rows = tuple(Row(**row) for row in plain.pop("rows"))
    return Flight(**plain, rows=rows)
