"""Labels that cost money: estimated before, capped, told apart, and never paid twice."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from solon.bench.labelling import Labelling, Rows, estimate, label_file
from solon.bench.labelling.made import SERVING, made_by
from solon.bench.labelling.writing import Progress
from solon.engines.endpoint import Batches, Endpoint, wire
from solon.errors import BudgetSpent
from solon.judges.llm import LlmJudge
from solon.judges.logits import LogitJudge, LogitScore
from solon.judges.wrappers import BothOrders, Jury
from solon.run.cache import Cache
from solon.run.ledger import Ledger
from solon.run.run import Run
from tests.wire.server import Server, serving


def opinion(text: str) -> Mapping[str, float]:
    """Another probability for every question, always the same."""
    p = 0.05 + 0.9 * hashlib.blake2b(text.encode(), digest_size=2).digest()[0] / 255
    return {"1": math.log(p), "2": math.log(1 - p)}


def written(folder: Path, count: int) -> Rows:
    rows = [
        {"prompt": f"say {i}", "first": f"yes, number {i} " * (i % 9 + 1), "second": f"no {i}"}
        for i in range(count)
    ]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Rows(path=path)


def priced(server: Server, **settings: Any) -> Endpoint:
    spec = Endpoint(model="m", base_url=server.url, price_in=2.0, price_out=8.0, concurrency=8)
    return replace(spec, **settings)


def judge(server: Server, **settings: Any) -> BothOrders:
    return BothOrders(judge=LogitJudge(policy=priced(server, **settings)))


def label(
    folder: Path, rows: Rows, spec: Any, *, budget: float | None = None, seed: int = 0
) -> Path:
    with Run(folder / "out", cache=folder / "replies.sqlite", budget=budget, seed=seed) as run:
        return label_file(rows, Labelling(judge=spec), run)


def table(folder: Path) -> list[dict[str, Any]]:
    return [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


# -- before


def test_an_estimate_sends_nothing_and_is_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    rows = written(tmp_path, 150)
    with serving(Server(next_token=opinion)) as server:
        found = estimate(Labelling(judge=judge(server)), rows)
        assert server.bodies == []
        assert not (tmp_path / "out").exists()
        label(tmp_path, rows, judge(server))
        (total,) = Ledger(tmp_path / "out").totals()
        (tally,) = found.tallies
        assert tally.calls == total.calls == len(server.bodies) == 300
        assert tally.read == pytest.approx(total.tokens_in, rel=0.06)  # the server's: bytes / 4 + 1
        assert total.money is not None
        assert total.money <= 2.0e-6 * tally.most_read + 8.0e-6 * 8 * 300
        again = estimate(Labelling(judge=judge(server)), rows)
        assert (again.tallies[0].calls, again.tallies[0].paid) == (0, 300)
    said = str(found)
    assert "150 rows, 150 questions; nothing was sent" in said
    assert re.search(r"m@\w{6}: 300 calls\n  tokens in about [\d,]+ \(4 bytes each\)", said)
    assert "tokens out at most 300" in said
    assert f"money about {2e-6 * tally.read:.4g} for what is read" in said


def test_an_estimate_from_a_sample_is_near_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    rows = written(tmp_path, 900)
    with serving() as server:
        labelling = Labelling(judge=judge(server))
        whole = estimate(labelling, rows)
        monkeypatch.setattr("solon.bench.labelling.estimating.SAMPLE", 200)
        part = estimate(labelling, rows)
    assert (whole.scale, part.scale) == (1.0, 4.5)
    assert part.tallies[0].calls * part.scale == whole.tallies[0].calls
    assert part.tallies[0].read * part.scale == pytest.approx(whole.tallies[0].read, rel=0.03)
    assert "from 200 questions of rows drawn at random, scaled up" in str(part)


def test_every_call_of_a_judge_that_asks_more_than_once_is_in_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    rows = written(tmp_path, 20)
    with serving() as server:
        model = priced(server, max_new_tokens=30)
        jury = Jury(
            judges=(
                LogitJudge(policy=model, reason=True),
                LlmJudge(policy=replace(model, name="b")),
            )
        )
        found = estimate(Labelling(judge=jury), rows)
        assert [tally.calls for tally in found.tallies] == [40, 20]
        assert [tally.most_written for tally in found.tallies] == [20 * 31, 20 * 30]
        scale = LogitScore(policy=replace(model, prefill=True))  # "10" is looked at once more
        found = estimate(Labelling(judge=scale), replace(rows, ask="score"))
        assert found.tallies[0].calls == 80
        unpriced = LlmJudge(policy=Endpoint(model="x", base_url=server.url))
        assert "money unknown: set price_in" in str(estimate(Labelling(judge=unpriced), rows))
        assert server.bodies == []


# -- what made it

OTHERS: dict[str, Any] = {
    "api": "completions", "prefill": True, "extra": '{"stop": ["x"]}', "seed": 3,
    "batches": Batches(poll=1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", [one.name for one in fields(Endpoint)])
def test_every_setting_of_an_endpoint_makes_the_label_or_only_serves(name: str) -> None:
    spec = Endpoint(model="m")
    value = getattr(spec, name)
    other = OTHERS.get(name) or (f"{value}x" if isinstance(value, str) else (value or 0) + 1)
    one, two = (made_by(LlmJudge(policy=e), seed=0) for e in (spec, replace(spec, **{name: other})))
    assert (one == two) == (name in SERVING)


def test_provenance_changes_with_each_thing_that_makes_a_label(tmp_path: Path) -> None:
    mine = tmp_path / "mine.md"
    template = (Path(__file__).parents[2] / "solon/text/prompts/judge/pairwise_json.md").read_text()
    mine.write_text(template)
    base = LlmJudge(policy=Endpoint(model="m"), template=str(mine))
    made = [
        made_by(base, seed=0),
        made_by(base, seed=1),
        made_by(replace(base, ask="Which is kinder?"), seed=0),
        made_by(replace(base, form="line"), seed=0),
        made_by(replace(base, preamble="preamble/harmless"), seed=0),
        made_by(replace(base, constitution="harmless"), seed=0),
        made_by(BothOrders(judge=base), seed=0),
    ]
    mine.write_text(template + "\nBe quick.\n")
    made.append(made_by(base, seed=0))
    assert len(set(made)) == len(made)


def test_a_model_folder_that_changed_makes_other_labels(tmp_path: Path) -> None:
    from solon.engines.local import Transformer

    made = []
    for weights in (b"a" * 2**21, b"a" * 2**20 + b"b" * 2**20):
        (tmp_path / "model.safetensors").write_bytes(weights)
        made.append(made_by(LogitJudge(policy=Transformer(model=str(tmp_path))), seed=0))
    assert made[0] != made[1]


def test_a_folder_goes_on_with_other_patience_and_not_with_another_temperature(
    tmp_path: Path,
) -> None:
    rows = written(tmp_path, 10)
    with serving(Server(next_token=opinion)) as server:
        label(tmp_path, rows, judge(server))
        label(tmp_path, rows, judge(server, concurrency=3, timeout=9.0, attempts=2, price_in=3.0))
        with pytest.raises(Exception, match="other settings, files or another seed"):
            label(tmp_path, rows, judge(server, max_new_tokens=9))
    assert len(server.bodies) == 20


# -- the cap


def test_the_cap_holds_says_what_is_left_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    rows = written(tmp_path, 300)
    with serving(Server(next_token=opinion)) as server:
        whole = label(tmp_path / "free", rows, judge(server))
        money = Ledger(tmp_path / "free/out").spent
        server.bodies.clear()
        cap = money / 2
        with pytest.raises(BudgetSpent, match=f"budget {cap:.4f}: spent"):
            label(tmp_path, rows, judge(server), budget=cap)
        assert 0.8 * cap < Ledger(tmp_path / "out").spent <= cap
        notes = (tmp_path / "out/notes.jsonl").read_text()
        assert re.search(rf"of {cap:g} spent, [\d.e-]+ left; \d+ rows are labelled", notes)
        assert 0 < Progress.of(tmp_path / "out").rows < 300
        label(tmp_path, rows, judge(server), budget=10.0)
    assert table(tmp_path / "out/labels") == table(whole)
    assert max(Counter(map(orjson.dumps, server.bodies)).values()) == 1


# -- kill -9

NURSERY = """
import os, sys
from pathlib import Path
from solon.bench.labelling import Labelling, Rows, label_file
from solon.engines.endpoint import Endpoint
from solon.judges.logits import LogitJudge
from solon.judges.wrappers import BothOrders
from solon.run.run import Run

folder, url = Path(sys.argv[1]), sys.argv[2]

def label():
    model = Endpoint(model="m", base_url=url, price_in=2.0, price_out=8.0, concurrency=8)
    spec = Labelling(judge=BothOrders(judge=LogitJudge(policy=model)))
    with Run(folder / "out", cache=folder / "replies.sqlite") as run:
        label_file(Rows(path=folder / "rows.jsonl"), spec, run)

for line in sys.stdin:
    child = os.fork()  # everything is imported: a child begins at once
    if child == 0:
        label()
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""
KILLS = 20


@contextmanager
def nursery(folder: Path, server: Server) -> Iterator[Callable[[], tuple[int, Callable[[], int]]]]:
    """Begins a labelling in a process of its own; gives its number, and how to wait for its end."""
    command = [sys.executable, "-W", "ignore", "-c", NURSERY, str(folder), server.url]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True) as mother:
        assert mother.stdin
        told, heard = mother.stdin, mother.stdout

        def born() -> tuple[int, Callable[[], int]]:
            assert heard
            print("label", file=told, flush=True)
            return int(heard.readline()), lambda: int(heard.readline())

        yield born
        mother.stdin.close()


def address(server: Server, body: dict[str, Any]) -> bytes:
    return wire.call(f"{server.url}/chat/completions", body, 0, limit=1).key


def heard_by(server: Server, count: int) -> None:
    """Waits until so many requests have come: moments that no load of the machine can move."""
    until = time.monotonic() + 30
    while len(server.bodies) < count and time.monotonic() < until:
        time.sleep(0.001)


def test_twenty_kills_lose_nothing_and_repeat_no_reply_that_was_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    written(tmp_path, 700)
    marks: list[tuple[int, set[bytes]]] = []  # requests so far, and the replies that were on disk
    with (
        serving(Server(next_token=opinion, latency=0.02)) as server,
        nursery(tmp_path, server) as born,
    ):
        for _ in range(KILLS):
            child, died = born()
            heard_by(server, len(server.bodies) + int(rng.integers(0, 55)))
            time.sleep(rng.uniform(0.0, 0.03))
            os.kill(child, signal.SIGKILL)
            assert died() == signal.SIGKILL
            time.sleep(0.04)  # what was sent has reached the server by now
            keys = [address(server, body) for body in server.bodies]
            marks.append((len(keys), set(Cache(tmp_path / "replies.sqlite").get(keys))))
        _, died = born()
        assert died() == 0
    keys = [address(server, body) for body in server.bodies]
    assert 100 < len(marks[-1][1]) < 1400
    assert [k for seen, kept in marks for k in keys[seen:] if k in kept] == []
    ledger = Ledger(tmp_path / "out")
    (total,) = ledger.totals()
    assert 0 < total.in_doubt <= 8 * KILLS
    assert len(keys) <= total.calls <= len(keys) + total.in_doubt
    paid = sum(
        2.0 * (len(body["messages"][0]["content"]) // 4 + 1) + 8.0 * 8 for body in server.bodies
    )
    assert ledger.spent >= paid / 1e6  # what is in doubt is counted at its worst, never at nothing
    found = table(tmp_path / "out/labels")
    assert [row["row"] for row in found] == list(range(1, 701))
    with Run(tmp_path / "calm", cache=tmp_path / "replies.sqlite") as run:
        spec = replace(judge(server), judge=LogitJudge(policy=priced(server)))
        assert (
            table(label_file(Rows(path=tmp_path / "rows.jsonl"), Labelling(judge=spec), run))
            == found
        )
    assert ledger.totals()[0].calls == total.calls  # the calm run found every reply in the cache
