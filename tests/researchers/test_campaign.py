"""A campaign in this process: rounds, kills, several runs at one time, transfer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing as closed
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from threading import Barrier, Event, Lock
from typing import Any

import numpy as np
import orjson
import pytest
from rich.console import Console
from test_embedded import Table
from test_scorer import HONEST, Here, Lines, made, world

from solon.bench.town_tasks import LARGE, TownTask
from solon.engines.classifiers import Bag, Probe
from solon.errors import InputError, SettingError
from solon.lab.salience import Salience
from solon.objectives.adam import Adam
from solon.researchers import walls
from solon.researchers.crew import roles
from solon.researchers.embedded import DIRECTIONS, UNDIRECTED, Embedded
from solon.researchers.ledger import Ledger, Record
from solon.researchers.limits import Limits
from solon.researchers.method import Answer, Method
from solon.researchers.notebook import Notes
from solon.researchers.parallel import answers, together
from solon.researchers.places import Places
from solon.researchers.posing import Posing
from solon.researchers.problem import Problem
from solon.researchers.progress import Board
from solon.researchers.rounds import Rounds
from solon.researchers.rules import Client, Reply, Rules
from solon.researchers.transfer import Carried, Place
from solon.run.display import Display
from solon.run.run import Run

NAMES = ("embedded-1", "embedded-2", "embedded-3")


class Killed(Exception):
    """Stands for a kill: nothing between it and the caller may go on."""


@dataclass
class Desk:
    """A scorer with a ledger, that is killed before or after its k-th submission is kept."""

    ledger: Ledger
    table: Table = field(default_factory=Table)
    kill: int = 0
    kept: bool = False
    late: Mapping[str, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    dead: bool = False

    def score(self, agent: str, code: object) -> Reply:
        time.sleep(self.late.get(agent, 0.0))
        with self.lock:
            count = len(self.ledger.records) + 1
            if self.dead or (count == self.kill and not self.kept):
                self.dead = True
                raise Killed
            reply = self.table.score(agent, code)
            told = reply.pgr if reply.improved else None
            self.ledger.add(
                Record(
                    agent=agent,
                    kind="score",
                    digest=Method.of(code).digest,
                    released=told,
                    improved=reply.improved,
                    runs=5,
                )
            )
            if count == self.kill:
                self.dead = True
                raise Killed
            return reply


def rounds(folder: Path, desk: Desk, *, turns: int = 3) -> Rounds:
    agents = [
        Embedded.of(one, name=name, seed=1) for name, one in zip(NAMES, DIRECTIONS, strict=False)
    ]
    clients: dict[str, Client] = dict.fromkeys(NAMES, desk)
    places = Places(folder=folder)
    return Rounds(agents=agents, turns=turns, places=places, clients=clients, moved=lambda *_: None)


def work(folder: Path, **changes: Any) -> tuple[dict[str, Notes], set[str]]:
    """All rounds, as far as they go; the notes and the forum."""
    places = Places(folder=folder)
    ledger = places.ledger()
    table = Table(best={one.agent: one.released for one in ledger.records if one.released})
    desk = Desk(ledger=ledger, table=table, **changes)
    made = rounds(folder, desk)
    made.settle()
    made()
    notes = {name: places.notebook(name).read(name) for name in NAMES}
    return notes, {one.name for one in places.forum.posts()[0]}


def test_who_is_scored_first_changes_nothing(tmp_path: Path) -> None:
    first = work(tmp_path / "a", late={"embedded-1": 0.05})
    second = work(tmp_path / "b", late={"embedded-2": 0.03, "embedded-3": 0.06})
    assert first == second
    assert len(first[1]) == 9
    assert all(len(one.tries) == 3 for one in first[0].values())


def test_agents_hear_in_a_round_what_was_posted_before_it_and_nothing_of_it(
    tmp_path: Path,
) -> None:
    work(tmp_path)
    places = Places(folder=tmp_path)
    for name in NAMES:
        heard = [one for one in places.copy(name).posts()[0] if one.agent != name]
        assert len(heard) == 2 * 2


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("kill", [1, 2, 5, 9])
def test_a_killed_campaign_ends_as_one_that_was_not_and_scores_nothing_twice(
    tmp_path: Path, kill: int, kept: bool
) -> None:
    whole = work(tmp_path / "whole")
    with pytest.raises(Killed):
        work(tmp_path / "parts", kill=kill, kept=kept)
    for thread in set(threading.enumerate()) - {
        threading.main_thread()
    }:  # a kill would have ended them too
        thread.join(10)
    assert work(tmp_path / "parts") == whole
    records = Places(folder=tmp_path / "parts").ledger().records
    assert len({(one.agent, one.digest) for one in records}) == len(records) == 9


def test_a_finished_round_is_not_begun_again(tmp_path: Path) -> None:
    work(tmp_path)
    rows = (tmp_path / "rounds.jsonl").read_bytes()
    count = len(Places(folder=tmp_path).ledger().records)
    work(tmp_path)
    assert (tmp_path / "rounds.jsonl").read_bytes() == rows
    assert len(Places(folder=tmp_path).ledger().records) == count


def test_who_has_no_budget_left_is_not_asked_again(tmp_path: Path) -> None:
    desk = Desk(ledger=Places(folder=tmp_path).ledger(), table=Table(queries=3))
    rounds(tmp_path, desk, turns=4)()
    assert len(desk.table.asked) == 3
    assert all(len(Places(folder=tmp_path).notebook(n).read(n).tries) == 1 for n in NAMES)


def test_directed_agents_have_a_direction_each_and_undirected_ones_the_same() -> None:
    crew = roles(3, 2, directed=True)
    assert [one.name for one in crew] == [*NAMES, "model-1", "model-2"]
    assert [one.direction for one in crew] == list(DIRECTIONS[:5])
    assert [one.direction for one in roles(3, 1, directed=False)] == [UNDIRECTED] * 4


# -- several runs at one time


@dataclass
class Meets:
    """Answers only where another run is under way at the same time."""

    barrier: Barrier = field(default_factory=lambda: Barrier(2, timeout=10))

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        self.barrier.wait()
        return Answer(probabilities=np.full((1, 2), problem.seed / 10), seconds=1.0)


@dataclass
class Counts:
    """Fails on the third seed, and counts what was begun."""

    begun: list[int] = field(default_factory=list)
    wait: float = 0.0

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        self.begun.append(problem.seed)
        time.sleep(self.wait)
        if problem.seed == 2:
            return Answer(probabilities=None, seconds=0.1, reason="method: no")
        return Answer(probabilities=np.full((1, 2), problem.seed / 10), seconds=0.1)


def problems(count: int) -> list[Problem]:
    one = Problem(weak_labels=np.eye(2), inputs=np.eye(2), test_inputs=np.eye(2), classes=2)
    return [replace(one, seed=seed) for seed in range(count)]


ANY = Method.of("def method(problem): ...")


def test_two_runs_are_made_at_one_time_and_come_in_order() -> None:
    found = list(answers(Meets(), ANY, problems(6), workers=2))
    seeds = [float(one.probabilities[0, 0]) for one in found if one.probabilities is not None]
    assert seeds == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_after_a_failure_no_further_run_is_begun() -> None:
    counts = Counts(wait=0.02)
    with closed(answers(counts, ANY, problems(40), workers=2)) as found:
        assert [one.reason for one, _ in zip(found, range(3), strict=False)][2] == "method: no"
    assert len(counts.begun) < 12


SOMETIMES = HONEST + "    assert problem.seed % 3, 'no'\n"


@pytest.mark.parametrize("code", [HONEST, SOMETIMES.replace("    return soft", "    x = soft")])
def test_several_workers_score_as_one_does(tmp_path: Path, code: str) -> None:
    told, kept, rows = [], [], []
    for workers in (1, 4):
        scorer = replace(
            made(tmp_path / str(workers), rules=Rules(workers=workers)), execute=Careful()
        )
        told.append(scorer.score("ada", code))
        kept.append(replace(scorer.ledger.records[0], seconds=0.0))
        assert isinstance(scorer.trace, Lines)
        rows.append(scorer.trace.lines[0][2]["alarms"])
    assert told[0] == told[1]
    assert kept[0] == kept[1]
    assert rows[0] == rows[1]
    assert bool(told[0].reason) == ("assert" in code)


@dataclass(frozen=True)
class Careful(Here):
    """Says a method's fault as a sandbox does."""

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        try:
            return Here.__call__(self, method, problem)
        except AssertionError as error:
            return Answer(probabilities=None, seconds=0.1, reason=f"method: {error}")


def test_runs_at_one_time_share_neither_cores_nor_users(monkeypatch: pytest.MonkeyPatch) -> None:
    said = walls.environment(Limits(threads=3), "/bin", "/work")
    assert {said[name] for name in said if name.endswith("_THREADS")} == {"3"}
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert len({walls.user() for _ in range(4000)}) == 4000
    with pytest.raises(SettingError, match="workers: expected 0 or more, got -1"):
        Rules(workers=-1)


def test_the_first_failure_ends_the_waiting_while_others_still_wait() -> None:
    never = Event()

    def fails() -> None:
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        together([never.wait, fails])  # pyright: ignore[reportArgumentType]
    never.set()
    done: list[int] = []
    together([lambda: done.append(1), lambda: done.append(2)])
    assert sorted(done) == [1, 2]


# -- posing, transfer

SMALL = Salience(supervise=80, transfer=120, test=700)
POSING = Posing(tasks=SMALL, weak=Probe(view="weak"), strong=Probe(view="strong"), seeds=2)


def test_a_posed_problem_is_a_gap_without_a_label(tmp_path: Path) -> None:
    with Run(tmp_path / "a", seed=3) as run, Run(tmp_path / "b", seed=4) as other:
        (one,), (again,), (another,) = POSING.pose(run), POSING.pose(run), POSING.pose(other)
    rows = one.holdout.rows("dev")
    weak, ceiling = one.holdout.weak_right[rows], one.holdout.ceiling_right[rows]
    assert 0.5 < weak.mean() < ceiling.mean() - 0.1
    assert set(np.unique(weak)) <= {0.0, 0.5, 1.0}
    assert np.shape(one.problem.inputs) == (120, 80)
    assert np.shape(one.problem.test_inputs) == (700, 80)
    assert np.array_equal(one.holdout.labels, again.holdout.labels)
    assert not np.array_equal(one.holdout.labels, another.holdout.labels)


def test_texts_are_posed_as_features_with_the_students_own_settings(tmp_path: Path) -> None:
    adam = Adam(lr=0.02, schedule="cosine")
    posing = Posing(
        tasks=TownTask(supervise=60, transfer=100, test=400),
        weak=Probe(features=Bag(words=30, ngrams=1), optimiser=adam),
        strong=Probe(features=Bag(words=300), optimiser=adam, epochs=4),
        seeds=1,
    )
    with Run(tmp_path, seed=3) as run:
        (one,) = posing.pose(run)
    one.problem.write(tmp_path / "problem")
    read = Problem.read(tmp_path / "problem")
    assert np.shape(read.inputs)[0] == 100
    student: Any = read.student(epochs=6)
    assert (student.spec.optimiser, student.spec.epochs) == (adam, 6)
    student.fit(read.inputs, read.weak_labels, read.objectives.naive())
    assert student.predict(read.test_inputs).shape == (400, 2)


def test_a_student_without_features_is_refused() -> None:
    with pytest.raises(SettingError, match="strong: expected a probe over features, got Pretr"):
        replace(POSING, strong=LARGE).student()


def test_a_method_elsewhere_has_the_pgr_of_its_accuracies() -> None:
    task, weak, weak_right, ceiling_right = world()
    scorer = made(Path())
    del task, weak
    holdout, rows = scorer.holdout, scorer.holdout.rows("final")
    place = Place(name="FINAL", problem=scorer.problem, holdout=holdout, rows=rows)
    found = place.carry(Method.of(HONEST), Here(), seeds=[1, 2], workers=1)
    assert found.pgr is not None
    assert found.weak is not None
    assert found.student is not None
    assert found.weak.estimate == pytest.approx(weak_right[holdout.order][rows].mean())
    gap = ceiling_right.mean() - found.weak.estimate
    assert found.pgr.estimate == pytest.approx((found.student.estimate - found.weak.estimate) / gap)
    assert found.pgr.low < found.pgr.estimate < found.pgr.high
    assert found.pgr.estimate == pytest.approx(scorer.final(HONEST).pgr, abs=1e-9)


def test_what_could_not_be_measured_elsewhere_says_why(tmp_path: Path) -> None:
    scorer = made(Path())
    place = Place(
        name="FINAL", problem=scorer.problem, holdout=scorer.holdout,
        rows=scorer.holdout.rows("final"),
    )  # fmt: skip
    one = Method.of("def method(problem):\n    return 1")
    found = place.carry(one, Here(), seeds=[1, 2], workers=1)
    assert found.pgr is None
    assert found.reason.startswith("method: expected probabilities")
    path = tmp_path / "transfer.jsonl"
    path.write_bytes(orjson.dumps({**whole(found), "place": "draw 1"}) + b"\n")
    assert Carried.read(path) == [replace(found, place="draw 1")]


def whole(one: Carried) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Carried.__slots__}


@pytest.mark.parametrize("terminal", [True, False])
def test_the_user_sees_how_far_each_agent_is_and_what_it_costs(
    tmp_path: Path, terminal: bool
) -> None:
    work(tmp_path)
    shown = StringIO()
    console = Console(file=shown, width=160, force_terminal=terminal)
    records = Places(folder=tmp_path).ledger().path
    board = Board(display=Display(console), records=records)
    with board.open({"embedded-1": 3, "embedded-9": 2}):
        board.moved("embedded-1", 2)
        board.moved("embedded-9", 0)
    for word in ("embedded-1", "2/3", "3 submissions, 15 runs", "no PGR told yet"):
        assert word in shown.getvalue()
    quiet = StringIO()
    with Board(display=Display(Console(file=quiet), quiet=True), records=records).open(
        {"a": 1}
    ) as b:
        b.moved("a", 1)
    assert not quiet.getvalue()
