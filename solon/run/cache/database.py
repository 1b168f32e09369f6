"""Replies in a PostgreSQL database, for all processes of many machines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg
from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    any_,
    bindparam,
    create_engine,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from solon.errors import RunError, SettingError
from solon.run.cache.file import File

__all__ = ["Database"]

T = TypeVar("T")

DRIVER = "postgresql+psycopg"
FORM = f"SOLON_CACHE: expected a file, or {DRIVER}://user@host/database"
PATIENCE = 60.0  # seconds for which a server that has answered before may be away
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds between two tries
AT_ONCE = 5000  # replies in one statement
MAKING = 0x50_4C_4F_4E  # the advisory lock under which the first process makes the table
# A server that is gone without a word is noticed within half a minute; the URL may say otherwise.
NOTICE = {"connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5"} | {
    "keepalives_count": "3", "tcp_user_timeout": "30000", "application_name": "solon"
}  # fmt: skip

REPLIES = Table(
    "solon_replies",
    MetaData(),
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)
FIND = select(REPLIES.c.key, REPLIES.c.value).where(
    REPLIES.c.key == any_(bindparam("keys", type_=ARRAY(LargeBinary)))
)
ADD = insert(REPLIES).on_conflict_do_nothing()


class Database:
    """A store in the table ``solon_replies``, which is made at first use.

    A server that has answered before and is away, or refuses, gets ``PATIENCE`` seconds to come
    back; one that never answered gets none. What a commit did not reach is put into a file of
    ``spills`` at once, so that a kill loses none of it, and goes to the database before
    anything else is asked of it. The password is in no message.
    """

    def __init__(self, place: str, *, spills: Path) -> None:
        url = read(place)
        self.name = public(url).render_as_string()
        self._secret = url.password or ""
        self._spill = File(spills / f"spill-{address(url)}.sqlite")
        self._met = False
        self._engine = create_engine(
            url,
            module=psycopg,
            connect_args={name: value for name, value in NOTICE.items() if name not in url.query},
            hide_parameters=True,
            pool_size=1,
            max_overflow=0,
        )

    def find(self, keys: Sequence[bytes], /) -> dict[bytes, bytes]:
        return self._patiently(partial(look_up, keys=keys))

    def add(self, replies: Mapping[bytes, bytes], /) -> None:
        self._patiently(partial(write, replies=replies), missed=partial(self._spill.add, replies))

    def close(self) -> None:
        self._engine.dispose()
        self._spill.close()

    def _patiently(
        self, work: Callable[[Connection], T], *, missed: Callable[[], None] = lambda: None
    ) -> T:
        """What the work brings, in a transaction; ``missed`` comes after each one that broke."""
        until = time.monotonic() + (PATIENCE if self._met else 0.0)
        pause = FIRST_PAUSE
        while True:
            try:
                return self._once(work)
            except DBAPIError as error:
                missed()
                if time.monotonic() >= until:
                    raise self._refused(error) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _once(self, work: Callable[[Connection], T]) -> T:
        met, self._met = self._met, False
        if not met:
            self._meet()
        with self._engine.begin() as connection:
            done = work(connection)
        self._met = True
        return done

    def _meet(self) -> None:
        """Makes the table where there is none, and brings what was spilt."""
        with self._engine.begin() as connection:
            if not inspect(connection).has_table(REPLIES.name):
                connection.execute(select(func.pg_advisory_xact_lock(MAKING)))
                REPLIES.create(connection, checkfirst=True)
        while some := self._spill.first(AT_ONCE):
            with self._engine.begin() as connection:
                write(connection, replies=some)
            self._spill.drop(some)  # only now: they are committed

    def _refused(self, error: DBAPIError) -> RunError:
        said = " ".join(str(error.orig).split())
        said = said.replace(self._secret, "***") if self._secret else said
        waits = f"; replies wait in {self._spill.path}, and go to it first next time"
        return RunError(
            f"{self.name}: expected a database that keeps replies, got {said}"
            f"{waits if self._spill.first(1) else ''}"
        )


def look_up(connection: Connection, *, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """The replies to those keys."""
    rows: dict[bytes, bytes] = {}
    for start in range(0, len(keys), AT_ONCE):
        some = list(keys[start : start + AT_ONCE])
        rows.update(connection.execute(FIND, {"keys": some}).all())
    return rows


def write(connection: Connection, *, replies: Mapping[bytes, bytes]) -> None:
    """Adds replies to keys that have none, in the order of keys: no two groups wait in a ring."""
    connection.execute(ADD, [{"key": key, "value": replies[key]} for key in sorted(replies)])


def read(place: str) -> URL:
    """The URL. Raises SettingError for another database or a password in the wrong place."""
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):  # whose messages may hold a piece of the password
        raise SettingError(f"{FORM}, got a URL that cannot be read") from None
    if url.drivername not in {"postgresql", DRIVER}:
        raise SettingError(f"{FORM}, got {url.drivername}://")
    if not url.database:
        raise SettingError(f"{FORM}, got no database")
    if "@" in (url.host or "") or any("password" in name for name in url.query):
        raise SettingError(
            f"{FORM}; a password goes before the @, its own @ as %40, or to ~/.pgpass"
        )
    return url.set(drivername=DRIVER)


def public(url: URL) -> URL:
    """Who and where, without the password and without options."""
    return URL.create(
        DRIVER, username=url.username, host=url.host, port=url.port, database=url.database
    )


def address(url: URL) -> str:
    """Twelve digits that stand for the database, whatever the password."""
    whole = public(url).set(query=url.query).render_as_string()
    return hashlib.blake2b(whole.encode(), digest_size=6).hexdigest()
