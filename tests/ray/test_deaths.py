"""Processes and nodes that die in the middle of a batch."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from copied import Seeded, asked, pair

from solon.engines.ray import OnRay
from solon.errors import ClusterError, DataError, SettingError
from solon.run.run import Run

pytestmark = pytest.mark.cluster

QUESTIONS = [pair(number) for number in range(12)]


def answers(judge: Any, questions: Any = QUESTIONS) -> list[float]:
    return [one.answer.p_first for one in judge(questions)]


def alone(run: Run, questions: Any = QUESTIONS) -> list[float]:
    return answers(Seeded().open(run), questions)


def until(reached: Any, *, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def test_answers_come_in_order_whoever_gives_them(cluster: Any, run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    judge = OnRay(inner=Seeded(log=str(log), seconds=0.02), copies=2, cut=3).open(run)
    assert judge.id == "seeded"
    assert answers(judge) == alone(run)
    assert judge([]) == []
    assert len({process for process, _ in asked(log)}) == 2


def test_a_process_that_dies_loses_and_doubles_nothing(
    cluster: Any, run: Run, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    judge = OnRay(inner=Seeded(log=str(log), fatal=1), copies=2, cut=2).open(run)
    questions = [*QUESTIONS[:5], pair(99, "fatal"), *QUESTIONS[5:]]
    assert answers(judge, questions) == alone(run, questions)
    times = Counter(text for _, text in asked(log))
    assert times["fatal"] == 2
    others = {text: count for text, count in times.items() if text != "fatal"}
    assert len(others) == len(QUESTIONS)
    assert sorted(others.values())[:-1] == [1] * 11  # one more fell with the fatal one's piece
    notes = (run.dir / "notes.jsonl").read_text()
    assert notes.count("died (ActorDiedError); its") == 1
    assert answers(judge) == alone(run)  # the one that took its place works too


def test_questions_that_kill_every_copy_end_the_run_in_one_line(
    cluster: Any, run: Run, tmp_path: Path
) -> None:
    inner = Seeded(log=str(tmp_path / "log"), fatal=99)
    judge = OnRay(inner=inner, copies=2, cut=1, attempts=2).open(run)
    with pytest.raises(ClusterError, match="^2 copies died on the same 1 questions") as failure:
        judge([*QUESTIONS, pair(99, "fatal")])
    assert "\n" not in str(failure.value)
    assert Counter(text for _, text in asked(tmp_path / "log"))["fatal"] == 2


def test_one_that_died_between_two_batches_is_replaced_first(
    cluster: Any, run: Run, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    judge = OnRay(inner=Seeded(log=str(log)), copies=1, attempts=1).open(run)
    before = answers(judge)
    os.kill(int(asked(log)[0][0]), signal.SIGKILL)
    assert answers(judge) == before == alone(run)


def test_what_the_inner_part_raises_comes_out_as_itself_and_is_not_asked_again(
    cluster: Any, run: Run, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    judge = OnRay(inner=Seeded(log=str(log)), copies=2, cut=1).open(run)
    with pytest.raises(DataError, match="row 3, field 'chosen': expected text, got null$") as error:
        judge([pair(99, "bad row"), *QUESTIONS])
    assert error.value.__notes__[0].startswith("in copy ")
    assert Counter(text for _, text in asked(log))["bad row"] == 1
    assert len(asked(log)) < 6  # no new piece was asked after it
    assert answers(judge) == alone(run)


def test_what_cannot_open_says_why(cluster: Any, run: Run) -> None:
    with pytest.raises(SettingError, match="^model: expected a folder"):
        OnRay(inner=Seeded(opens="refuses")).open(run)
    with pytest.raises(ClusterError, match="^2 copies died while they opened"):
        OnRay(inner=Seeded(opens="dies"), attempts=2, copies=1).open(run)
    with pytest.raises(SettingError, match=r"^on Ray: a copy has no run\.dir"):
        OnRay(inner=Seeded(opens="folder")).open(run)
    greedy = OnRay(inner=Seeded(), resources='{"nothing has this": 2}', patience=0.5)
    with pytest.raises(ClusterError, match="each needs 1 CPU and 2 nothing has this, and"):
        greedy.open(run)


def test_copies_beyond_the_room_there_is_do_not_hold_up_the_others(cluster: Any, run: Run) -> None:
    judge = OnRay(inner=Seeded(), copies=9).open(run)
    assert answers(judge) == alone(run)
    notes = (run.dir / "notes.jsonl").read_text()
    assert "of 9 copies of seeded have begun" in notes
    assert notes.count('"note":"opened"') == 2  # one copy speaks for all; the other is `alone`


def test_a_node_that_is_taken_away_in_the_middle_of_a_batch(
    cluster: Any, run: Run, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    small = {"num_cpus": 1, "object_store_memory": 80 << 20, "resources": {"spot": 1}}
    nodes = [cluster.add_node(**small) for _ in range(2)]
    inner = Seeded(log=str(log), seconds=0.1)
    spec = OnRay(inner=inner, copies=2, cut=2, num_cpus=0, resources='{"spot": 1}')
    judge = spec.open(run)
    questions = [pair(number) for number in range(40)]
    found: list[float] = []
    batch = threading.Thread(target=lambda: found.extend(answers(judge, questions)))
    batch.start()
    until(lambda: len({process for process, _ in asked(log)}) == 2 and len(asked(log)) > 4)
    cluster.remove_node(nodes[1], allow_graceful=False)
    batch.join(timeout=60)
    assert found == alone(run, questions)
    assert (run.dir / "notes.jsonl").read_text().count("questions go to another") == 1
    came = cluster.add_node(**small)  # as an autoscaler would, for the copy that waits
    answers(judge, questions[:2])
    until(lambda: asked(log) and answers(judge) == alone(run) and workers(log) == 3)
    for node in (nodes[0], came):
        cluster.remove_node(node, allow_graceful=False)


def workers(log: Path) -> int:
    return len({process for process, _ in asked(log)})
