"""Calls as files: in order, paid once, capped, and each row's fate its own."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from solon.engines.endpoint import Batches, Endpoint, Reply, exchange
from solon.engines.endpoint.batches import sending
from solon.engines.endpoint.batches.flights import Flights
from solon.engines.endpoint.batches.routes import Routes
from solon.errors import BudgetSpent, EndpointError, RunError, SettingError
from solon.records import Abstains, Prompt
from solon.run.display import Display
from solon.run.ledger import Ledger
from solon.run.run import Run
from tests.wire.batch_server import BatchServer, batching, first
from tests.wire.server import by_chance, only, serving

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "FIRST_PAUSE", 0.002)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def rows(count: int) -> list[Prompt]:
    return [Prompt.of(f"row {i}", id=f"r{i}") for i in range(count)]


def filed(server: BatchServer, *, poll: float = 0.002, **settings: Any) -> Endpoint:
    names = {"rows", "megabytes", "window", "share"}
    of_files = {name: settings.pop(name) for name in names & set(settings)}
    spec = Endpoint(
        model="m", base_url=server.url, batch=True, batches=Batches(poll=poll, **of_files)
    )
    return replace(spec, **({"timeout": 5.0} | settings))


def priced(server: BatchServer, **settings: Any) -> Endpoint:
    """At half the price: 8 tokens used cost 0.004, and a call's worst case is 0.005."""
    return filed(server, price_in=0.0, price_out=1000.0, max_new_tokens=10, **settings)


def capped(folder: Path, budget: float) -> Run:
    return Run(folder / "run", cache=folder / "replies.sqlite", budget=budget)


def texts(answers: Sequence[Reply | Abstains]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Reply)]


def echoes(count: int) -> list[str]:
    return [f"echo: row {i}" for i in range(count)]


def notes(run: Run) -> str:
    return (run.dir / "notes.jsonl").read_text()


def under_way(run: Run) -> list[Path]:
    return sorted((run.dir / "batches").glob("*"))


# -- what goes well


def test_replies_come_in_order_and_siblings_stay_together_whatever_the_files_order(run: Run):
    with batching() as server:
        groups = filed(server).open(run).sample(rows(30), n=2)
    assert [len(group.completions) for group in groups] == [2] * 30
    assert [group.completions[1].text for group in groups] == echoes(30)
    assert [len(sent) for sent in server.sent] == [60]
    assert server.sent[0][:4] == ["row 0", "row 0", "row 1", "row 1"]
    assert under_way(run) == []


def test_log_probabilities_come_by_file_too(run: Run):
    with batching() as server:
        (found,) = filed(server).open(run).choose(rows(1), ("1", "2"))
        (again,) = replace(filed(server), batch=False).open(run).choose(rows(1), ("1", "2"))
    assert found == again == pytest.approx((-0.2, -1.9))
    assert math.isclose(found[0], -0.2)
    assert server.bodies == []


@pytest.mark.parametrize("one_by_one_first", [True, False])
def test_a_reply_is_the_same_one_by_file_or_alone(run: Run, one_by_one_first: bool):
    with batching() as server:
        together, alone = filed(server), replace(filed(server), batch=False)
        order = (alone, together) if one_by_one_first else (together, alone)
        said = [texts(spec.open(run).ask(rows(5))) for spec in order]
    assert said == [echoes(5)] * 2
    assert (len(server.bodies), len(server.sent)) == ((5, 0) if one_by_one_first else (0, 1))
    assert run.ledger.totals()[0].hits == 5


def test_a_call_in_a_file_costs_half(run: Run):
    with batching() as server:
        priced(server).open(run).ask(rows(4))
        (total,) = run.ledger.totals()
        assert total.money == pytest.approx(4 * 0.004)
        assert (total.calls, total.failures, total.tokens_out) == (4, 0, 32)
        priced(server, share=1.0).open(run).ask([Prompt.of("another")])
    assert run.ledger.spent == pytest.approx(4 * 0.004 + 0.008)


@pytest.mark.parametrize(
    ("limits", "sizes"), [({"rows": 12}, [12, 12, 6]), ({"megabytes": 0.002}, [9, 9, 9, 3])]
)
def test_files_are_no_larger_than_may_be_and_all_under_way_at_once(
    run: Run, limits: dict[str, Any], sizes: list[int]
):
    seen: list[int] = []
    server = BatchServer(point=lambda at: seen.append(len(server.sent)) if at == "look" else None)
    with batching(server):
        assert texts(filed(server, **limits).open(run).ask(rows(30))) == echoes(30)
    assert [len(sent) for sent in server.sent] == sizes
    assert seen[0] == len(sizes)
    if "megabytes" in limits:
        uploaded = [server.files[batch["input_file_id"]] for batch in server.batches.values()]
        assert 1500 < max(map(len, uploaded)) <= 2000


def test_a_call_that_no_file_may_hold_costs_its_neighbours_nothing(run: Run):
    with batching() as server:
        long = Prompt.of("x" * 3000)
        one, two = filed(server, megabytes=0.002).open(run).ask([long, *rows(1)])
    assert isinstance(one, Abstains)
    assert re.fullmatch(r"a call of 3\d\d\d bytes, of 2000 in a file", one.reason)
    assert texts([two]) == ["echo: row 0"]


def test_progress_is_shown_and_what_was_sent_and_came_is_noted(tmp_path: Path):
    from io import StringIO

    from rich.console import Console

    heard = StringIO()
    display = Display(Console(file=heard, width=200))
    with (
        batching(BatchServer(looks=3)) as server,
        Run(tmp_path / "run", cache=tmp_path / "c.sqlite", display=display) as run,
    ):
        filed(server, name="j").open(run).ask(rows(9))
    assert "  batch 9/9" in heard.getvalue()
    assert re.search(r"j@\w{6}: sent batch_0 of 9 calls\n", heard.getvalue())
    assert re.search(r"j@\w{6}: batch_0 is back \(completed\), 9 of 9 answered\n", heard.getvalue())


def test_a_second_bar_on_a_terminal_is_no_mistake(tmp_path: Path):
    from io import StringIO

    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=StringIO(), force_terminal=True, width=100)
    with (
        batching(BatchServer(looks=3)) as server,
        Run(tmp_path / "run", cache=tmp_path / "c.sqlite", display=Display(console)) as run,
        Progress(console=console),  # as a labelling shows
    ):
        assert texts(filed(server).open(run).ask(rows(3))) == echoes(3)


# -- faults of the routes


@pytest.mark.parametrize(
    ("fault", "route"),
    [
        *product(["429", "500", "503", "reset"], ["upload", "create", "look", "download"]),
        ("empty", "upload"),
        ("empty", "look"),
    ],
)
def test_a_route_that_fails_for_a_while_costs_no_row_and_nothing_twice(
    run: Run, route: str, fault: str
):
    server = BatchServer(route_fault=first(3, fault, route=route))
    with batching(server):
        assert texts(filed(server).open(run).ask(rows(10))) == echoes(10)
    assert server.asked_at[route] > 3
    assert set(server.paid.values()) == {1}
    assert len(server.batches) == 1
    assert under_way(run) == []


def test_a_batch_whose_creation_was_never_answered_is_found_and_not_made_again(run: Run):
    """By its tag, pages away among newer batches of other people."""
    server = BatchServer(route_fault=first(1, "lost", route="create"))
    server.point = lambda at: server.others(7) if at == "create done" else None
    with batching(server):
        assert texts(filed(server).open(run).ask(rows(6))) == echoes(6)
    assert (server.asked_at["create"], server.asked_at["list"]) == (1, 3)
    assert set(server.paid.values()) == {1}


def test_a_download_that_breaks_off_is_begun_again(run: Run):
    server = BatchServer(route_fault=first(2, "truncated", route="download"))
    with batching(server):
        assert texts(filed(server).open(run).ask(rows(10))) == echoes(10)
    assert server.asked_at["download"] == 3


@pytest.mark.parametrize("route", ["upload", "create"])
@pytest.mark.parametrize(
    ("fault", "says"), [("400", "HTTP 400: fault at"), ("404", "no Batch API")]
)
def test_a_server_that_takes_no_files_costs_nothing(
    tmp_path: Path, route: str, fault: str, says: str
):
    server = BatchServer(route_fault=first(99, fault, route=route))
    with batching(server), capped(tmp_path, 1.0) as run:
        policy = priced(server).open(run)
        with pytest.raises(EndpointError, match=says):
            policy.ask(rows(5))
        assert run.ledger.spent == 0.0
        assert under_way(run) == []
        server.route_fault = first(0, "", route="")
        assert texts(policy.ask(rows(5))) == echoes(5)


def test_a_server_without_a_batch_api_gives_one_clear_line(run: Run):
    with (
        serving() as server,
        pytest.raises(EndpointError, match=r"/v1/files answered 404: .*no Batch API"),
    ):
        Endpoint(model="m", base_url=server.url, batch=True).open(run).ask(rows(2))


def test_where_nobody_knows_whether_a_batch_was_made_the_next_command_finds_out(tmp_path: Path):
    """Created, not answered, and the list is down: the call is not made again, but looked for."""

    def down(route: str, attempt: int) -> str:
        return {"create": "lost", "list": "500"}.get(route, "ok")

    server = BatchServer(route_fault=down)
    with batching(server):
        with capped(tmp_path, 1.0) as run, pytest.raises(EndpointError, match="fault at list"):
            priced(server, attempts=2).open(run).ask(rows(5))
        server.route_fault = first(0, "", route="")
        with capped(tmp_path, 1.0) as run:
            assert texts(priced(server).open(run).ask(rows(5))) == echoes(5)
            assert under_way(run) == []
    assert set(server.paid.values()) == {1}


def test_a_batch_that_is_looked_for_in_vain_is_sent_again_only_where_the_user_says_so(run: Run):
    with batching(BatchServer(looks=9)) as server:
        policy = filed(server).open(run)
        server.point = lambda at: server.batches.clear() if at == "look done" else None
        with pytest.raises(
            EndpointError, match="no such batch.*to send its calls again, delete"
        ) as e:
            policy.ask(rows(3))
        server.point = lambda at: None
        with pytest.raises(EndpointError, match="no such batch"):
            policy.ask(rows(3))
        assert len(server.sent) == 1
        Path(str(e.value).split("delete ")[1]).unlink()
        server.looks = 1
        assert texts(policy.ask(rows(3))) == echoes(3)


def test_looks_that_fail_in_a_row_end_the_wait_and_not_the_batch(run: Run):
    server = BatchServer(route_fault=first(3, "500", route="look"))
    with batching(server):
        policy = filed(server, attempts=3).open(run)
        with pytest.raises(
            EndpointError, match="batch_0: HTTP 500: fault at look, 3 looks in a row"
        ):
            policy.ask(rows(4))
        assert "the same command comes back to batch_0 of 4 calls" in notes(run)
        assert texts(policy.ask(rows(4))) == echoes(4)
    assert set(server.paid.values()) == {1}
    assert run.ledger.totals()[0].tokens_out == 32  # of a file sent by this process, all is known


def test_an_outage_is_counted_by_passes_and_not_by_files(run: Run):
    """Ten files meet one pass of 503s as one file does."""
    server = BatchServer(route_fault=first(20, "503", route="look"))
    with batching(server):
        assert texts(filed(server, rows=1, attempts=3).open(run).ask(rows(10))) == echoes(10)
    assert set(server.paid.values()) == {1}


def test_an_outage_that_lasts_ends_after_as_many_passes_as_there_are_attempts(run: Run):
    server = BatchServer(route_fault=first(10**6, "503", route="look"))
    with batching(server):
        policy = filed(server, rows=1, attempts=3).open(run)
        with pytest.raises(EndpointError, match="HTTP 503: fault at look, 3 looks in a row"):
            policy.ask(rows(4))
        assert server.asked_at["look"] == 3 * 4


def test_a_file_that_nobody_can_look_at_ends_no_wait_for_one_that_is_told_of(run: Run):
    """The second of two is silent in each pass, until it is alone."""
    server = BatchServer(looks=9)
    server.route_fault = lambda route, attempt: (
        "500" if route == "look" and attempt % 2 and attempt < 17 else "ok"
    )
    with batching(server):
        assert texts(filed(server, rows=1, attempts=3).open(run).ask(rows(2))) == echoes(2)


class Deaf(BatchServer):
    """Lists its first page whatever it is asked for, and says that there is more."""

    async def listed(self, request: web.Request) -> web.StreamResponse:
        if self.asked_at["list"] >= 50:
            return web.json_response({"error": {"message": "asked for ever"}}, status=400)
        return await super().listed(request.clone(rel_url=request.rel_url.update_query(after="")))


def test_a_list_that_never_ends_is_given_up_and_no_second_batch_is_made(tmp_path: Path):
    server = Deaf(route_fault=first(1, "lost", route="create"))
    server.point = lambda at: server.others(7) if at == "create done" else None
    with batching(server):
        for _ in range(2):
            with capped(tmp_path, 1.0) as run:
                with pytest.raises(EndpointError, match="the same batches over and over") as e:
                    priced(server).open(run).ask(rows(5))
                assert "\n" not in str(e.value)
        assert (server.asked_at["create"], len(server.sent)) == (1, 8)
        (kept,) = [path for path in under_way(run) if path.suffix == ".json"]
        assert kept.name in str(e.value)
        kept.unlink()
        server.point = lambda at: None
        with capped(tmp_path, 1.0) as run:
            assert texts(priced(server).open(run).ask(rows(5))) == echoes(5)
            assert under_way(run) == []
            # what may have been sent stays in doubt, at worst
            assert run.ledger.totals()[0].in_doubt == 5
            assert run.ledger.spent == pytest.approx(5 * 0.005 + 5 * 0.004)


def test_a_listed_batch_that_is_malformed_is_a_malformed_page(run: Run):
    server = BatchServer(route_fault=first(1, "lost", route="create"))

    def spoil(at: str) -> None:
        if at == "create done":
            server.batches["batch_0"]["id"] = "../.."

    server.point = spoil
    with batching(server), pytest.raises(EndpointError, match=r"/batches: malformed body \(Value"):
        filed(server, attempts=2).open(run).ask(rows(2))


# -- faults of the rows


@pytest.mark.parametrize(
    ("fault", "reason", "paid"),
    [
        ("400", "HTTP 400: fault 400", 0),
        ("404", "answered 404: no model 'm'", 0),
        ("429", "HTTP 429: fault 429, 2 times", 0),
        ("500", "HTTP 500: fault 500, 2 times", 0),
        ("filtered", "the server filtered the answer", 1),
        ("no_choices", "malformed body (IndexError), 2 times", 2),
        ("missing", "(completed) has no row for it, 2 times", 2),
        ("cut", "(completed) has no row for it, 2 times", 2),
        ("bare", "a row with neither answer nor error, 2 times", 2),
    ],
)
def test_a_bad_row_says_why_and_costs_no_neighbour(run: Run, fault: str, reason: str, paid: int):
    server = BatchServer(fault=only(fault, attempts=range(99), rows="row 1"))
    with batching(server):
        answers = filed(server, attempts=2).open(run).ask(rows(4))
    assert texts(answers) == ["echo: row 0", "echo: row 2", "echo: row 3"]
    assert isinstance(answers[1], Abstains)
    assert reason in answers[1].reason
    assert server.paid["row 1"] == paid
    assert {server.paid[f"row {i}"] for i in (0, 2, 3)} == {1}
    (total,) = run.ledger.totals()
    assert (total.calls, total.failures) == (3 + server.asked["row 1"], server.asked["row 1"])


def test_lines_that_are_doubled_foreign_or_no_json_are_counted_and_change_nothing(run: Run):
    strays = ("", "{", "[]", '{"custom_id": 7}', '{"custom_id": "ff"}', '{"custom_id": "no"}')
    shares = {"doubled": 0.3, "and_failed": 0.3}
    server = BatchServer(strays=strays, fault=by_chance(2, **shares))
    with batching(server):
        assert texts(filed(server).open(run).ask(rows(30))) == echoes(30)
    assert len(server.sent) == 1
    assert "3 unreadable" in notes(run)
    assert "2 of no call of ours" in notes(run)
    assert re.search(r"\d+ doubled", notes(run))


def test_every_row_is_answered_through_all_faults_and_the_ledger_counts_what_the_server_saw(
    tmp_path: Path,
):
    shares = {"500": 0.1, "429": 0.1, "no_choices": 0.1, "missing": 0.1, "cut": 0.1, "doubled": 0.1}
    server = BatchServer(fault=by_chance(1, **shares), strays=("{",))
    with batching(server), capped(tmp_path, 100.0) as run:
        answers = priced(server, rows=70, attempts=30).open(run).ask(rows(300))
        (total,) = run.ledger.totals()
    assert texts(answers) == echoes(300)
    assert total.calls == sum(server.asked.values()) > 300
    assert total.retries == total.failures == total.calls - 300
    assert total.money is not None
    assert sum(server.paid.values()) * 0.004 <= total.money + 1e-9


@pytest.mark.parametrize("poor", ["expired", "completed"])
def test_rows_that_expired_are_tried_again_as_the_attempts_allow(run: Run, poor: str):
    server = BatchServer(ends=lambda number: "expired" if number < 2 else poor)
    with batching(server):
        answers = filed(server, attempts=3).open(run).ask(rows(8))
    assert [len(sent) for sent in server.sent] == [8, 4, 2]
    assert texts(answers)[:6] == echoes(6)
    if poor == "expired":
        assert answers[7] == Abstains(reason="The batch expired., 3 times")
        assert sum(server.paid.values()) == 7
    else:
        assert texts(answers) == echoes(8)
    assert set(server.paid.values()) == {1}


def test_attempts_are_counted_over_commands(run: Run):
    server = BatchServer(ends=lambda number: "expired")
    server.route_fault = lambda route, attempt: (
        "500" if route == "look" and len(server.batches) == 2 else "ok"
    )
    with batching(server):
        with pytest.raises(EndpointError, match="batch_1: HTTP 500: fault at look, 2 looks"):
            filed(server, attempts=2).open(run).ask(rows(2))
        server.route_fault = first(0, "", route="")
        answers = filed(server, attempts=2).open(run).ask(rows(2))
    assert answers[1] == Abstains(reason="The batch expired., 2 times")
    assert server.sent == [["row 0", "row 1"], ["row 1"]]


def test_a_batch_that_was_cancelled_at_the_server_is_not_sent_again_by_itself(run: Run):
    server = BatchServer(ends=lambda number: "completed" if number else "cancelled")
    with batching(server):
        policy = filed(server).open(run)
        answers = policy.ask(rows(4))
        assert texts(answers) == echoes(2)
        assert answers[2] == Abstains(reason="The batch cancelled.")
        assert len(server.sent) == 1
        assert texts(policy.ask(rows(4))) == echoes(4)  # but by whoever asks again
    assert server.sent[1] == ["row 2", "row 3"]


def fault(code: str, line: int | None = None) -> dict[str, Any]:
    return {"code": code, "message": f"It is {code}.", "line": line, "param": None}


def test_a_row_that_the_validation_refuses_abstains_and_the_others_go_again(run: Run):
    def refuses(number: int, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
        places = [i for i, row in enumerate(sent, 1) if "row 2" in str(row["body"])]
        return [fault("invalid", place) for place in places]

    server = BatchServer(refuses=refuses)
    with batching(server):
        answers = filed(server).open(run).ask(rows(5))
    assert answers[2] == Abstains(reason="It is invalid.")
    assert texts(answers) == [text for text in echoes(5) if "2" not in text]
    assert [len(sent) for sent in server.sent] == [5, 4]


def test_a_file_that_the_validation_refuses_whole_costs_nothing_and_ends_the_run(tmp_path: Path):
    server = BatchServer(refuses=lambda number, sent: [fault("billing_hard_limit_reached")])
    with batching(server), capped(tmp_path, 1.0) as run:
        with pytest.raises(EndpointError, match=r"refused batch_0: It is billing_hard_limit"):
            priced(server).open(run).ask(rows(5))
        assert run.ledger.spent == 0.0
        assert under_way(run) == []


@pytest.mark.parametrize("secret", [SECRET, "gsk_ABCDEFGHIJKLMNOPQRSTUVWX"])
@pytest.mark.parametrize("code", ["invalid", "token_limit_exceeded"])
@pytest.mark.parametrize("line", [None, 1])
@pytest.mark.parametrize("before", [0, 180])  # there a message is cut within the key
def test_a_key_that_a_refused_batch_echoes_goes_nowhere(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
    code: str,
    line: int | None,
    before: int,
):
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    told = fault(code, line) | {"message": f"{'x ' * (before // 2)}The key {secret} is odd."}
    with (
        batching(BatchServer(key=secret, refuses=lambda number, sent: [told])) as server,
        Run(tmp_path / "run", cache=tmp_path / "c.sqlite") as run,
    ):
        policy = filed(server, attempts=2).open(run)
        if code == "invalid" and line is None:
            with pytest.raises(EndpointError, match="refused batch_0: .*The key") as e:
                policy.ask(rows(2))
            said = str(e.value)
        else:
            said = str(policy.ask(rows(2)))
            assert "The key" in said
    written = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*.*")]
    assert not [text for text in [said, *written] if secret[:9] in text]


def test_a_file_that_finds_too_much_under_way_goes_again(run: Run):
    crowded = [fault("token_limit_exceeded")]
    server = BatchServer(refuses=lambda number, sent: crowded if number < 2 else [])
    with batching(server):
        assert texts(filed(server).open(run).ask(rows(5))) == echoes(5)
        server.refuses = lambda number, sent: crowded
        (answer,) = filed(server, attempts=2).open(run).ask([Prompt.of("another")])
    assert answer == Abstains(reason="It is token_limit_exceeded., 2 times")


# -- the cap


def test_a_cap_is_never_passed_and_what_was_sent_comes_back_before_it_is_raised(tmp_path: Path):
    server = BatchServer()
    with batching(server):
        with capped(tmp_path, 0.102) as run:
            with pytest.raises(BudgetSpent, match=r"budget 0\.1020: spent 0\.1000"):
                priced(server).open(run).ask(rows(60))
            assert run.ledger.spent == pytest.approx(0.1)
            assert under_way(run) == []
        # as many as the worst case has room for, and again for what they left
        assert [len(sent) for sent in server.sent] == [20, 4, 1]
        with capped(tmp_path, 1.0) as run:
            assert texts(priced(server).open(run).ask(rows(60))) == echoes(60)
            (total,) = run.ledger.totals()
    assert set(server.paid.values()) == {1}
    assert total.money == pytest.approx(60 * 0.004)
    assert total.hits == 25


def test_a_cap_on_calls_holds_too(tmp_path: Path):
    server = BatchServer(fault=only("500", attempts=range(9)))
    with batching(server), Run(tmp_path / "run", cache=tmp_path / "c.sqlite") as run:
        run.ledger.calls = 25
        with pytest.raises(BudgetSpent, match="cap of 25 calls"):
            filed(server, rows=4).open(run).ask(rows(10))
    assert sum(server.asked.values()) == 25


def test_where_others_fill_the_budget_a_file_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with batching() as server, capped(tmp_path, 0.01) as run:
        other = run.ledger.send("other", worst=0.008)
        assert other is not None
        naps: list[float] = []

        def leave(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 1:
                run.ledger.settle(other, answered=True, money=0.0)

        monkeypatch.setattr(sending.time, "sleep", leave)
        assert texts(priced(server).open(run).ask(rows(1))) == echoes(1)
    assert naps[0] == sending.ROOM_PAUSE


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_is_under_way_is_reserved_and_not_spent_when_a_command_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
):
    """A call may cost 0.05 and costs 0.004: there is room for all ten, by six at most."""
    monkeypatch.setattr(sending, "time", None)  # room comes of landing: nobody waits for it
    server = BatchServer()

    def asked(run: Run) -> list[Reply | Abstains]:
        prices = {"price_in": 0.0, "price_out": 1000.0, "max_new_tokens": 100}
        return filed(server, attempts=2, **prices).open(run).ask(rows(10))

    with batching(server):
        if interrupted:
            server.route_fault = first(2, "500", route="look")
            with capped(tmp_path, 0.325) as run, pytest.raises(EndpointError, match="2 looks"):
                asked(run)
            server.point = lambda at: seen.append(run.ledger.spent) if at == "look" else None
        seen: list[float] = []
        with capped(tmp_path, 0.325) as run:
            assert texts(asked(run)) == echoes(10)
            assert run.ledger.spent == pytest.approx(10 * 0.004)
            assert run.ledger.totals()[0].in_doubt == 0
    assert [len(sent) for sent in server.sent] == [6, 4]
    assert set(server.paid.values()) == {1}
    assert seen[:2] == pytest.approx([0.0, 0.0] if interrupted else [])


def test_calls_of_a_file_that_was_never_sent_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Interrupted with the ninth number in hand: the budget has room for ten calls at worst."""
    whole, left = sending.row_of, [9]

    def stopped(*given: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(sending, "row_of", stopped)
    with batching() as server:
        with capped(tmp_path, 0.05) as run, pytest.raises(KeyboardInterrupt):
            priced(server).open(run).ask(rows(10))
        assert (server.files, len(under_way(run))) == ({}, 1)
        with capped(tmp_path, 0.05) as run:
            assert run.ledger.totals()[0].in_doubt == 9
            assert texts(priced(server).open(run).ask(rows(10))) == echoes(10)
            (total,) = run.ledger.totals()
    assert [len(sent) for sent in server.sent] == [10]
    assert (total.in_doubt, total.calls, total.failures) == (0, 19, 9)
    assert total.money == pytest.approx(10 * 0.004)
    again = Ledger(tmp_path / "run")
    assert (again.totals(), again.spent) == ([total], pytest.approx(10 * 0.004))


def test_a_file_that_was_not_uploaded_costs_nothing_where_its_calls_were_answered_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*given: Any) -> Any:
        raise KeyboardInterrupt

    with batching() as server:
        with (
            capped(tmp_path, 1.0) as run,
            monkeypatch.context() as for_now,
            pytest.raises(KeyboardInterrupt),
        ):
            for_now.setattr(Routes, "upload", stopped)
            priced(server).open(run).ask(rows(5))
        with capped(tmp_path, 1.0) as run:
            assert texts(replace(priced(server), batch=False).open(run).ask(rows(5))) == echoes(5)
            priced(server).open(run).ask([Prompt.of("another")])
            assert run.ledger.totals()[0].in_doubt == 0
            assert run.ledger.spent == pytest.approx(5 * 0.008 + 0.004)
            assert under_way(run) == []


def test_a_process_that_was_interrupted_may_go_on_with_the_whole_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*given: Any) -> Any:
        raise KeyboardInterrupt

    with batching() as server, capped(tmp_path, 0.005) as run:
        with monkeypatch.context() as for_now, pytest.raises(KeyboardInterrupt):
            for_now.setattr(sending, "row_of", stopped)
            priced(server).open(run).ask(rows(1))
        monkeypatch.setattr(sending, "time", None)  # or it would wait for ever
        assert texts(priced(server).open(run).ask(rows(1))) == echoes(1)


def test_a_file_that_somebody_fills_is_left_alone(tmp_path: Path):
    """Two judges of one run, in two threads."""
    with batching() as server, capped(tmp_path, 1.0) as run:
        flights = Flights(run.dir / "batches")
        with flights.filling("theirs") as file:
            number = run.ledger.send("other", worst=0.1, file="theirs")
            assert texts(priced(server).open(run).ask(rows(3))) == echoes(3)
            file.write(b"{}\n")
            assert run.ledger.calls_of("theirs") == [number]
            assert run.ledger.totals()[0].failures == 0
            assert len(under_way(run)) == 1
        priced(server).open(run).ask([Prompt.of("another")])
        assert under_way(run) == []
        assert run.ledger.totals()[0].failures == 1


# -- settings, and what is on disk


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rows": 0}, "rows: expected at least 1, got 0"),
        ({"megabytes": math.inf}, "megabytes: expected a positive number"),
        ({"poll": 0.0}, "poll: expected a positive number, got 0.0"),
        ({"share": 1.5}, "share: expected a share from 0 to 1"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], says: str):
    with pytest.raises(SettingError, match=says):
        Batches(**settings)


def test_a_file_under_way_that_is_not_ours_is_named(run: Run):
    (run.dir / "batches").mkdir()
    (run.dir / "batches" / "x.json").write_text('{"tag": 1}')
    with batching() as server, pytest.raises(RunError, match="x.json: expected a file under way"):
        filed(server).open(run).ask(rows(1))


def test_no_key_and_no_prompt_is_on_disk_while_a_file_is_under_way(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    held: list[bytes] = []

    def point(at: str) -> None:
        if at == "look":
            held.extend(path.read_bytes() for path in under_way(run))

    with batching(BatchServer(key=SECRET, point=point)) as server:
        policy = filed(server).open(run)
        assert texts(policy.ask(rows(3))) == echoes(3)
    assert b'"batch":"batch_0"' in held[0]
    assert not any(b"row 1" in content for content in held)
    files = [path for path in run.dir.parent.rglob("*") if path.is_file()]
    assert not [path for path in [*files] if SECRET.encode() in path.read_bytes()]
    assert SECRET.encode() not in b"".join(held)
    assert SECRET not in repr(policy.client)


def test_a_second_command_settles_what_the_first_one_left_under_way(tmp_path: Path):
    with batching(BatchServer(route_fault=first(2, "500", route="look"))) as server:
        with capped(tmp_path, 1.0) as run, pytest.raises(EndpointError):
            priced(server, attempts=2).open(run).ask(rows(5))
        with capped(tmp_path, 1.0) as run:
            assert run.ledger.spent == pytest.approx(5 * 0.005)  # in doubt: at worst
            assert texts(priced(server).open(run).ask(rows(5))) == echoes(5)
            assert run.ledger.spent == pytest.approx(5 * 0.004)
    (total,) = Ledger(tmp_path / "run").totals()
    assert (total.calls, total.in_doubt, total.tokens_out) == (5, 0, 40)
    assert total.money == pytest.approx(5 * 0.004)
    assert set(server.paid.values()) == {1}
