"""Every call ends answered or abstained with a reason, in order, whatever the server does."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from solon.engines.endpoint import Endpoint, Reply, exchange, wire
from solon.errors import EndpointError, SettingError
from solon.records import Abstains, Message, Prompt
from solon.run.run import Run
from solon.seams.feedback import Chooser, Policy
from tests.wire.server import Server, by_chance, only, serving

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "FIRST_PAUSE", 0.002)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def rows(count: int) -> list[Prompt]:
    return [Prompt.of(f"row {i}", id=f"r{i}") for i in range(count)]


def endpoint(server: Server, **settings: object) -> Endpoint:
    return replace(Endpoint(model="m", base_url=server.url, timeout=5.0), **settings)


def test_replies_come_in_order_and_siblings_stay_together(run: Run):
    with serving() as server:
        policy = endpoint(server).open(run)
        groups = policy.sample(rows(20), n=3)
    assert isinstance(policy, Policy)
    assert isinstance(policy, Chooser)
    assert [len(group.completions) for group in groups] == [3] * 20
    assert [g.completions[2].text for g in groups] == [f"echo: row {i}" for i in range(20)]
    assert sum(server.asked.values()) == 60
    assert {c.policy for g in groups for c in g.completions} == {policy.id}
    assert policy.id.startswith("m@")


def test_no_more_calls_are_in_flight_than_asked_for(run: Run):
    with serving(Server(latency=0.02)) as server:
        endpoint(server, concurrency=5).open(run).ask(rows(40))
    assert server.most_inside == 5


def test_every_row_is_answered_through_all_faults(run: Run):
    shares = {
        "429": 0.1, "429_bare": 0.03, "429_date": 0.02, "429_junk": 0.02, "500": 0.05,
        "503": 0.03, "408": 0.03, "hang": 0.02, "reset": 0.05, "truncated": 0.04,
        "slow": 0.02, "malformed": 0.05, "no_choices": 0.03,
    }  # fmt: skip
    with serving(Server(fault=by_chance(1, **shares), hang=3.0)) as server:
        policy = endpoint(server, timeout=0.4, attempts=12).open(run)
        answers = policy.ask(rows(300))
    assert texts(answers) == [f"echo: row {i}" for i in range(300)]
    (total,) = run.ledger.totals()
    # A busy machine may give a call up before the server has read it; it counts all the same.
    assert total.calls >= sum(server.asked.values()) > 300
    assert total.retries == total.failures == total.calls - 300


def test_the_ledger_counts_what_the_server_saw(run: Run):
    shares = {"429": 0.1, "500": 0.1, "truncated": 0.1, "malformed": 0.1, "no_choices": 0.1}
    with serving(Server(fault=by_chance(2, **shares))) as server:
        policy = endpoint(server, timeout=30.0, attempts=20).open(run)
        answers = policy.ask(rows(200))
    assert texts(answers) == [f"echo: row {i}" for i in range(200)]
    (total,) = run.ledger.totals()
    assert total.calls == sum(server.asked.values()) > 200
    assert total.retries == total.failures == total.calls - 200


def texts(answers: Sequence[Reply | Abstains]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Reply)]


def test_a_call_that_fails_for_good_costs_its_neighbours_nothing(run: Run):
    fault = only("malformed", attempts=range(99), rows="row 3")
    with serving(Server(fault=fault)) as server:
        policy = endpoint(server, attempts=3).open(run)
        groups = policy.sample(rows(8))
    texts = [g.completions[0].text for g in groups]
    assert texts == ["echo: row 0", "echo: row 1", "echo: row 2", ""] + [
        f"echo: row {i}" for i in range(4, 8)
    ]
    assert groups[3].completions[0].finish == "filter"
    assert policy.failures == {"r3": "malformed body (JSONDecodeError), 3 times"}
    assert server.asked["row 3"] == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("400", "HTTP 400: fault 400 for row 1"),
        ("302", "HTTP 302: fault 302 for row 1"),
        ("filtered", "the server filtered the answer"),
        ("500", "HTTP 500: fault 500 for row 1, 2 times"),
        ("reset", "the connection broke (ServerDisconnectedError), 2 times"),
        ("hang", "no answer within 0.3 s, 2 times"),
        ("slow", "no answer within 0.3 s, 2 times"),
        ("no_choices", "malformed body (IndexError), 2 times"),
        ("503_far", "HTTP 503: fault 503_far for row 1, 2 times"),
        ("403", "HTTP 403: fault 403 for row 1"),
        ("deep", 'HTTP 400: {"error": {"message": ' + "[" * 178),
        ("huge", "a body of more than 8388608 bytes, 2 times"),
        ("429", "rate-limited for 0.3 s"),
    ],
)
def test_a_failure_says_why(run: Run, fault: str, reason: str):
    with serving(Server(fault=only(fault, attempts=range(99), rows="row 1"), hang=1.0)) as server:
        policy = endpoint(server, attempts=2, timeout=0.3, patience=0.3).open(run)
        assert policy.ask(rows(2))[1] == Abstains(reason=reason)


def test_whatever_an_answer_does_to_its_reader_costs_itself_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    real = wire.read

    def reads(body: bytes, *, logprobs: bool) -> Reply | Abstains:
        if b"row 1" in body:
            raise RecursionError
        return real(body, logprobs=logprobs)

    monkeypatch.setattr(wire, "read", reads)
    with serving() as server:
        answers = endpoint(server, attempts=2).open(run).ask(rows(3))
    assert answers[1] == Abstains(reason="malformed answer (RecursionError), 2 times")
    assert texts(answers) == ["echo: row 0", "echo: row 2"]


def test_bytes_that_are_none_leave_the_tokens_own_text(run: Run):
    with serving(Server(fault=only("odd_bytes", rows="row 1"))) as server:
        policy = endpoint(server).open(run)
        found = policy.choose(rows(2), ("1", "2"))
    assert not isinstance(found[1], Abstains)
    assert server.asked["row 1"] == 1


def test_an_empty_account_stops_all_and_labels_nothing_as_abstained(run: Run):
    with (
        serving(Server(fault=only("402", attempts=range(99), rows="row"))) as server,
        pytest.raises(EndpointError, match="the account's quota is spent"),
    ):
        endpoint(server).open(run).ask(rows(20))
    assert sum(server.asked.values()) <= 20


def test_who_is_forbidden_everything_is_told_of_the_key(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with (
        serving(Server(fault=only("403", attempts=range(99)))) as server,
        pytest.raises(EndpointError, match="answered 403: the key in OPENAI_API_KEY is"),
    ):
        endpoint(server, attempts=2).open(run).ask(rows(5))


def test_half_a_key_is_not_told_either(run: Run, monkeypatch: pytest.MonkeyPatch):
    secret = "gsk_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    with serving(Server(key=secret, fault=only("leak_late", rows="row 1"))) as server:
        told = endpoint(server).open(run).ask(rows(2))[1]
    assert isinstance(told, Abstains)
    assert "gsk" not in told.reason
    assert len(told.reason) <= 220


def test_failures_are_asked_again_and_answers_are_not(run: Run):
    with serving(Server(fault=only("filtered", rows="row 1"))) as server:
        policy = endpoint(server).open(run)
        first, second = policy.ask(rows(2)), policy.ask(rows(2))
    assert isinstance(first[1], Abstains)
    assert isinstance(second[1], Reply)
    assert server.asked == {"row 0": 1, "row 1": 2}


def test_stray_429s_do_not_use_up_the_error_retries(run: Run):
    with serving(Server(fault=only("429_bare", attempts=range(7)))) as server:
        policy = endpoint(server, attempts=1).open(run)
        assert all(isinstance(answer, Reply) for answer in policy.ask(rows(3)))
    assert set(server.asked.values()) == {8}


def test_a_stray_429_leaves_the_shared_window_alone_and_a_share_cuts_it(run: Run):
    with serving(Server(fault=only("429", rows="row 3"))) as server:
        policy = endpoint(server, concurrency=16).open(run)
        policy.ask(rows(30))
        assert policy.client.serve.gate.window == 16
    with serving(Server(fault=only("429"))) as server:
        policy = endpoint(server, concurrency=16).open(run)
        policy.ask(rows(30))
        assert policy.client.serve.gate.pace.rate < math.inf


def test_retry_after_is_honoured_by_the_call_that_got_it_only(run: Run):
    with serving(Server(fault=only("429", rows="row 0"), retry_after="0.5")) as server:
        policy = endpoint(server, concurrency=1).open(run)
        began = time.monotonic()
        policy.ask(rows(1) + [Prompt.of(f"other {i}") for i in range(5)])
        assert time.monotonic() - began > 0.5
    seen = [body["messages"][0]["content"] for body in server.bodies]
    assert seen[0] == seen[-1] == "row 0"
    assert len(seen) == 7


def test_equal_prompts_in_one_batch_are_asked_once(run: Run):
    with serving() as server:
        answers = endpoint(server).open(run).ask([Prompt.of("same")] * 5)
    assert server.asked == {"same": 1}
    assert len(set(answers)) == 1
    assert run.ledger.totals()[0].hits == 4


def test_siblings_get_seeds_of_their_own_and_the_run_decides_them(run: Run):
    with serving() as server:
        endpoint(server, temperature=1.0).open(run).ask(rows(2), n=2)
        endpoint(server, temperature=0.0).open(run).ask(rows(1))
    seeds = [body.get("seed") for body in server.bodies]
    assert len(set(seeds[:4])) == 4
    assert all(isinstance(seed, int) and 0 <= seed < 2**31 for seed in seeds[:4])
    assert seeds[4] is None


def test_a_wrong_key_gives_one_clear_line(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MY_KEY", SECRET)
    with serving(Server(key="another")) as server:
        policy = endpoint(server, key_env="MY_KEY").open(run)
        with pytest.raises(
            EndpointError, match="answered 401: the key in MY_KEY is wrong"
        ) as caught:
            policy.ask(rows(200))
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_missing_key_names_the_variable_to_set(run: Run, monkeypatch: pytest.MonkeyPatch):
    says = "401: set the environment variable OPENAI_API_KEY"
    with serving(Server(key="another")) as server, pytest.raises(EndpointError, match=says):
        endpoint(server).open(run).ask(rows(1))
    with pytest.raises(SettingError, match="set the environment variable OPENAI_API_KEY"):
        Endpoint(model="gpt-4o-mini").open(run)


def test_an_unknown_model_gives_one_clear_line(run: Run):
    says = "404: no model 'm', or no such path"
    with serving(Server(model="other")) as server, pytest.raises(EndpointError, match=says):
        endpoint(server).open(run).ask(rows(50))


def test_a_server_that_is_not_there_stops_the_run(run: Run):
    with serving() as server:
        pass
    with pytest.raises(EndpointError, match="no server answers at http://127"):
        endpoint(server, attempts=2).open(run).ask(rows(5))


def test_the_key_is_in_no_file_no_note_and_no_repr(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    fault = only("leak", rows="row 3")  # a server that sends our header back
    with serving(Server(key=SECRET, fault=fault)) as server:
        policy = endpoint(server).open(run)
        answers = policy.ask(rows(5))
        server.key = "changed"
        with pytest.raises(EndpointError) as caught:
            policy.sample([Prompt.of("after the key changed")])
    assert answers[3] == Abstains(reason="HTTP 400: bad header Bearer ***")
    run.ledger.close()
    run.cache.close()
    shown = [str(caught.value), repr(policy.client), repr(policy.spec), repr(policy.failures)]
    assert SECRET not in "".join(shown)
    files = [path for path in run.dir.parent.rglob("*") if path.is_file()]
    assert {"calls.jsonl", "replies.sqlite", "ledger.jsonl"} <= {path.name for path in files}
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"base_url": "api.example.com"}, "base_url: expected http"),
        ({"base_url": "http://me:pass@host/v1"}, "^base_url: expected no credentials in it; put"),
        ({"base_url": "http://me:pass@[::1/v1"}, "^base_url: expected no credentials in it; put"),
        ({"base_url": "http://host/v1?key=1"}, "^base_url: expected no credentials in it; put"),
        ({"concurrency": 0}, "concurrency: expected at least 1"),
        ({"timeout": 0.0}, "timeout: expected a positive number"),
        ({"extra": "[1]"}, "extra: expected an object without"),
        ({"extra": '{"n": 4}'}, "extra: expected an object without"),
        ({"extra": "{"}, "extra: expected a JSON object"),
        ({"price_in": 1.0}, "price_in=1.0, price_out=None: expected both"),
        ({"price_in": math.nan, "price_out": 1.0}, "price_in=nan, price_out=1.0: expected both"),
        ({"temperature": math.nan}, "temperature: expected 0 or more, got nan"),
        ({"base_url": "http://[::1/v1"}, "base_url: expected http.*Invalid IPv6"),
        ({"base_url": "http://host:99999/v1"}, "base_url: expected http.*Port out of range"),
        ({"base_url": "http://host:port/v1"}, "base_url: expected http.*Port could not"),
    ],
)
def test_a_wrong_setting_is_refused_before_any_call(run: Run, settings: dict, says: str):
    spec = Endpoint(model="m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(SettingError, match=says):
        replace(spec, **settings).open(run)


def test_a_raw_prompt_is_never_put_into_a_chat(run: Run):
    raw = Prompt.of("once upon", role="text")
    with serving() as server:
        with pytest.raises(SettingError, match="raw text, not a chat: use api=completions"):
            endpoint(server).open(run).ask([raw])
        (answer,) = endpoint(server, api="completions").open(run).ask([raw])
    assert answer.text == "echo: once upon"
    assert server.bodies[0]["prompt"] == "once upon"


def test_extra_fields_are_merged_and_null_removes(run: Run):
    system = Prompt(
        id="p", messages=(Message(role="system", text="s"), Message(role="user", text="u"))
    )
    with serving() as server:
        spec = endpoint(server, extra='{"stop": ["\\n"], "temperature": null}', max_new_tokens=7)
        spec.open(run).ask([system])
    (body,) = server.bodies
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "top_p": 1.0,
        "max_tokens": 7,
        "stop": ["\n"],
    }
