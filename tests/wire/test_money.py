"""Paid once: caps hold, a killed run repeats nothing, and every part of a request is in its key."""

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

from solon.engines.endpoint import Endpoint, Reply
from solon.engines.endpoint import client as client_module
from solon.errors import BudgetSpent, SettingError
from solon.records import Message, Prompt
from solon.run.cache import Cache
from solon.run.ledger import Ledger
from solon.run.run import Run
from tests.wire.server import Server, by_chance, only, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "FIRST_PAUSE", 0.002)


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


BASE = {"temperature": 0.7, "seed": 1}
PROMPT = Prompt(
    id="p", messages=(Message(role="system", text="Be fair."), Message(role="user", text="Hi?"))
)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"temperature": 0.8},
        {"top_p": 0.9},
        {"max_new_tokens": 11},
        {"seed": 2},
        {"extra": '{"stop": ["x"]}'},
        {"api": "completions"},
    ],
)
def test_each_setting_that_makes_the_reply_is_in_its_key(run: Run, change: dict):
    with serving() as server:
        spec = replace(priced(server), **BASE)
        spec.open(run).ask([PROMPT])
        spec.open(run).ask([PROMPT])
        assert len(server.bodies) == 1
        replace(spec, **change).open(run).ask([PROMPT])
        assert len(server.bodies) == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(PROMPT, messages=(Message(role="system", text="Be fair!"), PROMPT.messages[1])),
        replace(PROMPT, messages=(PROMPT.messages[0], Message(role="user", text="Ho?"))),
        replace(PROMPT, messages=PROMPT.messages[1:]),
        replace(PROMPT, messages=(Message(role="user", text="Be fair."), PROMPT.messages[1])),
        replace(PROMPT, id="q"),  # a draw of its own
    ],
)
def test_each_part_of_the_prompt_is_in_its_key(run: Run, changed: Prompt):
    with serving() as server:
        policy = replace(priced(server), **BASE).open(run)
        policy.ask([PROMPT])
        policy.ask([PROMPT])
        assert len(server.bodies) == 1
        policy.ask([changed])
        assert len(server.bodies) == 2


def test_the_server_the_sibling_and_the_logprobs_are_in_the_key(run: Run):
    with serving() as server, serving() as other:
        policy = priced(server).open(run)
        policy.ask([PROMPT])
        policy.ask([PROMPT], n=2)
        assert len(server.bodies) == 2
        policy.choose([PROMPT], ("1", "2"))
        replace(policy.spec, top_logprobs=5).open(run).choose([PROMPT], ("1", "2"))
        policy.choose([PROMPT], ("1", "2"), cue="So:")
        assert len(server.bodies) == 5
        priced(other).open(run).ask([PROMPT])
        assert len(other.bodies) == 1


def test_what_does_not_make_the_reply_is_not_in_the_key(run: Run):
    with serving() as server:
        spec = priced(server)
        spec.open(run).ask([PROMPT])
        named = replace(spec, name="judge", concurrency=3, timeout=9.0, attempts=2, price_out=2.0)
        named.open(run).ask([PROMPT])
        at_zero = replace(PROMPT, id="another id")
        spec.open(run).ask([at_zero])
    assert len(server.bodies) == 1


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
    assert Cache(cache).path.exists()


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
