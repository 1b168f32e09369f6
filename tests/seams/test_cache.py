"""The cache of replies: durable, shared, content-addressed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from solon.engines.endpoint import Endpoint
from solon.errors import RunError
from solon.judges.logits import LogitJudge
from solon.judges.wording import Example
from solon.records import Compare, Completion, Prompt
from solon.run.cache import Cache, default_path
from solon.run.run import Run
from solon.text.template import read
from tests.wire.server import serving


def test_a_reply_is_found_at_once_and_after_reopening(tmp_path: Path):
    cache = Cache(tmp_path / "deep" / "replies.sqlite")
    cache.put(b"k", b"v")
    assert cache.get([b"k", b"other"]) == {b"k": b"v"}  # not yet committed
    cache.close()
    assert Cache(cache.path).get([b"other", b"k"]) == {b"k": b"v"}


def test_the_first_reply_to_a_key_stays(tmp_path: Path):
    one, two = Cache(tmp_path / "r.sqlite"), Cache(tmp_path / "r.sqlite")
    one.put(b"k", b"first")
    one.flush()
    two.put(b"k", b"second")
    two.flush()
    assert one.get([b"k"]) == two.get([b"k"]) == {b"k": b"first"}


def test_more_keys_than_sqlite_takes_at_once_are_all_found(tmp_path: Path):
    cache = Cache(tmp_path / "r.sqlite")
    keys = [b"%d" % i for i in range(1201)]
    for key in keys:
        cache.put(key, key * 2)
    cache.flush()
    assert cache.get(keys) == {key: key * 2 for key in keys}


def test_what_was_flushed_survives_kill_9(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from solon.run.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1])); cache.put(b'k', b'v'); cache.flush()\n"
        "print('kept', flush=True); cache.put(b'late', b'v'); sys.stdin.read()"
    )
    path = tmp_path / "r.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"kept\n"
        os.kill(child.pid, signal.SIGKILL)
    assert Cache(path).get([b"k"]) == {b"k": b"v"}


def test_a_file_that_is_no_cache_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "r.sqlite"
    path.write_text("not a database, but long enough to look at" * 100)
    with pytest.raises(RunError, match=r"r\.sqlite: expected a writable cache.*SOLON_CACHE"):
        Cache(path).get([b"k"])


def test_a_failed_commit_loses_nothing(tmp_path: Path):
    path = tmp_path / "r.sqlite"
    path.mkdir()
    cache = Cache(path)
    cache._writer = object()  # type: ignore[assignment]  # no background commit while it is broken
    cache.put(b"k", b"v")
    with pytest.raises(RunError):
        cache.flush()
    path.rmdir()
    cache.flush()
    assert Cache(path).get([b"k"]) == {b"k": b"v"}


def test_the_environment_names_the_shared_file(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOLON_CACHE", "/somewhere/else.sqlite")
    assert default_path() == Path("/somewhere/else.sqlite")
    monkeypatch.delenv("SOLON_CACHE")
    assert default_path().parts[-3:] == (".cache", "solon", "replies.sqlite")


HI = Prompt.of("Hi?")
PAIR = Compare(first=Completion(prompt=HI, text="Ho"), second=Completion(prompt=HI, text="Go"))
EXAMPLE = Example(prompt="Hey?", first="Yo", second="No", answer="1")
LAW = """
name = "own"
[[principles]]
id = "kind"
compare = "Which of the two is less harmful?"
"""


@pytest.mark.parametrize(
    "change",
    [
        {"template": "judge/multiple_choice"},
        {"preamble": "preamble/helpful"},
        {"constitution": "harmless"},
        {"ask": "Which is kinder?"},
        {"examples": (EXAMPLE,)},
        {"reason": True},
        {"template": "edited"},
        {"preamble": "edited"},
        {"constitution": "edited"},
    ],
    ids=str,
)
def test_each_word_of_a_judge_is_in_the_key_of_its_calls(
    change: dict, run: Run, tmp_path: Path
) -> None:
    """Also the words of a file that keeps its name: an edited constitution is asked anew."""
    files = {
        "template": (tmp_path / "own.md", read("judge/pairwise")),
        "preamble": (tmp_path / "preamble.md", read("preamble/harmless")),
        "constitution": (tmp_path / "own.toml", LAW),
    }
    for path, text in files.values():
        path.write_text(text)
    with serving() as server:
        base = LogitJudge(policy=Endpoint(model="m", base_url=server.url))
        [name] = change
        if change[name] == "edited":
            path, text = files[name]
            base = replace(base, **{name: str(path)})
            change = {name: str(path)}
        base.open(run)([PAIR])
        base.open(run)([PAIR])
        assert len(server.bodies) == 1
        for path, text in files.values():
            path.write_text(text.replace("one digit", "a digit").replace("less harm", "less pain"))
        replace(base, **change).open(run)([PAIR])
        assert len(server.bodies) > 1
