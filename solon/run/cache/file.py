"""Replies in one SQLite file, for all processes of a machine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from solon.errors import RunError

__all__ = ["File"]

SCHEMA = """create table if not exists replies
            (key blob primary key, value blob not null, at integer not null) without rowid"""
AT_ONCE = 500  # keys in one question; SQLite takes no more than 999 everywhere
WAIT = 30  # seconds for which another process may hold the file


class File:
    """A store in SQLite (WAL); ``add`` returns after an fsync. The file is made at first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: sqlite3.Connection | None = None

    def find(self, keys: Sequence[bytes], /) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        with self._open() as file:
            for start in range(0, len(keys), AT_ONCE):
                some = keys[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"select key, value from replies where key in ({marks})"  # noqa: S608
                found.update(file.execute(query, some))
        return found

    def add(self, replies: Mapping[bytes, bytes], /) -> None:
        now = int(time.time())
        with self._open() as file, file:
            file.executemany(
                "insert or ignore into replies values (?, ?, ?)",
                [(key, value, now) for key, value in replies.items()],
            )

    def first(self, count: int) -> dict[bytes, bytes]:
        """As many replies as there are, up to ``count``; none from a file that was never made."""
        if not self.path.exists():
            return {}
        with self._open() as file:
            return dict(file.execute("select key, value from replies limit ?", (count,)))

    def drop(self, keys: Iterable[bytes]) -> None:
        """Forgets replies that are kept elsewhere."""
        with self._open() as file, file:
            file.executemany("delete from replies where key = ?", [(key,) for key in keys])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """The open file. Raises RunError for whatever goes wrong with it inside."""
        try:
            if self._file is None:
                self._file = self._connected()
            yield self._file
        except (sqlite3.Error, OSError) as error:
            raise RunError(
                f"{self.path}: expected a writable cache of replies, got {error}; "
                "move it away, or name another file with SOLON_CACHE"
            ) from error

    def _connected(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)  # it holds prompts and completions
        file = sqlite3.connect(self.path, timeout=WAIT, check_same_thread=False)
        try:
            _write_ahead(file)
            file.execute("pragma synchronous=full")  # one fsync a group: cheap beside a bill
            file.execute(SCHEMA)
        except BaseException:
            file.close()
            raise
        return file


def _write_ahead(file: sqlite3.Connection) -> None:
    """Turns write-ahead logging on. For this one lock SQLite itself does not wait, so that of
    several processes that make a file at the same moment all but one would be refused.
    """
    end = time.monotonic() + WAIT
    while True:
        try:
            file.execute("pragma journal_mode=wal")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return
