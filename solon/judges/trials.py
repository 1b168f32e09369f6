"""Which class each of several classifiers gave each item: what an audit of recovery reads.

The file's schema stands in docs/audits/recovery.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.judges import cells
from solon.judges.rows import Row
from solon.records import Prediction
from solon.seams.classifying import Task

FIELDS = ("task", "item", "seed", "role", "label", "said", "cluster", "epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one classifier said of one test item, and what it is.

    ``role`` is weak, ceiling, or a student's name. ``epoch`` is after how many epochs; 0 is after
    the last. Items of one ``cluster`` are not independent.

    Example:
        Trial(task="irony", item="17", seed=2, role="student", label="1", said="0")
    """

    task: str
    item: str
    seed: int
    role: str
    label: str
    said: str
    cluster: str = ""
    epoch: int = 0


def read_trials(path: Path | str) -> list[Trial]:
    """Trials from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _trial)


def _trial(row: Row) -> Trial:
    return Trial(
        task=cells.name(row, "task", "task"),
        item=cells.required(row, "item"),
        seed=_whole(row, "seed"),
        role=cells.required(row, "role"),
        label=cells.required(row, "label"),
        said=cells.required(row, "said"),
        cluster=cells.name(row, "cluster"),
        epoch=_whole(row, "epoch"),
    )


def _whole(row: Row, field: str) -> int:
    value = cells.number(row, field) or 0
    if value < 0 or value != int(value):
        raise row.fault(field, "a whole number, 0 or more")
    return int(value)


def judged(predictions: Iterable[Prediction], tasks: Sequence[Task]) -> list[Trial]:
    """Predictions of test items beside the tasks' labels, which no recipe looks at."""
    labels = {
        (task.name, item): str(label)
        for task in tasks
        for item, label in zip(task.test.ids, task.test.labels, strict=True)
    }
    return [
        Trial(
            task=one.task,
            item=one.item,
            seed=one.seed,
            role=one.role,
            label=labels[one.task, one.item],
            said=str(int(np.argmax(one.p))),
            epoch=one.epoch,
        )
        for one in predictions
        if one.part == "test"
    ]
