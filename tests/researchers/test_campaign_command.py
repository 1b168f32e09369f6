"""``solon research``: mistakes are one line, a kill costs nothing, a model takes part."""

from __future__ import annotations

import fcntl
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from test_model_agent import KEY, Scripted, Table, calls, says, talking
from test_scorer import HONEST
from walled import walled

from solon.cli import main
from solon.researchers import sandbox
from solon.researchers.chat import Turn
from solon.researchers.crew import roles
from solon.researchers.method import Method
from solon.researchers.places import Places
from solon.researchers.sandbox import Sandbox
from solon.researchers.sittings import sittings
from solon.researchers.talks import Talker, Talks
from solon.researchers.trace import verify
from solon.run import lines

TINY = [
    "tasks.supervise=80", "tasks.transfer=120", "tasks.test=700", "posing.seeds=1",
    "rules.audit_seeds=0", "transfer.methods=1", "transfer.draws=0", "transfer.imitations=",
    "transfer.runs=1",
]  # fmt: skip
MISTAKES = {
    "agnts=3": "Campaign has no 'agnts'; it has posing, agents, .*did you mean 'agents'",
    "turns=many": "turns: expected int, got 'many'",
    "turns=0": "turns: expected 1 or more, got 0",
    "agents=0": "agents, models: expected one agent or more, got 0 and 0",
    "agents": "expected KEY=VALUE, got 'agents'",
    "seed=two": "seed: expected a whole number, got 'two'",
    "models=1": "models, model: expected both .* got models=1 model=''",
    "model=qwen3-8b": "models, model: expected both .* got models=0 model='qwen3-8b'",
    "models=1 model=m sandbox.kind=process": "sandbox.kind: expected auto or bubblewrap",
    "models=1 model=m base_url=me": "base_url: expected http",
    "seeds=7": "seeds: say which one: posing.seeds or rules.seeds",
    "rules.seeds=3": "seeds: expected 5 or more, got 3",
    "rules.budget.query=3": "Budget has no 'query'; it has queries, .*'queries'",
    "sandbox.kind=docker": "sandbox.kind: expected one of auto, bubblewrap, process, refuse",
    "sandbox.kind=refuse": "sandbox.kind: expected auto to run code, got refuse",
    "tasks=town strong=large": "strong: expected a probe over features, got Pretrained",
    "--on nowhere": "no bench 'nowhere'; there are lab, local, endpoint",
    "--on local": r"posing needs tasks.*tasks.path=FILE",
    "talks.turns=0": "talks.turns: expected 1 or more, got 0",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sandbox, "_broken", str)  # wherever this runs, the mistake is another
    with pytest.raises(SystemExit) as stopped:
        main(["research", *command.split()])
    said = capsys.readouterr().err.strip().splitlines()
    assert stopped.value.code == 2
    assert said[-1].startswith("solon: ")
    assert re.search(MISTAKES[command], said[-1])
    assert not list(tmp_path.iterdir())


def test_without_bubblewrap_it_refuses_with_the_way_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox, "_broken", lambda: "no bwrap")
    with pytest.raises(SystemExit) as stopped:
        main(["research", "--out", str(tmp_path / "c")])
    said = capsys.readouterr().err.strip().splitlines()
    assert (stopped.value.code, len(said)) == (2, 1)
    assert "expected bubblewrap to work, got 'no bwrap'; install the packages" in said[0]
    assert not (tmp_path / "c").exists()


def test_show_names_every_setting_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", "research", "agents=2"])
    shown = capsys.readouterr().out
    for line in ("agents = 2", "rules.budget.queries = 100", "posing.tasks.imitation = 0.3"):
        assert line in shown
    assert "Submissions of each embedded agent." in shown


def command(folder: Path, *more: str) -> list[str]:
    return ["research", "--out", str(folder), "--quiet", "seed=1", *TINY, *more]


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 1
    (said,) = capsys.readouterr().err.strip().splitlines()
    return said


def scored(folder: Path) -> list[tuple[str, str]]:
    rows = lines.read(folder / "office" / "records.jsonl")
    return [(one["agent"], one["digest"]) for one in rows]


def started(words: list[str]) -> subprocess.Popen[str]:
    python = [sys.executable, "-c", "from solon.cli import main; main()"]
    return subprocess.Popen([*python, *words], stderr=subprocess.PIPE, text=True)


def free(folder: Path) -> bool:
    """Whether no scorer serves the folder."""
    with (folder / "office" / ".lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def wait(until: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    end = time.monotonic() + 120
    while not until():
        assert time.monotonic() < end
        assert process is None or process.poll() is None
        time.sleep(0.1)


@walled
@pytest.mark.slow
def test_an_interrupted_and_a_killed_campaign_go_on_and_score_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "c"
    words = command(folder, "agents=2", "turns=2")
    with started(words) as process:
        wait((folder / "office" / "errors.txt").exists, process)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert said == "solon: stopped; the same command goes on from here\n"
        assert process.returncode == 130
    wait(lambda: free(folder))
    with started(words) as process:
        wait(lambda: scored(folder), process)
        assert "another process is working" in refused(words, capsys)
        process.kill()
    wait(lambda: free(folder))
    before = scored(folder)
    assert 1 <= len(before) < 4
    main(words)
    after = scored(folder)
    assert after[: len(before)] == before
    assert len(set(after)) == len(after) == 4
    places = Places(folder=folder)
    assert {one.digest for one in places.forum.posts()[0]} == {digest for _, digest in after}
    assert verify(places.trace.path) > 4
    assert (places.office.stat().st_mode & 0o777) == 0o700

    (folder / "report.html").unlink()
    main(words)
    assert scored(folder) == after
    assert "Leaderboard" in (folder / "report.html").read_text()
    assert "turns: 2 there, 3 here" in refused([*words, "turns=3"], capsys)
    assert "expected a campaign or an empty folder" in refused(command(tmp_path), capsys)
    main(["report", str(folder)])
    assert capsys.readouterr().out.strip().endswith("report.html")


POST = {"do": "post", "kind": "result", "title": "<b>Ridge</b>", "text": "0.5", "path": "m.py"}


@walled
@pytest.mark.slow
def test_a_language_model_takes_part_and_its_conversations_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEARCHER_KEY", KEY)
    folder = tmp_path / "c"
    with talking(
        calls(("write", {"path": "m.py", "text": HONEST})),
        calls(("submit", {"path": "m.py"})),
        calls(("forum", POST)),
        says("Enough."),
        says("Nothing new."),
    ) as model:
        words = command(folder, "agents=0", "models=1", "model=m", f"base_url={model.url}")
        words += ["chat.key_env=RESEARCHER_KEY", "talks.iterations=2", "talks.turns=9"]
        main(words)
        asked = len(model.bodies)
        main(words)
        assert len(model.bodies) == asked == 5
    found = orjson.loads((folder / "findings.json").read_bytes())
    assert [(one["turns"], one["calls"], one["ended"]) for one in found["sessions"]] == [
        (4, 3, "stopped"),
        (1, 0, "stopped"),
    ]
    assert sum(one["tokens_in"] for one in found["sessions"]) == 500
    (only,) = found["submissions"]
    assert (only["agent"], only["improved"], only["reason"]) == ("model-1", True, "")
    assert found["leaderboard"][0]["digest"] == Method.of(HONEST).digest
    places = [one["place"] for one in found["transfer"]]
    assert places == ["FINAL"] * 5
    said = (folder / "report.html").read_text()
    assert "Conversations" in said
    assert "<b>Ridge" not in said
    assert "&lt;b&gt;Ridge" in said
    assert not any(KEY.encode() in one.read_bytes() for one in folder.rglob("*") if one.is_file())


def row(tool: str, **detail: object) -> dict[str, object]:
    return {"agent": "model-1", "tool": tool, "time": 5.0, "detail": detail}


def test_a_killed_conversation_is_told_apart_and_its_tokens_count() -> None:
    said = row("said", **{"in": 100, "out": 10, "calls": 2})
    begins, ends = row("begins"), row("ends", ended="stopped")
    found = sittings([begins, said, begins, said, said, row("submit"), ends, row("score")])
    assert [(one.turns, one.calls, one.tokens_in, one.ended) for one in found] == [
        (1, 2, 100, "killed"),
        (2, 4, 200, "stopped"),
    ]


def talker(folder: Path, chat: Scripted, **limits: int) -> tuple[Talker, list[tuple[str, int]]]:
    places, moved = Places(folder=folder), list[tuple[str, int]]()
    for path in (places.problem, places.office):
        path.mkdir(exist_ok=True)
    (role,) = roles(0, 1, directed=True)
    made = Talker(
        role=role, chat=chat, talks=Talks(**limits), places=places, client=Table(),
        sandbox=Sandbox(), moved=lambda *one: moved.append(one),
    )  # fmt: skip
    return made, moved


def test_a_model_has_its_conversations_once_whenever_it_is_stopped(tmp_path: Path) -> None:
    first, moved = talker(tmp_path, Scripted([]), iterations=2)
    first()
    again, more = talker(tmp_path, Scripted([]), iterations=3)
    again()
    assert moved == [("model-1", 1), ("model-1", 2)]
    assert more == [("model-1", 3)]


def test_tokens_of_earlier_conversations_count_against_the_whole(tmp_path: Path) -> None:
    turns = [Turn(text="done", tokens_in=60) for _ in range(5)]
    made, moved = talker(tmp_path, Scripted([*turns]), iterations=9, tokens=100)
    made()
    again, more = talker(tmp_path, Scripted([*turns]), iterations=9, tokens=100)
    again()
    assert (len(moved), more) == (2, [])
