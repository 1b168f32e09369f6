"""Files outlive the process that sent them: killed anywhere, nothing is paid twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from threading import Event
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from solon.cli import main
from solon.engines.endpoint import Batches, Endpoint
from solon.records import Prompt
from solon.run.ledger import Ledger
from solon.run.run import Run
from tests.wire.batch_server import BatchServer, batching
from tests.wire.server import by_chance

NURSERY = """
import os, signal, sys
from pathlib import Path
from solon.engines.endpoint import Batches, Endpoint, Reply, exchange
from solon.engines.endpoint.account import Account
from solon.engines.endpoint.batches import sending
from solon.engines.endpoint.batches.flights import Flights
from solon.engines.endpoint.batches.routes import Routes
from solon.records import Prompt
from solon.run.cache import Cache
from solon.run.ledger import Ledger
from solon.run.run import Run

folder, url = Path(sys.argv[1]), sys.argv[2]
exchange.FIRST_PAUSE = 0.002

def ask():
    spec = Endpoint(model="m", base_url=url, batch=True, attempts=30, price_in=0.0, price_out=1.0)
    spec = Endpoint(**{**vars(spec), "batches": Batches(poll=0.005, rows=25)})
    with Run(folder / "run", cache=folder / "replies.sqlite") as run:
        policy = spec.open(run)
        asked = [Prompt.of(f"row {i}") for i in range(100)]
        for few in (asked[:60], asked[40:]):  # the second asks for some of the first again
            assert all(isinstance(reply, Reply) for reply in policy.ask(few))

def dies(kind, name, when, count):
    work, calls = getattr(kind, name), []

    def once(*given, **named):
        calls.append(1)
        if len(calls) == count and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = work(*given, **named)
        if len(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(kind, name, once)

for line in sys.stdin:
    child = os.fork()  # everything is imported: a child begins at once
    if child == 0:
        if len(words := line.split()) > 1:
            kind, name, when, count = words
            dies(globals()[kind], name, when, int(count))
        ask()
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""
POINTS = (
    "upload", "upload done", "create", "create done", "look", "look done", "download",
    "download done",
)  # fmt: skip


@contextmanager
def nursery(folder: Path, server: BatchServer) -> Iterator[Callable[..., int]]:
    """Runs the work in a process of its own, and gives how it ended.

    ``server.kill`` ends it, or the process itself at the call that it is told.
    """
    command = [sys.executable, "-W", "ignore", "-c", NURSERY, str(folder), server.url]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True) as mother:
        assert mother.stdin
        told, heard = mother.stdin, mother.stdout

        born = Event()
        child = 0

        def lives(fate: str = "ask") -> int:
            nonlocal child
            assert heard
            born.clear()
            print(fate, file=told, flush=True)
            child = int(heard.readline())
            born.set()
            return int(heard.readline())

        def kill() -> None:
            born.wait(10)
            os.kill(child, signal.SIGKILL)

        server.kill = kill
        yield lives
        mother.stdin.close()


def settled(folder: Path, server: BatchServer) -> None:
    """Every row was paid once, and the ledger says no less than that."""
    assert set(server.paid) == {f"row {i}" for i in range(100)}
    assert set(server.paid.values()) == {1}
    assert Ledger(folder / "run").spent >= 100 * 8 * 0.5e-6 - 1e-12  # tokens at half the price


@pytest.mark.parametrize("point", POINTS)
def test_four_kills_at_one_point_pay_no_row_twice(tmp_path: Path, point: str):
    server, left = BatchServer(), [4]

    def strike(at: str) -> None:
        if at == point and left[0]:
            left[0] -= 1
            server.kill()
            time.sleep(0.01)  # nothing of the answer is heard

    server.point = strike
    with batching(server), nursery(tmp_path, server) as lives:
        ends = [lives() for _ in range(5)]
    assert ends[-1] == 0
    assert ends.count(signal.SIGKILL) == 4 - left[0] >= (2 if "create" in point else 3)
    settled(tmp_path, server)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "step",
    [
        ("Flights write", (1, 2, 3, 4)),  # before the file is sent, and with each id
        ("Account keep", (1, 30)),
        ("Cache flush", (1, 2)),
        ("Flights remove", (1, 2)),
        ("Account settle", (1, 30)),
        ("Flights new", (1, 2)),
    ],
)
def test_a_kill_at_each_thing_that_is_written_pays_no_row_twice(
    tmp_path: Path, step: tuple[str, tuple[int, ...]], when: str
):
    name, counts = step
    with batching() as server, nursery(tmp_path, server) as lives:
        ends = [lives(f"{name} {when} {count}") for count in counts]
        assert ends[0] == signal.SIGKILL
        assert lives() == 0
    settled(tmp_path, server)
    with batching() as other, Run(tmp_path / "run", cache=tmp_path / "replies.sqlite") as run:
        Endpoint(model="m", base_url=other.url, batch=True, batches=Batches(poll=0.01)).open(
            run
        ).ask([Prompt.of("one more")])
    assert list((tmp_path / "run" / "batches").iterdir()) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_kills_while_files_are_filled_charge_nothing_that_was_never_sent(tmp_path: Path, when: str):
    """Nor while that is put right: with a number in hand, all numbers, and half way to none."""
    with batching() as server, nursery(tmp_path, server) as lives:
        filling = [lives(f"sending row_of {when} 9"), lives("Flights new before 1")]
        mending = [lives(f"Ledger cancel {when} 1"), lives(f"sending row_of {when} 5")]
        mending += [lives(f"Flights drop {when} 1")]
        assert server.files == {}
        assert filling + mending == [signal.SIGKILL] * 5
        assert lives() == 0
    settled(tmp_path, server)
    (total,) = Ledger(tmp_path / "run").totals()
    assert (total.in_doubt, total.calls - total.failures) == (0, 100)
    assert total.money == pytest.approx(100 * 8 * 0.5e-6)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_while_a_file_without_a_batch_is_called_off_charges_nothing(
    tmp_path: Path, when: str
):
    with batching() as server, nursery(tmp_path, server) as lives:
        ends = [lives("Routes upload before 1")]
        ends += [lives(f"{step} {when} 1") for step in ("Ledger cancel", "Flights remove")]
        ends += [lives("Routes upload before 1"), lives(f"Flights remove {when} 1")]
        assert ends == [signal.SIGKILL] * 5
        assert lives() == 0
    settled(tmp_path, server)
    assert Ledger(tmp_path / "run").totals()[0].in_doubt == 0


def test_thirty_kills_anywhere_pay_no_row_twice_and_lose_none(tmp_path: Path):
    """Also while rows fail and go again, and while answers are lost on their way."""
    rng = np.random.default_rng(3)
    server = BatchServer(looks=4, fault=by_chance(4, **{"500": 0.2, "429": 0.1}))
    wait = [0]

    def strike(at: str) -> None:
        wait[0] -= 1
        if wait[0] == 0:
            server.kill()
            time.sleep(0.01)

    kills = 0
    with batching(server), nursery(tmp_path, server) as lives:
        for _ in range(30):
            wait[0] = int(rng.integers(1, 9))
            server.point = strike
            kills += lives() == signal.SIGKILL
        wait[0] = 0
        assert lives() == 0
    assert kills >= 15
    settled(tmp_path, server)


def rows_file(folder: Path, count: int) -> Path:
    rows = [{"prompt": f"say {i}", "first": f"yes {i}", "second": "no"} for i in range(count)]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def labels(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "labels").glob("*.parquet"))
    return [row for path in files for row in pq.read_table(path).to_pylist()]


def command(folder: Path, server: BatchServer, out: str, *more: str) -> list[str]:
    judge = f"judge.model=m judge.base_url={server.url}".split()
    where = ["label", str(folder / "rows.jsonl"), "--out", str(folder / out), "--on", "endpoint"]
    return [*where, *judge, *more]


FILES = ("judge.batch=true", "judge.batches.poll=0.01")


def test_solon_label_by_file_writes_what_it_writes_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows_file(tmp_path, 150)
    server = BatchServer(next_token=lambda text: {"1": -0.2 - len(text) % 7, "2": -1.0})
    with batching(server):
        for out, more in (("filed", FILES), ("alone", ())):
            monkeypatch.setenv("SOLON_CACHE", str(tmp_path / f"{out}.sqlite"))
            main(command(tmp_path, server, out, *more))
    assert [len(sent) for sent in server.sent] == [300]  # both orders of all rows in one file
    filed, alone = (labels(tmp_path / out) for out in ("filed", "alone"))
    assert len(filed) == 150
    assert filed == alone  # their provenance too: how a call is served makes no label
    assert "sent batch_0 of 300 calls" in capsys.readouterr().err


def test_a_dry_run_by_file_says_half_the_money(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "c.sqlite"))
    rows_file(tmp_path, 20)
    prices = ("judge.price_in=2", "judge.price_out=0", "--dry-run")
    said: list[float] = []
    with batching() as server:
        for more in ((), FILES):
            main(command(tmp_path, server, "labels", *more, *prices))
            text = capsys.readouterr().out
            said.append(float(text.split("money about ")[1].split()[0]))
    assert said[0] == pytest.approx(2 * said[1], rel=1e-3)
    assert not server.files


def test_an_interrupt_leaves_the_file_under_way_and_says_how_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows_file(tmp_path, 30)
    server = BatchServer(looks=10**6)
    with batching(server):
        words = command(tmp_path, server, "out", *FILES, "judge.price_in=1", "judge.price_out=1")
        surroundings = os.environ | {"SOLON_CACHE": str(tmp_path / "replies.sqlite")}
        whole = [sys.executable, "-c", "from solon.cli import main; main()", *words]
        with subprocess.Popen(whole, stderr=PIPE, text=True, env=surroundings) as child:
            until = time.monotonic() + 60
            while server.asked_at["look"] < 3 and time.monotonic() < until:
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            assert child.stderr
            said = child.stderr.read()
            assert child.wait(20) == 130
        assert "the same command comes back to batch_0 of 60 calls" in said
        assert "solon: stopped" in said
        server.looks = 0
        monkeypatch.setenv("SOLON_CACHE", surroundings["SOLON_CACHE"])
        main(words)
    assert "came back to batch_0 of 60 calls" in capsys.readouterr().err
    assert len(labels(tmp_path / "out")) == 30
    assert set(server.paid.values()) == {1}
    assert len(server.sent) == 1
