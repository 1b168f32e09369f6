"""The scorer as a process of its own: it answers whatever comes, and tells nobody the labels."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from solon.errors import DataError, EndpointError, InputError, SettingError
from solon.researchers.labels import Holdout
from solon.researchers.ledger import Budget, Record
from solon.researchers.office import Office
from solon.researchers.problem import Problem
from solon.researchers.rules import Reply, Rules
from solon.researchers.sandbox import Sandbox
from solon.researchers.server import Desk, ScorerClient, _Server, serving
from solon.researchers.trace import verify
from solon.seams.classifying import Examples, Floats, Task

ROWS, D = 240, 6
TOKEN = "f" * 32
HONEST = """
import numpy as np
def method(problem):
    x, t = problem.inputs, problem.weak_labels[:, 1] - 0.5
    p = 1 / (1 + np.exp(-problem.test_inputs @ np.linalg.lstsq(x, t, rcond=None)[0]))
    return np.stack([1 - p, p], 1)
"""
STEALS = """
import numpy as np
from pathlib import Path
def method(problem):
    labels = np.load(Path({office!r}) / "holdout" / "labels.npy")
    return np.eye(2)[labels]
"""


def posed() -> tuple[Problem, Holdout]:
    draw = np.random.default_rng(0)
    w = draw.standard_normal(D)

    def part(rows: int) -> Examples:
        x = draw.standard_normal((rows, D))
        ids = tuple(str(row) for row in range(rows))
        return Examples(ids=ids, labels=(x @ w > 0).astype(np.int64), views={"strong": x})

    task = Task(name="line", classes=2, supervise=part(4), transfer=part(300), test=part(ROWS))
    said = np.where(draw.random(300) < 0.75, task.transfer.labels, 1 - task.transfer.labels)
    weak: Floats = np.stack([0.9 - 0.8 * said, 0.1 + 0.8 * said], 1)
    right = (draw.random(ROWS) < 0.75).astype(float)
    holdout = Holdout.of(task, weak_right=right, ceiling_right=np.ones(ROWS), seed=3)
    return holdout.problem(task, weak, view="strong", seed=3), holdout


@dataclass
class Told:
    """A scorer that repeats what it was sent, or fails as a fault of ours would."""

    lines: list[tuple[str, str, Any]]

    @property
    def trace(self) -> Any:
        return SimpleNamespace(append=lambda *line: self.lines.append(line))

    @property
    def ledger(self) -> Any:
        kept = Record(agent="ada", kind="score", digest="d", pgr=0.31, released=0.3, improved=True)
        return SimpleNamespace(records=(kept,))

    def score(self, agent: str, code: str) -> Reply:
        if code == "fault":
            raise ZeroDivisionError("secret 12345")
        return Reply(pgr=0.25, improved=True, reason=f"{agent}: {code}")

    def gate(self, agent: str, code: str) -> Reply:
        return Reply(pgr=None, reason="gate: expected another")


def desk() -> Desk:
    return Desk(scorer=Told([]), tokens={"ada": TOKEN}, lock=Lock())  # type: ignore[arg-type]


@contextmanager
def served(path: Path) -> Iterator[ScorerClient]:
    with _Server(path, desk()) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield ScorerClient(path=path, token=TOKEN, seconds=20.0)
        server.shutdown()
        thread.join()


def line(**changes: object) -> bytes:
    return orjson.dumps({"do": "score", "agent": "ada", "token": TOKEN, "code": "x", **changes})


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "one JSON object a line"),
        (b"\xff\x00{", "one JSON object a line"),
        (b"[" * 100000, "one JSON object a line"),
        (b"[]", "do, agent, token and code"),
        (b"null", "do, agent, token and code"),
        (line(more=1), "do, agent, token and code"),
        (line(code=[[0.1, 0.9]]), "text in every field"),
        (line(do="final"), "do as score, gate or leaderboard"),
        (line(do="__init__"), "do as score, gate or leaderboard"),
        (line(token="e" * 32), "expected that of the agent"),
        (line(token=""), "expected that of the agent"),
        (line(token="é"), "expected that of the agent"),
        (line(agent="bob", token=""), "expected that of the agent"),
        (line(code="fault"), "scorer: ZeroDivisionError within"),
    ],
)
def test_garbage_gets_one_line_that_says_what_was_expected(sent: bytes, said: str) -> None:
    answer = desk().answer(sent)
    assert answer.count(b"\n") == 1
    assert answer.endswith(b"\n")
    error = orjson.loads(answer)["error"]
    assert said in error
    assert "12345" not in error


def test_the_operator_sees_the_fault_that_the_agent_does_not() -> None:
    mine = desk()
    mine.answer(line(code="fault"))
    lines: Any = mine.scorer
    assert "secret 12345" in lines.lines[0][2]["error"]


def test_the_server_survives_garbage_and_clients_that_leave(tmp_path: Path) -> None:
    path = tmp_path / "scorer.sock"
    with served(path) as client:
        for sent in (b"\x00" * 100, b"{}\n\n[]\n", b"x" * (1 << 21), line(), b"\n" * 50):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as rude:
                rude.connect(str(path))
                try:
                    rude.sendall(sent)
                except BrokenPipeError:
                    continue
        idle = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        idle.connect(str(path))
        assert client.score("ada", "code") == Reply(pgr=0.25, improved=True, reason="ada: code")
        assert client.gate("ada", "code").reason == "gate: expected another"
        assert [one.pgr for one in client.leaderboard("ada")] == [0.3]
        with pytest.raises(InputError, match="token: expected that of the agent"):
            client.score("bob", "code")
        with pytest.raises(InputError, match="request: expected text in every field"):
            client.score("ada", [[0.1, 0.9]])
        idle.close()
    assert not hasattr(client, "final")


def works() -> Sandbox:
    sandbox = Sandbox()
    try:
        sandbox.probe()
    except SettingError as error:
        pytest.skip(str(error))
    return sandbox


def test_a_process_of_its_own_scores_in_the_sandbox_and_the_method_cannot_reach_the_labels(
    tmp_path: Path,
) -> None:
    sandbox = works()
    # the audit's one draw rings for an honest method under one secret in fourteen
    office, path = Office(folder=tmp_path / "office", secret=1), tmp_path / "scorer.sock"
    problem, holdout = posed()
    rules = Rules(audit_seeds=1, budget=Budget(queries=3))
    tokens = office.found(problem, holdout, agents=["ada", "eve"], rules=rules, sandbox=sandbox)
    with serving(office.folder, path):
        ada = ScorerClient(path=path, token=tokens["ada"])
        eve = ScorerClient(path=path, token=tokens["eve"])
        honest = ada.score("ada", HONEST)
        assert honest.improved
        assert honest.pgr is not None
        assert honest.reason == ""
        theft = eve.score("eve", STEALS.format(office=str(office.folder)))
        assert "No such file" in theft.reason or "Permission" in theft.reason
        assert theft.pgr is None
        board = ada.leaderboard("ada")
        assert [(one.agent, one.pgr) for one in board] == [("ada", honest.pgr)]
    assert not path.exists()
    assert verify(office.folder / "trace.jsonl") == 2
    again = office.open()
    assert again.ledger.best("ada") == honest.pgr
    assert again.final(HONEST).pgr > 0


def test_an_office_that_others_can_enter_does_not_open(tmp_path: Path) -> None:
    office = Office(folder=tmp_path / "office")
    problem, holdout = posed()
    office.found(problem, holdout, agents=["ada"])
    assert office.folder.stat().st_mode & 0o777 == 0o700
    (office.folder / "holdout").chmod(0o755)
    with pytest.raises(DataError, match="mode 700"):
        office.open()
    served_by = serving(office.folder, tmp_path / "scorer.sock")
    with pytest.raises(EndpointError, match="expected a socket, got .*mode 700"), served_by:
        pass


def test_an_office_reopens_with_its_rules_and_problem(tmp_path: Path) -> None:
    office = Office(folder=tmp_path / "office")
    problem, holdout = posed()
    rules = Rules(seeds=7, near=0.01, budget=Budget(queries=9, seconds=50.0))
    tokens = office.found(
        replace(problem, probe={"epochs": 2}), holdout, agents=["a", "b"], rules=rules
    )
    assert len(set(tokens.values())) == 2
    assert all(len(one) == 32 for one in tokens.values())
    scorer = office.open()
    assert scorer.rules == rules
    assert scorer.problem.probe == {"epochs": 2}
    assert np.array_equal(scorer.problem.test_inputs, problem.test_inputs)
    unbounded = Office(folder=tmp_path / "unbounded")
    unbounded.found(problem, holdout, agents=[])
    assert unbounded.open().rules == Rules()
