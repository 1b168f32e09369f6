from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from solon.audits.recovery import Recovery
from solon.errors import DataError, InputError
from solon.judges.trials import Trial, read_trials
from solon.records import Finding

ACCURACY = {"weak": 0.6, "student": 0.75, "ceiling": 0.9}


def trials(
    accuracy: dict[str, float] | None = None,
    *,
    imitates: float = 0.0,
    tasks: Sequence[str] = ("one",),
    seeds: int = 3,
    items: int = 800,
) -> list[Trial]:
    """Classifiers of these accuracies; the student says the weak class where it imitates."""
    rng = np.random.default_rng(0)
    made: list[Trial] = []
    for task in tasks:
        labels = rng.integers(2, size=items)
        for seed in range(seeds):
            said: dict[str, np.ndarray] = {}
            for role, right in (accuracy or ACCURACY).items():
                said[role] = np.where(rng.random(items) < right, labels, 1 - labels)
            copied = rng.random(items) < imitates
            said["student"] = np.where(copied, said["weak"], said["student"])
            made += [
                Trial(task=task, item=str(k), seed=seed, role=role, label=str(label),
                      said=str(words[k]))
                for role, words in said.items()
                for k, label in enumerate(labels)
            ]  # fmt: skip
    return made


def by_name(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def test_the_planted_share_is_recovered_with_its_parts() -> None:
    found = by_name(Recovery().recorded(trials()))
    assert found["pgr/student"].low < 0.5 < found["pgr/student"].high
    assert found["pgr/student"].verdict == "pass"
    for role, accuracy in ACCURACY.items():
        assert found[f"accuracy/{role}"].low < accuracy < found[f"accuracy/{role}"].high


def test_a_student_below_its_supervisor_warns() -> None:
    worse = by_name(Recovery().recorded(trials({**ACCURACY, "student": 0.5})))
    assert worse["pgr/student"].high < 0
    assert worse["pgr/student"].verdict == "warn"


def test_imitation_shows_where_the_supervisor_was_wrong() -> None:
    free = by_name(Recovery().recorded(trials()))
    copy = by_name(Recovery().recorded(trials(imitates=0.8)))
    # who errs by itself agrees on errors as often as it errs: 1 - 0.75
    assert free["agrees_where_wrong/student"].low < 0.25 < free["agrees_where_wrong/student"].high
    planted = 0.8 + 0.2 * 0.25
    assert (
        copy["agrees_where_wrong/student"].low < planted < copy["agrees_where_wrong/student"].high
    )
    assert copy["agrees_where_right/student"].estimate > free["agrees_where_right/student"].estimate
    assert copy["pgr/student"].high < free["pgr/student"].low


def test_several_tasks_have_their_median_and_tiny_gaps_are_left_out() -> None:
    wide = trials(tasks=("one", "two", "three"))
    tiny = trials({"weak": 0.7, "student": 0.8, "ceiling": 0.705}, tasks=("tiny",))
    found = by_name(Recovery().recorded([*wide, *tiny]))
    assert "median over 3 tasks; 1 with too small a gap" in found["pgr/student"].note
    each = sorted(found[f"pgr/student/{task}"].estimate for task in ("one", "two", "three"))
    assert found["pgr/student"].estimate == each[1]
    assert found["accuracy/ceiling/tiny"].note == "the gap is too small to tell"
    alone = by_name(Recovery().recorded(tiny))
    assert np.isnan(alone["pgr/student"].estimate)


def test_early_stopping_by_the_tests_labels_is_a_bound_and_no_result() -> None:
    rows = trials()
    students = [one for one in rows if one.role == "student"]
    early = [_at(one, epoch=1, said=one.label if int(one.item) < 700 else one.said)
             for one in students]  # fmt: skip
    late = [_at(one, epoch=2, said=one.said) for one in students]
    found = by_name(Recovery().recorded([*rows, *early, *late]))
    assert found["bound/student"].estimate > 1.0
    assert "a bound, not a result" in found["bound/student"].note
    assert found["bound/student"].verdict == "measured"
    assert (
        found["pgr/student"].estimate == by_name(Recovery().recorded(rows))["pgr/student"].estimate
    )


def _at(trial: Trial, *, epoch: int, said: str) -> Trial:
    return Trial(task=trial.task, item=trial.item, seed=trial.seed, role=trial.role,
                 label=trial.label, said=said, epoch=epoch)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [o for o in rows if o.role != "ceiling"], "role 'ceiling', got none"),
        (lambda rows: [o for o in rows if o.role != "student"], "a student beside"),
        (lambda rows: rows[:-1], "every item"),
        (lambda rows: [*rows, rows[0]], "each item once"),
        (lambda _: [], "expected trials, got none"),
    ],
)
def test_what_is_not_whole_is_an_error(change, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Recovery().recorded(change(trials(items=20)))


def test_rows_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    row = {"item": 1, "role": "weak", "label": 0, "said": 1, "seed": 2}
    path.write_text(json.dumps(row))
    assert read_trials(path) == [
        Trial(task="task", item="1", seed=2, role="weak", label="0", said="1")
    ]
    for bad, field in ((row | {"seed": 1.5}, "seed"), (row | {"said": None}, "said"),
                       (row | {"mood": 1}, "mood")):  # fmt: skip
        path.write_text(json.dumps(bad))
        with pytest.raises(DataError, match=f"row 1.*{field}"):
            read_trials(path)
