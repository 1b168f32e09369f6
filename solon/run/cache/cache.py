"""Replies wait here for their group's commit, whatever keeps them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from solon.errors import RunError, SettingError
from solon.run.cache.file import File

__all__ = ["Cache", "Store", "default_place"]

GROUP_SECONDS = 0.05
FOLDER = Path(".cache/solon")  # below the home folder


class Store(Protocol):
    """What keeps replies; one caller at a time. Raises RunError where it cannot."""

    def find(self, keys: Sequence[bytes], /) -> dict[bytes, bytes]:
        """The replies that are kept, by key; unknown keys are left out."""
        ...

    def add(self, replies: Mapping[bytes, bytes], /) -> None:
        """Returns when all are committed; the first reply to a key stays."""
        ...

    def close(self) -> None:
        """Lets go of files and connections; a later call opens them again."""
        ...


def default_place() -> Path | str:
    """What SOLON_CACHE names, a file or a database's URL; else ~/.cache/solon/replies.sqlite."""
    return os.environ.get("SOLON_CACHE") or Path.home() / FOLDER / "replies.sqlite"


def store_at(place: Path | str) -> Store:
    """The file, or the database where the place is a URL. Raises SettingError."""
    if "://" not in str(place):
        return File(Path(place))
    try:
        from solon.run.cache.database import Database
    except ImportError as error:
        raise SettingError(
            f"a cache in a database: needs SQLAlchemy and psycopg ({error}): "
            "pip install 'solon[postgres]'"
        ) from error
    return Database(str(place), spills=Path.home() / FOLDER)


class Cache:
    """Digest of a whole request -> the reply's bytes, with one commit per 50 ms.

    ``place`` is a SQLite file, or a PostgreSQL database's URL. ``put`` returns at once; a reply
    counts as kept when ``flush`` has returned. The first reply to a key stays. Safe across threads
    and processes; nothing is opened before its first use. Raises RunError where the place is no
    cache or takes no reply.

    Example:
        Cache("postgresql+psycopg://me@host/replies").get([call.key for call in calls])
    """

    def __init__(self, place: Path | str) -> None:
        self._store = store_at(place)
        self._store_lock = threading.Lock()
        self._waiting: dict[bytes, bytes] = {}
        self._waiting_lock = threading.Lock()
        self._writer: threading.Thread | None = None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The replies that are known, by key; unknown keys are left out."""
        with self._waiting_lock:
            waiting = {key: self._waiting[key] for key in keys if key in self._waiting}
        with self._store_lock:
            return waiting | self._store.find(keys)

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps a reply with the next group commit."""
        with self._waiting_lock:
            self._waiting.setdefault(key, value)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, daemon=True)
                self._writer.start()

    def flush(self) -> None:
        """Returns when every reply put so far is committed."""
        with self._store_lock:
            with self._waiting_lock:
                group = dict(self._waiting)
            if not group:
                return
            self._store.add(group)
            with self._waiting_lock:  # only now: a failed commit loses nothing
                for key in group:
                    del self._waiting[key]

    def close(self) -> None:
        """Flushes and lets go of the place; a later call opens it again."""
        try:
            self.flush()
        finally:
            with self._store_lock:
                self._store.close()

    def _write(self) -> None:
        """One commit a turn, for as long as replies keep coming."""
        while True:
            time.sleep(GROUP_SECONDS)
            with self._waiting_lock:
                if not self._waiting:
                    self._writer = None
                    return
            try:
                self.flush()
            except RunError:  # what waits goes on waiting, and the caller's own flush says why
                with self._waiting_lock:
                    self._writer = None
                return
