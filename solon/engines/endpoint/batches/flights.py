"""Files under way, on disk: a killed process finds them again and pays for none twice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO
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
        """The flight of a file that was filled, on disk before anything of it is sent."""
        flight = self.write(Flight(tag=tag, rows=tuple(rows)))
        self.part(tag).replace(self.lines(tag))
        return flight

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
        self.drop(flight.tag)

    def holding(self, keys: Collection[bytes]) -> list[Flight]:
        """Those that one of these calls is in."""
        return [one for one in self.all() if any(row.key in keys for row in one.rows)]

    def all(self) -> Iterator[Flight]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield _flight(orjson.loads(path.read_bytes()))
            except (ValueError, KeyError, TypeError) as error:
                raise RunError(f"{path}: expected a file under way, got {error!r}") from error

    @contextmanager
    def filling(self, tag: str) -> Generator[BinaryIO]:
        """A new file, to be filled, and until that is over not ``unsent``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.part(tag).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go of by the death of the process, too
            yield file

    def unsent(self) -> list[str]:
        """Tags of files that were begun and never became a flight: nothing of them was sent."""
        parts = [path for path in self.folder.glob("*.part") if not _held(path)]
        return [path.stem for path in parts if not path.with_suffix(".json").exists()]

    def drop(self, tag: str) -> None:
        """Forgets the lines of a file."""
        for path in (self.lines(tag), self.part(tag), self.part(tag).with_suffix(".new")):
            path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Drops lines that are left of a flight that is no more."""
        for lines in self.folder.glob("*.jsonl"):
            if not lines.with_suffix(".json").exists():
                lines.unlink(missing_ok=True)

    def path(self, flight: Flight) -> Path:
        """What is kept of the flight; without it nobody looks for its batch again."""
        return self.folder / f"{flight.tag}.json"

    def lines(self, tag: str) -> Path:
        """The file itself, which stands there until the server has it."""
        return self.folder / f"{tag}.jsonl"

    def part(self, tag: str) -> Path:
        """The same while it is filled: nothing of a file by this name was ever sent."""
        return self.folder / f"{tag}.part"

    @staticmethod
    def tag() -> str:
        return uuid4().hex


def _held(path: Path) -> bool:
    """Whether somebody fills the file at this moment."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # or it is gone by now
        return True
    return False


def _flight(plain: dict[str, Any]) -> Flight:
    rows = tuple(Row(**row) for row in plain.pop("rows"))
    return Flight(**plain, rows=rows)
