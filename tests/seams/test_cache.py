"""The cache of replies: where it is, and what of a judge addresses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from solon.engines.endpoint import Endpoint
from solon.errors import RunError
from solon.judges.logits import LogitJudge
from solon.judges.wording import Example
from solon.records import Compare, Completion, Prompt
from solon.run.cache import Cache, default_place
from solon.run.run import Run
from solon.text.template import read
from tests.wire.server import serving


def test_a_file_that_is_no_cache_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "r.sqlite"
    path.write_text("not a database, but long enough to look at" * 100)
    with pytest.raises(RunError, match=r"r\.sqlite: expected a writable cache.*SOLON_CACHE"):
        Cache(path).get([b"k"])


def test_a_failed_commit_loses_nothing_and_the_next_one_is_tried(tmp_path: Path):
    path = tmp_path / "r.sqlite"
    path.mkdir()
    cache = Cache(path)
    cache.put(b"k", b"v")
    assert cache._writer
    cache._writer.join(10)  # it fails in the background, without a word
    with pytest.raises(RunError, match="expected a writable cache"):
        cache.flush()
    path.rmdir()
    cache.flush()
    assert Cache(path).get([b"k"]) == {b"k": b"v"}


def test_the_environment_names_the_shared_place(monkeypatch: pytest.MonkeyPatch):
    for place in ("/somewhere/else.sqlite", "postgresql+psycopg://me@host/replies"):
        monkeypatch.setenv("SOLON_CACHE", place)
        assert default_place() == place
    monkeypatch.delenv("SOLON_CACHE")
    assert Path(default_place()).parts[-3:] == (".cache", "solon", "replies.sqlite")


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
def test_each_word_of_a_judge_is_in_the_key_of_its_calls_and_in_its_digest(
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
        (said,) = base.open(run)([PAIR])
        assert base.open(run)([PAIR]) == [said]
        assert len(server.bodies) == 1
        for path, text in files.values():
            path.write_text(text.replace("one digit", "a digit").replace("less harm", "less pain"))
        (other,) = replace(base, **change).open(run)([PAIR])
        assert len(server.bodies) > 1
        assert other.digest != said.digest
