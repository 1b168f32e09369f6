"""Weak-to-strong in the town with language models: what is classified, and who reads first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solon.bench.town_tasks import SMALL, Pretrained, TownTask, TownTexts
from solon.objectives.weak import Naive
from solon.recipes.weak_to_strong import WeakToStrong
from solon.run import lines
from solon.run.run import Run

TASK = TownTask(supervise=60, transfer=120, test=100)


def brief(name: str) -> Pretrained:
    schooled = replace(SMALL.model, lessons=TownTexts(n=128), name=name)
    return replace(SMALL, model=schooled)


def test_the_parts_share_no_answer_and_half_are_better(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        (task,) = TASK.open(run)
        (again,) = TASK.open(run)
    parts = [set(one.seen("text")) for one in (task.supervise, task.transfer, task.test)]
    assert [len(one) for one in parts] == [60, 120, 100]
    assert len(set.union(*parts)) == 280
    labels = np.concatenate([one.labels for one in (task.supervise, task.transfer, task.test)])
    assert 0.35 < labels.mean() <= 0.5
    assert again.test.ids == task.test.ids


def test_a_model_reads_once_and_is_taken_from_its_folder_after(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        first = brief("small").open(run)
        again = brief("small").open(run)
    assert first == again
    assert Path(first.model).is_dir()
    stages = [line["stage"] for line in lines.read(tmp_path / "stages.jsonl")]
    assert stages == ["small"]
    said = first.new(2, seed=0).predict(["is it right ?"])
    assert said[0] == pytest.approx(0.5)


def test_supervisor_and_student_are_language_models(tmp_path: Path) -> None:
    recipe = WeakToStrong(
        tasks=TASK, weak=brief("small"), strong=brief("large"), objective=Naive(), seeds=1
    )
    with Run(tmp_path) as run:
        said = recipe(run)
    assert {one.role for one in said} == {"weak", "naive", "ceiling"}
    assert len([one for one in said if one.part == "test"]) == 300
    assert len({one.p for one in said}) > 200
