"""Paid once: caps hold, and a killed run repeats nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from solon.engines.endpoint import Endpoint, Reply, exchange
from solon.errors import BudgetSpent, SettingError
from solon.records import Prompt
from solon.run.ledger import Ledger
from solon.run.run import Run
from tests.wire.server import Server, by_chance, only, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "FIRST_PAUSE", 0.002)


def rows(count: int) -> list[Prompt]:
    return [Prompt.of(f"row {i}") for i in range(count)]


def priced(server: Server, **settings: object) -> Endpoint:
    spec = Endpoint(model="m", base_url=server.url, timeout=5.0, price_in=0.0, price_out=1000.0)
    return replace(spec, max_new_tokens=10, **settings)  # 8 tokens used: 0.008; worst case 0.010


def capped(folder: Path, budget: float) -> Run:
    return Run(folder / "run", cache=folder / "replies.sqlite", budget=budget)


def test_money_counts_what_was_used_and_the_worst_where_nobody_knows(run: Run):
    faults = {"no_usage": "row 1", "malformed": "row 2", "500": "row 3"}

    def fault(row: str, attempt: int) -> str:
        return next((f for f, r in faults.items() if r == row and attempt == 0), "ok")

    with serving(Server(fault=fault)) as server:
        priced(server).open(run).ask(rows(5))
    (total,) = run.ledger.totals()
    assert (total.calls, total.retries, total.failures) == (7, 2, 2)
    assert total.money == pytest.approx(5 * 0.008 + 0.002 + 0.010)  # no usage; malformed, at worst
    assert total.tokens_out == 4 * 8


def test_an_unknown_price_is_none_and_refuses_a_budget_at_once(run: Run, tmp_path: Path):
    with serving() as server:
        spec = Endpoint(model="m", base_url=server.url)
        spec.open(run).ask(rows(2))
        assert run.ledger.totals()[0].money is None
        with (
            capped(tmp_path / "capped", 1.0) as live,
            pytest.raises(SettingError, match="price_in and price_out"),
        ):
            spec.open(live)
    assert sum(server.asked.values()) == 2


def test_a_budget_stops_before_the_call_that_would_pass_it_and_resume_repeats_nothing(
    tmp_path: Path,
):
    shares = {"500": 0.05, "malformed": 0.05, "429": 0.05}
    with serving(Server(fault=by_chance(3, **shares), latency=0.005)) as server:
        with capped(tmp_path, 0.5) as live:
            with pytest.raises(BudgetSpent, match=r"budget 0\.5000: spent 0\.49"):
                priced(server, concurrency=8).open(live).ask(rows(100))
            assert 0.49 < live.ledger.spent <= 0.5
        first = sum(server.answered.values())
        assert 40 < first < 63
        with capped(tmp_path, 5.0) as live:
            answers = priced(server, concurrency=8).open(live).ask(rows(100))
            (total,) = live.ledger.totals()
    assert [answer.text for answer in answers] == [f"echo: row {i}" for i in range(100)]
    assert set(server.answered.values()) == {1}
    assert total.hits == first
    assert total.calls == sum(server.asked.values())
    assert total.money == pytest.approx(live.ledger.spent)


def test_hung_calls_are_counted_at_their_worst(tmp_path: Path):
    with serving(Server(fault=only("hang", attempts=range(99)), hang=1.0)) as server:
        with capped(tmp_path, 0.025) as live, pytest.raises(BudgetSpent):
            priced(server, timeout=0.1, attempts=9).open(live).ask(rows(1))
        assert sum(server.asked.values()) == 2
    assert live.ledger.spent == pytest.approx(0.02)


MIXED = {"500": 0.1, "429": 0.1, "malformed": 0.1, "reset": 0.05, "no_usage": 0.1, "hang": 0.03}


def billing(seed: int) -> tuple[Server, list[str]]:
    """A server of many faults, and the rows it would bill for: all but those it refused."""
    billed: list[str] = []
    chance = by_chance(seed, **MIXED)

    def fault(row: str, attempt: int) -> str:
        name = chance(row, attempt)
        if name not in {"500", "429"}:
            billed.append(row)
        return name

    return Server(fault=fault, latency=0.002, hang=0.5, retry_after="0.01"), billed


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("concurrency", [1, 8, 32])
def test_no_faults_and_no_number_of_calls_at_once_pass_a_cap_on_money(
    tmp_path: Path, seed: int, concurrency: int
):
    """By the server's own count, retries and resumes included."""
    server, billed = billing(seed)
    budget = 0.5
    with serving(server):
        for _ in range(2):
            with capped(tmp_path, budget) as live:
                spec = priced(server, concurrency=concurrency, timeout=0.2)
                with pytest.raises(BudgetSpent):
                    spec.open(live).ask(rows(70))
                (total,) = live.ledger.totals()
                assert budget - 0.01 < live.ledger.spent <= budget + 1e-9
    assert total.retries > 0
    assert len(billed) * 0.008 - 1e-9 <= total.money <= budget + 1e-9


@pytest.mark.parametrize("concurrency", [1, 8, 32])
def test_no_faults_and_no_number_of_calls_at_once_pass_a_cap_on_calls(
    tmp_path: Path, concurrency: int
):
    server, _ = billing(seed=7)
    with serving(server), Run(tmp_path / "run", cache=tmp_path / "replies.sqlite") as live:
        live.ledger.calls = 90
        with pytest.raises(BudgetSpent, match="cap of 90 calls"):
            priced(server, concurrency=concurrency, timeout=0.2).open(live).ask(rows(70))
        (total,) = live.ledger.totals()
    assert total.calls == 90
    assert 0 < total.retries < 90
    assert sum(server.asked.values()) <= 90


def into_the_next_batch(server: Server, answered: int) -> None:
    """Waits, ten seconds at most, until calls of the next batch have come."""
    until = time.monotonic() + 10
    while sum(server.asked.values()) <= answered + 4 and time.monotonic() < until:
        time.sleep(0.002)


CHILD = """
import sys
from pathlib import Path
from solon.engines.endpoint import Endpoint
from solon.records import Prompt
from solon.run.run import Run
folder, url = Path(sys.argv[1]), sys.argv[2]
with Run(folder / "run", cache=folder / "replies.sqlite") as run:
    policy = Endpoint(model="m", base_url=url, concurrency=8, price_in=0.0, price_out=1.0).open(run)
    for start in range(0, 400, 40):
        policy.ask([Prompt.of(f"row {i}") for i in range(start, start + 40)])
        print(start + 40, flush=True)
"""


def label(folder: Path, url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CHILD, str(folder), url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_kill_9_in_the_middle_and_resume_asks_nothing_again_that_was_kept(tmp_path: Path):
    with serving(Server(latency=0.03)) as server:
        with label(tmp_path, server.url) as child:
            assert child.stdout
            for line in child.stdout:
                if int(line) >= 120:
                    into_the_next_batch(server, 120)
                    os.kill(child.pid, signal.SIGKILL)
                    break
        kept = {row for row in server.answered if int(row.split()[1]) < 120}
        assert len(kept) == 120
        killed = len(server.answered)
        notes: list[str] = []
        doubt = Ledger(tmp_path / "run", note=notes.append).totals()[0].in_doubt
        assert 0 < doubt <= 8
        assert notes[0].startswith(f"{doubt} call")
        with label(tmp_path, server.url) as child:
            assert child.wait(60) == 0
    assert 120 <= killed < 400
    assert len(server.answered) == 400
    assert {server.answered[row] for row in kept} == {1}
    # at most the calls in flight and those of the last 50 ms were paid twice
    assert sum(server.answered.values()) <= 400 + 40
    totals = json.loads((tmp_path / "run" / "ledger.jsonl").read_text())
    assert totals["in_doubt"] == doubt
    # a call in doubt may never have reached the server
    assert 0 <= totals["calls"] - sum(server.asked.values()) <= doubt


PROMPT = Prompt.of("Hi?")


def test_two_runs_share_what_was_paid_for(tmp_path: Path):
    cache = tmp_path / "shared.sqlite"
    with serving() as server:
        for name in ("one", "two"):
            with Run(tmp_path / name, cache=cache) as live:
                (answer,) = priced(server).open(live).ask([PROMPT])
                assert isinstance(answer, Reply)
                money = live.ledger.totals()[0].money
    assert len(server.bodies) == 1
    assert money == 0.0
    assert cache.exists()


def test_an_interrupt_leaves_nothing_in_doubt_and_keeps_what_was_answered(tmp_path: Path):
    with serving(Server(latency=0.03)) as server:
        with label(tmp_path, server.url) as child:
            assert child.stdout
            child.stdout.readline()  # the first 40 are answered
            into_the_next_batch(server, 40)
            child.send_signal(signal.SIGINT)
            assert child.wait(20) != 0
        (total,) = Ledger(tmp_path / "run").totals()
        assert total.in_doubt == 0
        assert 0 < total.failures <= 8  # cut off in flight: counted at their worst
        cached = len(server.answered)
        with label(tmp_path, server.url) as child:
            assert child.wait(60) == 0
    assert 40 <= cached < 400
    assert sum(server.answered.values()) <= 400 + 8
