"""A shared database: it may go away and come back, and nothing that was paid for is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson
import psycopg
import pytest

from solon.cli import main
from solon.engines.endpoint import Endpoint
from solon.errors import RunError, SettingError
from solon.judges.llm import LlmJudge
from solon.records import Compare, Completion, Prompt
from solon.run.cache import Cache, database
from solon.run.cache.file import File
from solon.run.run import Run
from tests.run.postgres import PASSWORD, Postgres
from tests.wire.server import Server, serving

SECRETS = (PASSWORD, quote(PASSWORD), PASSWORD.split("@", maxsplit=1)[0])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine would keep its spill."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@contextmanager
def away(server: Postgres, how: str = "fast") -> Iterator[None]:
    server.stop(how)
    try:
        yield
    finally:
        server.start()


@contextmanager
def back_after(server: Postgres, seconds: float) -> Iterator[None]:
    """The server crashes now, and is back some time later."""
    server.stop("immediate")
    later = threading.Timer(seconds, server.start)
    later.start()
    try:
        yield
    finally:
        later.join()


def spilt(home: Path) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for path in (home / ".cache/solon").glob("spill-*.sqlite"):
        with closing(File(path)) as file:
            found |= file.first(1000)
    return found


def kept(url: str, *keys: bytes) -> dict[bytes, bytes]:
    with closing(Cache(url)) as cache:
        return cache.get(keys)


def told(error: pytest.ExceptionInfo[Exception]) -> str:
    """The line, which holds no part of the password."""
    line = str(error.value)
    assert "\n" not in line
    assert not [secret for secret in SECRETS if secret in line]
    return line


# -- gone and back


def test_a_connection_that_the_server_ends_is_opened_again(postgres: Postgres, url: str):
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'solon'"
    with closing(Cache(url)) as cache:
        assert cache.get([b"k"]) == {}
        assert len(postgres.execute(end)) == 1
        cache.put(b"k", b"v")
        cache.flush()
        postgres.execute(end)
        assert cache.get([b"k"]) == kept(url, b"k") == {b"k": b"v"}


def test_a_server_that_crashes_and_comes_back_is_waited_for(
    postgres: Postgres, url: str, home: Path
):
    with closing(Cache(url)) as cache:
        cache.put(b"before", b"1")
        cache.flush()
        with back_after(postgres, 0.5):
            cache.put(b"while", b"2")
            cache.flush()
            assert kept(url, b"before", b"while") == {b"before": b"1", b"while": b"2"}
        with back_after(postgres, 0.3):
            assert len(cache.get([b"before", b"while"])) == 2
    assert spilt(home) == {}


def test_a_server_that_stays_away_ends_in_one_line_and_loses_nothing(
    postgres: Postgres, url: str, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "PATIENCE", 0.3)
    cache = Cache(url)
    cache.get([b"k"])
    with away(postgres):
        began = time.monotonic()
        cache.put(b"k", b"v")
        with pytest.raises(RunError) as error:
            cache.flush()
        assert 0.3 <= time.monotonic() - began < 5
        line = told(error)
        assert line.startswith("postgresql+psycopg://solon@/replies")
        assert f"replies wait in {home}/.cache/solon/spill-" in line
        assert spilt(home) == {b"k": b"v"}
        cache.put(b"late", b"w")
        with pytest.raises(RunError, match="replies wait in"):  # at once: no second patience
            cache.close()
        assert spilt(home) == {b"k": b"v", b"late": b"w"}
    assert kept(url, b"k", b"late") == {b"k": b"v", b"late": b"w"}
    assert spilt(home) == {}


def test_kill_9_while_the_server_is_away_loses_nothing_that_waits_for_it(
    postgres: Postgres, url: str, home: Path
):
    code = (
        "import sys; from solon.run.cache import Cache; cache = Cache(sys.argv[1]); cache.get([])\n"
        "print('met', flush=True); sys.stdin.readline(); cache.put(b'k', b'v'); cache.flush()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stdin
        child.stdout.readline()
        with away(postgres):
            child.stdin.write(b"\n")
            child.stdin.flush()
            until = time.monotonic() + 20
            while not spilt(home) and time.monotonic() < until:
                time.sleep(0.02)
            os.kill(child.pid, signal.SIGKILL)
    assert kept(url, b"k") == {b"k": b"v"}


def test_a_reply_that_was_committed_first_stays_before_one_that_was_spilt(
    postgres: Postgres, url: str, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "PATIENCE", 0.0)
    cache = Cache(url)
    cache.get([])
    with away(postgres):
        cache.put(b"k", b"spilt")
        with pytest.raises(RunError):
            cache.close()
    monkeypatch.setenv("HOME", str(home / "elsewhere"))
    with closing(Cache(url)) as other:
        other.put(b"k", b"committed")
    monkeypatch.setenv("HOME", str(home))
    assert kept(url, b"k") == {b"k": b"committed"}
    assert spilt(home) == {}


def test_a_new_password_finds_what_was_spilt_under_the_old_one(url: str):
    old, new = (database.read(place) for place in (url, url.replace("correct", "other")))
    assert old.password != new.password
    assert database.address(old) == database.address(new)
    assert database.address(old) != database.address(old.set(host="h"))


# -- what is refused


def test_a_server_that_never_answered_is_given_no_patience(tmp_path: Path):
    place = f"postgresql+psycopg://solon:{quote(PASSWORD)}@/none?host={tmp_path}"
    began = time.monotonic()
    with pytest.raises(RunError, match="expected a database that keeps replies, got") as error:
        Cache(place).get([b"k"])
    assert time.monotonic() - began < 5
    told(error)


def test_a_wrong_password_is_not_told(url: str):
    with pytest.raises(RunError, match="password authentication failed") as error:
        Cache(url.replace("correct", "wrong")).get([b"k"])
    assert "wrong" not in told(error)


def test_a_table_of_another_shape_is_refused(postgres: Postgres, url: str):
    name = str(database.read(url).database)
    postgres.execute("create table solon_replies (key bytea primary key)", name)
    missing = r'column "?solon_replies.value"? does not exist'
    with closing(Cache(url)) as cache, pytest.raises(RunError, match=missing):
        cache.get([b"k"])


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("mysql://me:hidden@host/db", r"got mysql://$"),
        ("sqlite:///replies.sqlite", r"got sqlite://$"),
        ("postgresql+psycopg://me:hid:den@host:port/db", "got a URL that cannot be read"),
        ("://hidden", "got a URL that cannot be read"),
        ("postgresql+psycopg://me:hidden@host", "got no database"),
        ("postgresql+psycopg://me:hid@den@host/db", "its own @ as %40"),
        ("postgresql+psycopg://me@host/db?password=hidden", "a password goes before the @"),
    ],
)
def test_a_url_that_cannot_be_is_refused_in_one_line(place: str, says: str):
    form = r"^SOLON_CACHE: expected a file, or postgresql\+psycopg://user@host/database"
    with pytest.raises(SettingError, match=f"{form}.*{says}") as error:
        Cache(place)
    assert error.value.exit_code == 2
    assert error.value.__cause__ is None
    assert "hid" not in told(error)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "solon.run.cache.database")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingError, match=r"pip install 'solon\[postgres\]'$"):
        Cache("postgresql+psycopg://me@host/db")


def test_who_may_not_make_tables_may_use_one(postgres: Postgres, url: str):
    with closing(Cache(url)) as first:
        first.put(b"k", b"v")
    name = str(database.read(url).database)
    postgres.execute("create role clerk login password 'pen'")
    postgres.execute("grant select, insert on solon_replies to clerk", name)
    clerk = url.replace(f"solon:{quote(PASSWORD)}", "clerk:pen")
    with closing(Cache(clerk)) as cache:
        assert cache.get([b"k"]) == {b"k": b"v"}
        cache.put(b"new", b"w")
    assert kept(url, b"new") == {b"new": b"w"}
    with (  # it truly may not
        psycopg.connect(
            host=str(postgres.folder), user="clerk", password="pen", dbname=name
        ) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("create table other (key bytea)")


# -- runs


def pairs(count: int) -> list[Compare]:
    asked = [Prompt.of(f"row {i}") for i in range(count)]
    return [
        Compare(first=Completion(prompt=p, text="Ho"), second=Completion(prompt=p, text="Go"))
        for p in asked
    ]


def judged(folder: Path, url: str, server: Server, questions: list[Compare]) -> tuple[int, float]:
    """Calls and money of a run that asks an endpoint judge."""
    model = Endpoint(model="m", base_url=server.url, price_in=1.0, price_out=1.0, concurrency=4)
    with Run(folder, cache=url) as run:
        LlmJudge(policy=model).open(run)(questions)
        (total,) = run.ledger.totals()
    assert total.money is not None
    return total.calls, total.money


def test_what_one_machine_paid_for_costs_another_nothing(
    url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with serving() as server:
        calls, money = judged(tmp_path / "a", url, server, pairs(20))
        assert (calls, len(server.bodies)) == (20, 20)
        assert money > 0
        monkeypatch.setenv("HOME", str(home / "of-b"))
        assert judged(tmp_path / "b", url, server, pairs(25)) == (5, pytest.approx(money / 4))
        assert judged(tmp_path / "c", url, server, pairs(25)) == (0, 0.0)
        assert len(server.bodies) == 25


def test_a_crash_of_the_database_in_the_middle_of_a_run_pays_nothing_twice(
    postgres: Postgres, url: str, tmp_path: Path
):
    with serving(Server(latency=0.02)) as server:
        judged(tmp_path / "a", url, server, pairs(10))

        def crash() -> None:
            postgres.stop("immediate")
            time.sleep(0.3)
            postgres.start()

        crashing = threading.Timer(0.2, crash)
        crashing.start()
        judged(tmp_path / "a", url, server, pairs(120))
        crashing.join()
        assert judged(tmp_path / "b", url, server, pairs(120)) == (0, 0.0)
        assert len(server.bodies) == 120


def test_the_password_is_in_no_file_and_nothing_that_is_said(
    postgres: Postgres,
    url: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """A labelling by the command line, and again with more rows when the database is away."""
    monkeypatch.setenv("SOLON_CACHE", url)
    monkeypatch.setattr(database, "PATIENCE", 0.0)
    file = tmp_path / "rows.jsonl"
    rows = [{"prompt": f"say {i}", "first": "yes", "second": "no"} for i in range(4)]
    file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    with serving() as server:
        words = ["label", str(file), "--on", "endpoint", "judge.model=m"]
        words += [f"judge.base_url={server.url}", "--out"]
        main([*words, str(tmp_path / "one")])
        assert server.bodies
        with away(postgres), pytest.raises(SystemExit) as stopped:
            main([*words, str(tmp_path / "two")])
    assert stopped.value.code == 1
    out, err = capsys.readouterr()
    assert err.strip().splitlines()[-1].startswith("solon: postgresql+psycopg://solon@/replies")
    cache = Cache(url)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"manifest.json", "calls.jsonl"} <= {path.name for path in files}
    shown = out + err + repr(cache) + repr(vars(cache._store) | {"_secret": ""})
    for secret in SECRETS:
        assert secret not in shown
        assert not [path for path in files if secret.encode() in path.read_bytes()]
