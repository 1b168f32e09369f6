"""Replies that were paid for once, addressed by everything that made them; shared by all runs."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from solon.errors import RunError

__all__ = ["Cache", "default_path"]

GROUP_SECONDS = 0.05
SCHEMA = """create table if not exists replies
            (key blob primary key, value blob not null, at integer not null) without rowid"""


def default_path() -> Path:
    """The file that SOLON_CACHE names, else ``~/.cache/solon/replies.sqlite``."""
    return Path(os.environ.get("SOLON_CACHE") or Path.home() / ".cache/solon/replies.sqlite")


class Cache:
    """Digest of a whole request -> the reply's bytes, in SQLite (WAL) with one commit per 50 ms.

    ``put`` returns at once; a reply counts as kept when ``flush`` has returned, which fsyncs. The
    first reply to a key stays. Safe across threads and processes; the file is made at first use.
    Raises RunError where the file is no cache or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: dict[bytes, bytes] = {}
        self._waiting_lock = threading.Lock()
        self._file: sqlite3.Connection | None = None
        self._file_lock = threading.Lock()
        self._writer: threading.Thread | None = None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The replies that are known, by key; unknown keys are left out."""
        found: dict[bytes, bytes] = {}
        try:
            with self._file_lock:
                for start in range(0, len(keys), 500):
                    some = keys[start : start + 500]
                    marks = ",".join("?" * len(some))
                    query = f"select key, value from replies where key in ({marks})"  # noqa: S608
                    found.update(self._opened().execute(query, some))
        except (sqlite3.Error, OSError) as error:
            raise self._broken(error) from error
        with self._waiting_lock:
            found.update((key, self._waiting[key]) for key in keys if key in self._waiting)
        return found

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps a reply with the next group commit."""
        with self._waiting_lock:
            self._waiting.setdefault(key, value)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, daemon=True)
                self._writer.start()

    def flush(self) -> None:
        """Returns when every reply put so far is on disk."""
        with self._file_lock:
            with self._waiting_lock:
                group = dict(self._waiting)
            if not group:
                return
            now = int(time.time())
            try:
                with self._opened() as file:
                    file.executemany(
                        "insert or ignore into replies values (?, ?, ?)",
                        [(key, value, now) for key, value in group.items()],
                    )
            except (sqlite3.Error, OSError) as error:
                raise self._broken(error) from error
            with self._waiting_lock:  # only now: a failed commit loses nothing
                for key in group:
                    del self._waiting[key]

    def close(self) -> None:
        """Flushes and lets go of the file; a later call opens it again."""
        self.flush()
        with self._file_lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write(self) -> None:
        """One commit a turn, for as long as replies keep coming."""
        while True:
            time.sleep(GROUP_SECONDS)
            with self._waiting_lock:
                if not self._waiting:
                    self._writer = None
                    return
            self.flush()

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # it holds prompts and completions
            self._file = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
            self._file.execute("pragma journal_mode=wal")
            self._file.execute("pragma synchronous=full")  # one fsync a group: cheap beside a bill
            self._file.execute(SCHEMA)
        return self._file

    def _broken(self, error: Exception) -> RunError:
        return RunError(
            f"{self.path}: expected a writable cache of replies, got {error}; "
            "move it away, or name another file with SOLON_CACHE"
        )
