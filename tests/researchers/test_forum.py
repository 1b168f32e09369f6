"""A forum carries what agents say and counts none of it."""

from __future__ import annotations

import os
from multiprocessing import Process
from pathlib import Path

import orjson
import pytest

from solon.errors import DataError, InputError
from solon.researchers.forum import Forum, Post, leaderboard, read_post
from solon.researchers.ledger import Record

DIGEST = "ab" * 32


def post(agent: str = "ada", title: str = "Old labels", **changes: str) -> Post:
    said = {"kind": "hypothesis", "text": "They may be noisier.", **changes}
    return Post(agent=agent, title=title, **said)  # type: ignore[arg-type]


def test_a_post_reaches_every_agents_folder_once(tmp_path: Path) -> None:
    forum, agents = Forum(folder=tmp_path / "forum"), [tmp_path / "ada", tmp_path / "bob"]
    assert forum.share(post()) == forum.share(post())
    forum.share(post(agent="bob", text="Ünïcode,\nand lines."))
    first, second = forum.sync(agents), forum.sync(agents)
    assert (first.copied, first.already) == (4, 0)
    assert (second.copied, second.already) == (0, 4)
    for folder in agents:
        assert {read_post(path).agent for path in folder.iterdir()} == {"ada", "bob"}
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            path.name for path in forum.folder.iterdir()
        )


def test_what_an_agent_changed_in_its_copy_is_restored_and_nothing_outside_is_written(
    tmp_path: Path,
) -> None:
    forum, mine = Forum(folder=tmp_path / "forum"), tmp_path / "mine"
    name = forum.share(post()).name
    forum.sync([mine])
    secret = tmp_path / "secret"
    secret.write_bytes(b"kept")
    (mine / name).unlink()
    (mine / name).symlink_to(secret)
    assert forum.sync([mine]).copied == 1
    assert secret.read_bytes() == b"kept"
    assert read_post(mine / name) == post()
    (mine / name).write_text("{}")
    assert forum.sync([mine]).copied == 1


def test_an_agent_that_breaks_its_folder_does_not_stop_the_others(tmp_path: Path) -> None:
    forum = Forum(folder=tmp_path / "forum")
    name = forum.share(post()).name
    elsewhere, linked, blocked, fine = (
        tmp_path / one for one in ("e", "linked", "blocked", "fine")
    )
    elsewhere.mkdir()
    linked.symlink_to(elsewhere)
    (blocked / name).mkdir(parents=True)
    (tmp_path / "file").write_text("")
    done = forum.sync([linked, blocked, tmp_path / "file", fine])
    assert (done.copied, done.already, len(done.refused)) == (1, 0, 3)
    assert read_post(fine / name) == post()
    assert not list(elsewhere.iterdir())


def _share(folder: Path, agent: str) -> None:
    for number in range(20):
        Forum(folder=folder).share(post(agent=agent, title=f"number {number}"))


def test_readers_never_see_half_a_post_while_two_write(tmp_path: Path) -> None:
    writers = [Process(target=_share, args=(tmp_path, agent)) for agent in ("ada", "bob")]
    for one in writers:
        one.start()
    while any(one.is_alive() for one in writers):
        assert Forum(folder=tmp_path).posts()[1] == ()
    for one in writers:
        one.join()
    posts, refused = Forum(folder=tmp_path).posts()
    assert (len(posts), refused) == (40, ())
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".json"]


HOSTILE = {
    "bytes": b"\xff\xfe",
    "list": b"[1, 2]",
    "nested": b'{"a":' * 5000,
    "more": orjson.dumps({**orjson.loads(post().bytes()), "pgr": 1.0}),
    "fewer": b'{"agent": "ada"}',
    "number": orjson.dumps({**orjson.loads(post().bytes()), "title": 3}),
    "null": orjson.dumps({**orjson.loads(post().bytes()), "text": None}),
    "kind": orjson.dumps({**orjson.loads(post().bytes()), "kind": "order"}),
    "agent": orjson.dumps({**orjson.loads(post().bytes()), "agent": "../../etc"}),
    "digest": orjson.dumps({**orjson.loads(post().bytes()), "digest": "1"}),
    "long": orjson.dumps({**orjson.loads(post().bytes()), "title": "x" * 201}),
    "size": b" " * (1 << 18),
    "renamed": post().bytes(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_post_is_refused_in_one_line_and_the_others_are_read(
    tmp_path: Path, name: str
) -> None:
    forum = Forum(folder=tmp_path)
    forum.share(post())
    (tmp_path / f"{name}.json").write_bytes(HOSTILE[name])
    posts, refused = forum.posts()
    assert posts == [post()]
    assert len(refused) == 1
    assert "expected" in refused[0]
    assert "\n" not in refused[0]


def test_links_and_pipes_among_the_posts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(post().bytes())
    folder = tmp_path / "forum"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    posts, refused = Forum(folder=folder).posts()
    assert posts == []
    assert len(refused) == 3
    with pytest.raises(DataError, match="a file without links"):
        read_post(folder / "link.json")


def test_a_result_must_be_about_a_method_that_the_scorer_knows(tmp_path: Path) -> None:
    forum = Forum(folder=tmp_path)
    claim = post(kind="result", text="PGR 0.97 over five seeds.", digest=DIGEST)
    with pytest.raises(InputError, match="a method that was scored"):
        forum.share(claim, scored={"cd" * 32})
    assert forum.posts()[0] == []
    forum.share(claim, scored={DIGEST})
    assert forum.posts()[0] == [claim]


def test_the_leaderboard_is_of_what_the_scorer_released_and_of_nothing_else() -> None:
    def one(agent: str, **changes: object) -> Record:
        return Record(**{"agent": agent, "kind": "score", "digest": DIGEST, **changes})  # type: ignore[arg-type]

    records = [
        one("ada", pgr=0.21, released=0.2, improved=True),
        one("bob", pgr=0.52, released=0.5, improved=True),
        one("ada", pgr=0.99, digest="late", alarms=("canary",)),
        one("ada", pgr=0.61, released=0.6, improved=True, digest="best"),
        one("ada", kind="gate", pgr=0.93, released=0.95),
        one("eve", reason="code: expected text, got int"),
    ]
    found = [(s.agent, s.pgr, s.digest, s.queries) for s in leaderboard(records)]
    assert found == [("ada", 0.6, "best", 3), ("bob", 0.5, DIGEST, 1)]
