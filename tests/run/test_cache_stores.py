"""Replies are kept alike in a file and in a shared database: each test runs on both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solon.run.cache import Cache


@pytest.fixture(params=["file", "database"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if request.param == "file":
        return str(tmp_path / "deep" / "replies.sqlite")
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def opened(place: str) -> Iterator[Callable[[], Cache]]:
    """Opens the place once more; all are closed in the end."""
    with ExitStack() as caches:
        yield lambda: caches.enter_context(closing(Cache(place)))


def kept(place: str, keys: list[bytes]) -> dict[bytes, bytes]:
    """What another process would find."""
    with closing(Cache(place)) as cache:
        return cache.get(keys)


def child(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    whole = f"import sys; from solon.run.cache import Cache; cache = Cache(sys.argv[1])\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", whole, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


Open = Callable[[], Cache]


def test_a_reply_is_found_at_once_and_after_reopening(place: str, opened: Open):
    cache = opened()
    cache.put(b"k", b"v")
    assert cache.get([b"k", b"other"]) == {b"k": b"v"}  # not yet committed
    cache.close()
    assert kept(place, [b"other", b"k"]) == {b"k": b"v"}
    cache.put(b"later", b"w")
    cache.close()
    assert kept(place, [b"later"]) == {b"later": b"w"}


def test_the_first_reply_to_a_key_stays(opened: Open):
    one, two = opened(), opened()
    one.put(b"k", b"first")
    one.put(b"k", b"again")
    one.flush()
    two.put(b"k", b"second")
    two.put(b"other", b"kept")  # beside one that stays out
    two.flush()
    for cache in (one, two):
        assert cache.get([b"k", b"other"]) == {b"k": b"first", b"other": b"kept"}


def test_more_keys_than_one_question_takes_are_all_found(opened: Open):
    cache = opened()
    keys = [b"%d" % i for i in range(5201)]
    for key in keys:
        cache.put(key, key * 2)
    cache.flush()
    assert cache.get(keys) == {key: key * 2 for key in keys}
    assert cache.get([]) == {}


def test_replies_are_committed_without_being_asked_to(place: str, opened: Open):
    cache = opened()
    cache.put(b"k", b"v")
    writer = cache._writer
    assert writer
    writer.join(10)
    assert kept(place, [b"k"]) == {b"k": b"v"}


def test_what_was_flushed_survives_kill_9(place: str):
    code = (
        "for i in range(300): cache.put(b'%d' % i, b'v')\n"
        "cache.flush(); print('kept', flush=True); cache.put(b'late', b'v'); sys.stdin.read()"
    )
    with child(code, place) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"kept\n"
        os.kill(writer.pid, signal.SIGKILL)
    assert len(kept(place, [b"%d" % i for i in range(300)])) == 300


def test_two_processes_that_write_the_same_keys_at_once_agree(place: str):
    """Each in an order of its own, many commits, from an empty place: one makes it, none waits."""
    code = (
        "me = sys.argv[2]; order = range(400) if me == 'a' else range(399, -1, -1)\n"
        "sys.stdin.readline()\n"
        "for i in order:\n"
        "    cache.put(b'%d' % i, me.encode() + b'%d' % i)\n"
        "    if i % 20 == 0: cache.flush()\n"
        "cache.close()"
    )
    both = [child(code, place, me) for me in "ab"]
    for writer in both:
        assert writer.stdin
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in both:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    keys = [b"%d" % i for i in range(400)]
    found = kept(place, keys)
    assert len(found) == 400
    assert all(found[key] in {b"a" + key, b"b" + key} for key in keys)


def test_threads_lose_nothing(place: str, opened: Open):
    cache = opened()

    def work(name: int) -> None:
        for i in range(60):
            cache.put(b"%d-%d" % (name, i), b"v")
            if i % 20 == 0:
                cache.flush()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    keys = [b"%d-%d" % (name, i) for name in range(4) for i in range(60)]
    assert len(kept(place, keys)) == 240


Steps = list[tuple[bytes, bytes] | None]  # a reply to put, or a flush


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.none() | st.tuples(st.binary(max_size=3), st.binary(max_size=9)), max_size=12)
)
def test_a_place_is_a_dictionary_whose_first_values_stay(place: str, steps: Steps):
    """For any bytes, NULs and none at all included; ``spare`` tells one example from another."""
    spare = os.urandom(8)
    known: dict[bytes, bytes] = {}
    with closing(Cache(place)) as cache:
        for step in steps:
            if step is None:
                cache.flush()
            else:
                cache.put(spare + step[0], step[1])
                known.setdefault(spare + step[0], step[1])
            assert cache.get([*known, spare + b"none"]) == known
    assert kept(place, list(known)) == known
