"""A reply is paid for again where anything that made it changes, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.engines.endpoint import Batches, Endpoint, wire
from solon.records import Message, Prompt
from solon.run.run import Run
from tests.wire.server import Server, serving

PROMPT = Prompt(
    id="p", messages=(Message(role="system", text="Be fair."), Message(role="user", text="Hi?"))
)
REPLY = {"model", "base_url", "api", "extra"}  # what makes every reply
WRITTEN = REPLY | {"temperature", "top_p", "max_new_tokens", "seed"}  # and one that is drawn
CHOSEN = REPLY | {"prefill", "top_logprobs"}  # and the likeliest next words after a cue
SERVING = {"name", "key_env", "concurrency", "timeout", "attempts", "patience"} | {
    "price_in", "price_out", "batch", "batches"
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "api": "completions", "prefill": True, "extra": '{"stop": ["x"]}',
    "batch": True, "batches": Batches(poll=1.0),
}  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    monkeypatch.setenv("OPENAI_API_KEYx", "another's")
    with serving() as live:
        yield live


def spec(server: Server) -> Endpoint:
    return Endpoint(
        model="m", base_url=server.url, temperature=0.7, seed=1, price_in=1.0, price_out=1.0
    )


def asks_anew(run: Run, server: Server, one: Endpoint, other: Endpoint) -> set[str]:
    """Which of the two kinds of call are sent again where ``other`` asks after ``one``."""
    for model in (one, one, other):
        before = len(server.bodies)
        model.open(run).ask([PROMPT])
        between = len(server.bodies)
        model.open(run).choose([PROMPT], ("1", "2"), cue="So:")
        sent = {"written": between - before, "chosen": len(server.bodies) - between}
    return {kind for kind, count in sent.items() if count}


def test_every_setting_is_known_to_make_a_reply_or_only_to_serve():
    assert {f.name for f in fields(Endpoint)} == WRITTEN | CHOSEN | SERVING


@pytest.mark.parametrize("name", [f.name for f in fields(Endpoint)])
def test_each_setting_alone_asks_anew_where_it_makes_the_reply(run: Run, server: Server, name: str):
    base = spec(server)
    value = getattr(base, name)
    other = OTHERS.get(name) or (f"{value}x" if isinstance(value, str) else value + 1)
    if name == "base_url":
        other = server.url.replace("127.0.0.1", "localhost")  # the same server by another name
    if name == "top_p":
        other = 0.9
    expected = {"written"} if name in WRITTEN else set()
    expected |= {"chosen"} if name in CHOSEN else set()
    assert asks_anew(run, server, base, replace(base, **{name: other})) == expected


@pytest.mark.parametrize(
    "extra",
    [
        '{"stop": ["y"]}',
        '{"stop": "x"}',
        '{"stop": ["x"], "min_p": 0.1}',
        '{"temperature": 0.8, "stop": ["x"]}',
        '{"top_p": null, "stop": ["x"]}',
        '{"chat_template_kwargs": {"enable_thinking": false}, "stop": ["x"]}',
        "",
    ],
)
def test_each_field_of_extra_is_in_the_key(run: Run, server: Server, extra: str):
    base = replace(spec(server), extra='{"stop": ["x"]}')
    assert asks_anew(run, server, base, replace(base, extra=extra)) == {"written", "chosen"}


def test_the_order_of_extra_is_not_in_the_key(run: Run, server: Server):
    base = replace(spec(server), extra='{"stop": "x", "min_p": 0.1}')
    other = replace(base, extra='{"min_p": 0.1, "stop": "x"}')
    assert asks_anew(run, server, base, other) == set()


def test_another_key_for_the_same_account_asks_nothing_anew(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
):
    spec(server).open(run).ask([PROMPT])
    monkeypatch.setenv("OPENAI_API_KEY", "renewed")
    spec(server).open(run).ask([PROMPT])
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "changed",
    [
        replace(PROMPT, messages=(Message(role="system", text="Be fair!"), PROMPT.messages[1])),
        replace(PROMPT, messages=(PROMPT.messages[0], Message(role="user", text="Ho?"))),
        replace(PROMPT, messages=PROMPT.messages[1:]),
        replace(PROMPT, messages=(Message(role="user", text="Be fair."), PROMPT.messages[1])),
        replace(PROMPT, messages=(*PROMPT.messages, Message(role="assistant", text=""))),
        replace(PROMPT, id="q"),  # a draw of its own
    ],
)
def test_each_part_of_the_prompt_is_in_its_key(run: Run, server: Server, changed: Prompt):
    policy = spec(server).open(run)
    policy.ask([PROMPT])
    policy.ask([PROMPT])
    assert len(server.bodies) == 1
    policy.ask([changed])
    assert len(server.bodies) == 2


def test_an_id_is_in_no_key_where_nothing_is_drawn(run: Run, server: Server):
    policy = replace(spec(server), temperature=0.0, seed=None).open(run)
    policy.ask([PROMPT])
    policy.ask([replace(PROMPT, id="another")])
    assert len(server.bodies) == 1


def test_the_sibling_the_cue_and_the_kind_of_call_are_in_the_key(run: Run, server: Server):
    policy = replace(spec(server), temperature=0.0, seed=None).open(run)  # equal bodies
    policy.ask([PROMPT])
    policy.ask([PROMPT], n=2)
    assert len(server.bodies) == 2
    policy.choose([PROMPT], ("1", "2"))
    policy.choose([PROMPT], ("1", "2"), cue="So:")
    assert len(server.bodies) == 4


def test_the_draws_of_a_run_with_another_seed_are_its_own(run: Run, server: Server):
    unseeded = replace(spec(server), seed=None)
    unseeded.open(run).ask([PROMPT])
    run.seed += 1
    unseeded.open(run).ask([PROMPT])
    assert len(server.bodies) == 2


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
requests = st.tuples(
    st.text(), st.dictionaries(st.text(), plain, max_size=3), st.integers(0, 3)
)  # url, body, sibling


@given(one=requests, other=requests)
def test_two_requests_share_a_key_only_where_they_are_the_same(one: Any, other: Any):
    """Whatever a body holds, at any depth; the order of its fields is no part of it."""
    keys = [wire.call(*request, limit=1).key for request in (one, other)]
    told = [orjson.dumps(request, option=orjson.OPT_SORT_KEYS) for request in (one, other)]
    assert (keys[0] == keys[1]) == (told[0] == told[1])


@given(request=requests, name=st.text(), value=plain)
def test_one_more_field_is_another_key(request: Any, name: str, value: Any):
    url, body, index = request
    more = body | {name: value}
    same = orjson.dumps(more, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        body, option=orjson.OPT_SORT_KEYS
    )
    keys = [wire.call(url, asked, index, limit=1).key for asked in (body, more)]
    assert (keys[0] == keys[1]) == same
