"""Replies are kept alike in a file and in a shared database: each test runs on both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
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


@contextmanager
def child(code: str, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """A process with a cache of its own at the first argument; it is gone in the end."""
    whole = f"import sys; from solon.run.cache import Cache; cache = Cache(sys.argv[1])\n{code}"
    process = subprocess.Popen(
        [sys.executable, "-c", whole, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def released(code: str, *arguments: list[str]) -> None:
    """Children for which ``code`` begins in the same moment, one for each arguments; all must end
    well."""
    with ExitStack() as children:
        all_of = [children.enter_context(child(AT_A_SIGN + code, *some)) for some in arguments]
        for one in all_of:
            assert one.stdout
            assert one.stdout.readline() == b"ready\n"
        for one in all_of:
            assert one.stdin
            one.stdin.write(b"go\n")
            one.stdin.flush()
        for one in all_of:
            one.communicate(timeout=60)
        assert [one.returncode for one in all_of] == [0] * len(all_of)


AT_A_SIGN = "print('ready', flush=True); sys.stdin.readline()\n"


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
    """Each in an order of its own, many commits, from an empty place."""
    code = (
        "me = sys.argv[2]; order = range(400) if me == 'a' else range(399, -1, -1)\n"
        "for i in order:\n"
        "    cache.put(b'%d' % i, me.encode() + b'%d' % i)\n"
        "    if i % 20 == 0: cache.flush()\n"
        "cache.close()"
    )
    released(code, *([place, me] for me in "ab"))
    keys = [b"%d" % i for i in range(400)]
    found = kept(place, keys)
    assert len(found) == 400
    assert all(found[key] in {b"a" + key, b"b" + key} for key in keys)


def test_a_place_that_many_processes_make_at_once_holds_what_each_wrote(place: str):
    names = [str(name) for name in range(8)]
    released("cache.put(sys.argv[2].encode(), b'v'); cache.close()", *([place, n] for n in names))
    assert len(kept(place, [name.encode() for name in names])) == len(names)


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
