"""Calls of all copies are the one run's: its cap, its ledger, its cache, its notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from copied import Payer, asked, pair
from wire.server import Server, serving

from solon.engines.endpoint import Endpoint
from solon.engines.ray import OnRay, labelled
from solon.errors import BudgetSpent, EndpointError, SettingError
from solon.judges.logits import LogitJudge
from solon.records import Compare, Completion, Prompt
from solon.run.run import Run

pytestmark = pytest.mark.cluster

QUESTIONS = [pair(number) for number in range(12)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Server(next_token=by_length)) as live:
        yield live


def by_length(text: str) -> dict[str, float]:
    return {"1": -0.1 - len(text) % 7 / 10, "2": -2.0}


def judge(server: Server, **settings: Any) -> LogitJudge:
    spec = Endpoint(model="m", base_url=server.url, price_in=0.0, price_out=1000.0, timeout=5.0)
    return LogitJudge(policy=replace(spec, attempts=2, **settings))


def capped(folder: Path, budget: float | None = None) -> Run:
    return Run(folder / "run", cache=folder / "replies.sqlite", budget=budget)


def test_a_judge_behind_a_server_pays_from_the_one_run(
    cluster: Any, server: Server, tmp_path: Path
) -> None:
    with Run(tmp_path / "plain", cache=tmp_path / "other.sqlite") as run:
        alone = judge(server).open(run)(QUESTIONS)
        (plain,) = run.ledger.totals()
    server.asked.clear()
    with capped(tmp_path) as run:
        on_ray = OnRay(inner=judge(server), copies=2, cut=2).open(run)
        assert on_ray(QUESTIONS) == alone
        (total,) = run.ledger.totals()
        assert total == plain
        assert total.calls == sum(server.asked.values()) == 12
        assert on_ray(QUESTIONS) == alone  # a copy finds what another one asked
        (total,) = run.ledger.totals()
        assert (total.calls, total.hits) == (12, 12)


def test_no_call_passes_the_cap_and_what_was_paid_is_kept(
    cluster: Any, server: Server, tmp_path: Path
) -> None:
    server.asked.clear()
    with capped(tmp_path, budget=0.045) as run:  # a call costs 0.008; its worst case is 0.001
        on_ray = OnRay(inner=judge(server), copies=2, cut=1).open(run)
        with pytest.raises(BudgetSpent, match=r"^budget 0\.0450: spent"):
            on_ray(QUESTIONS)
        first = run.ledger.totals()[0]
        assert first.calls == sum(server.asked.values()) < 12
    with capped(tmp_path, budget=10.0) as run:
        judge(server).open(run)(QUESTIONS)  # without Ray: it is the same cache and ledger
        (total,) = run.ledger.totals()
        assert total.calls == sum(server.asked.values()) == 12
        assert total.hits == first.calls


def test_a_call_in_flight_when_its_copy_dies_counts_at_its_worst(
    cluster: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with capped(tmp_path, budget=20.0) as run:
        on_ray = OnRay(inner=Payer(log=str(log)), copies=2, cut=1).open(run)
        said = on_ray([*QUESTIONS, pair(99, "fatal")])
        assert len(said) == 13
        (total,) = run.ledger.totals()
        assert (total.calls, total.failures) == (14, 1)
        assert total.money == pytest.approx(13 * 0.5 + 1.0)
        assert run.ledger.spent == total.money
    assert [text for _, text in asked(log)].count("fatal") == 2


def test_errors_of_the_server_come_out_as_themselves(
    cluster: Any, server: Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = replace(judge(server), policy=Endpoint(model="m", base_url="http://127.0.0.1:9/v1"))
    dead = replace(nowhere.policy, attempts=1)
    with pytest.raises(EndpointError, match="^no server answers at http://127.0.0.1:9"):
        OnRay(inner=replace(nowhere, policy=dead)).open(run)(QUESTIONS)
    monkeypatch.setenv("MY_KEY", "a-key-of-mine")
    keyed = OnRay(inner=judge(server, key_env="MY_KEY"), env=("MY_KEY",), copies=1).open(run)
    assert len(keyed(QUESTIONS[:2])) == 2
    with pytest.raises(SettingError, match="^env: expected variables of this process, got 'NONE'"):
        OnRay(inner=judge(server), env=("NONE",)).open(run)


# Ray Data sets settings of its own that it has deprecated, whatever a caller does
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")
def test_a_ray_data_set_is_labelled_with_the_runs_cache_and_ledger(
    cluster: Any, server: Server, tmp_path: Path
) -> None:
    import ray

    rows = [{"prompt": f"p{i}", "first": "one" * i, "second": "two"} for i in range(10)]
    asked = [
        Compare(
            first=Completion(prompt=Prompt.of(row["prompt"]), text=row["first"]),
            second=Completion(prompt=Prompt.of(row["prompt"]), text=row["second"]),
        )
        for row in rows
    ]
    with capped(tmp_path, budget=1.0) as run:
        found = labelled(ray.data.from_items(rows), judge(server), run, workers=1, batch_size=4)
        found.write_parquet(str(tmp_path / "labels"))
        table = pq.read_table(tmp_path / "labels").sort_by("prompt")
        assert run.ledger.totals()[0].calls == 10
        alone = judge(server).open(run)(asked)
        assert run.ledger.totals()[0].calls == 10  # the cache has them
    assert table["p_first"].to_pylist() == [one.answer.p_first for one in alone]
    assert table["digest"].to_pylist() == [one.digest for one in alone]
    assert table["abstained"].null_count == 10
    assert table["first"].to_pylist() == [row["first"] for row in rows]
