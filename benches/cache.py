"""What the cache of replies costs: a SQLite file, a PostgreSQL database, and both drivers bare.

    python benches/cache.py [--replies 20000] [--rounds 3]

Each row is the median of the rounds. The server is started for the bench, with fsync, on a socket
of this machine: a network's round trip comes on top of every commit and every question.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import psycopg

from solon.engines.endpoint import Reply
from solon.run.cache import Cache
from tests.run.postgres import PASSWORD, SETTINGS, Postgres, serving_postgres

Replies = dict[bytes, bytes]
Speeds = tuple[float, float]  # puts and gets a second
BATCH = 256  # keys of one question, as `run.map` asks


def replies(count: int) -> Replies:
    """As a judge's: twenty alternatives, 0.5 kB."""
    listed = tuple((str(i), -0.1 * i) for i in range(20))
    value = orjson.dumps(Reply(text="1", tokens_in=812, tokens_out=1, alternatives=listed))
    return {os.urandom(16): value for _ in range(count)}


def batches(keys: list[bytes]) -> list[list[bytes]]:
    return [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ours(place: Path | str, whole: Replies) -> Speeds:
    with closing(Cache(place)) as cache:
        cache.get([b"opens it"])

        def put() -> None:
            for key, value in whole.items():
                cache.put(key, value)
            cache.flush()

        def get() -> None:
            for some in batches(list(whole)):
                assert len(cache.get(some)) == len(some)

        return len(whole) / timed(put), len(whole) / timed(get)


def alone(place: Path | str) -> float:
    """Milliseconds of one reply's commit."""
    with closing(Cache(place)) as cache:
        cache.get([b"opens it"])

        def one() -> None:
            cache.put(os.urandom(16), b"v")
            cache.flush()

        return 1e3 * statistics.median(timed(one) for _ in range(50))


def bare_sqlite(path: Path, whole: Replies) -> Speeds:
    file = sqlite3.connect(path)
    file.execute("pragma journal_mode=wal")
    file.execute("pragma synchronous=full")
    file.execute("create table replies (key blob primary key, value blob) without rowid")
    with closing(file):

        def put() -> None:
            with file:
                file.executemany("insert into replies values (?, ?)", whole.items())

        def get() -> None:
            for some in batches(list(whole)):
                marks = ",".join("?" * len(some))
                question = f"select key, value from replies where key in ({marks})"
                assert len(file.execute(question, some).fetchall()) == len(some)

        return len(whole) / timed(put), len(whole) / timed(get)


def bare_psycopg(server: Postgres, whole: Replies) -> Speeds:
    server.execute("drop table if exists bare; create table bare (key bytea primary key, v bytea)")
    with psycopg.connect(
        host=str(server.folder), user="solon", password=PASSWORD, dbname="postgres"
    ) as connection:

        def put() -> None:
            with connection.cursor() as cursor:
                cursor.executemany("insert into bare values (%s, %s)", list(whole.items()))
            connection.commit()

        def get() -> None:
            for some in batches(list(whole)):
                question = "select key, v from bare where key = any(%s)"
                assert len(connection.execute(question, (some,)).fetchall()) == len(some)

        return len(whole) / timed(put), len(whole) / timed(get)


def median(rounds: int, measure: Callable[[], Speeds]) -> Speeds:
    puts, gets = zip(*[measure() for _ in range(rounds)], strict=True)
    return statistics.median(puts), statistics.median(gets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    whole = replies(arguments.replies)
    with tempfile.TemporaryDirectory() as name, serving_postgres(settings=SETTINGS) as server:
        numbers = iter(range(10_000))

        def new() -> Path:
            return Path(name) / f"{next(numbers)}.sqlite"

        rows: dict[str, Callable[[], Speeds]] = {
            "bare sqlite3": lambda: bare_sqlite(new(), whole),
            "Cache, SQLite file": lambda: ours(new(), whole),
            "bare psycopg": lambda: bare_psycopg(server, whole),
            "Cache, PostgreSQL": lambda: ours(server.database(), whole),
        }
        found = {row: median(arguments.rounds, measure) for row, measure in rows.items()}
        commits = {
            "Cache, SQLite file": alone(new()),
            "Cache, PostgreSQL": alone(server.database()),
        }
    print(f"{'':22}{'puts/s':>10}{'gets/s':>10}{'ms, one commit':>16}")
    for row, (puts, gets) in found.items():
        one = f"{commits[row]:.2f}" if row in commits else ""
        print(f"{row:22}{puts:10,.0f}{gets:10,.0f}{one:>16}")
    for mine, bare in (
        ("Cache, SQLite file", "bare sqlite3"),
        ("Cache, PostgreSQL", "bare psycopg"),
        ("Cache, PostgreSQL", "Cache, SQLite file"),
    ):
        put, get = (found[mine][i] / found[bare][i] for i in range(2))
        print(f"{mine} / {bare}: puts {put:.2f}, gets {get:.2f}")


if __name__ == "__main__":
    main()
