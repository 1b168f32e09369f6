"""KTO: where marks come from, what is measured, and that a run breaks off without a trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.errors import RunError
from solon.objectives.unpaired import KTO
from solon.records import Completion, Mark, Prompt
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.approve import balanced
from solon.stages.fit_reward import apart
from solon.statistics import auc


def marks(good: int, bad: int) -> list[Mark]:
    prompts = [Prompt.of(f"ask {i}") for i in range(good + bad)]
    return [
        Mark(completion=Completion(prompt=p, text="x"), desirable=i < good)
        for i, p in enumerate(prompts)
    ]


def test_a_run_broken_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    one, two = stopped_and_whole(tmp_path, "kto", shows=4)
    assert one == two


def test_every_pair_becomes_two_marks_and_the_first_update_stands_at_a_half(tmp_path: Path) -> None:
    recipe, _ = tiny("kto")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    pairs = read_records(tmp_path / "records" / "preferences")
    found = read_records(tmp_path / "records" / "marks")
    ties = sum(one.p == 0.5 for one in pairs)
    assert len(found) == 2 * (len(pairs) - ties) > 20
    assert sum(one.desirable for one in found) == len(found) / 2
    said = [x for x in lines.read(tmp_path / "metrics.jsonl") if x["stage"] == "approve"]
    assert said[0]["loss"] == pytest.approx(0.5, abs=1e-6)
    assert said[0]["kl"] == 0.0
    assert {"sampled_kl", "length", "eos_rate", "heldout_auc", "heldout"} <= set(said[-1])
    assert "sampled_kl" not in said[0]


def test_marks_that_someone_gave_leave_the_judge_unasked(tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    rows = [
        {"prompt": f"tell me how to clean the table {i}", "completion": text, "label": label}
        for i in range(8)
        for text, label in (("use the cloth .", True), ("no .", False))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    from dataclasses import replace

    from solon.judges.marks import MarkFile

    recipe, _ = tiny("kto")
    given = replace(recipe, marks=MarkFile(path=str(path)), judge=None)
    with Run(tmp_path / "run", seed=1) as run:
        given(run)
    kept = read_records(tmp_path / "run" / "records" / "marks")
    assert [one.desirable for one in kept] == [True, False] * 8
    assert not (tmp_path / "run" / "records" / "judgements").exists()


def test_balance_raises_the_rarer_side_until_both_weigh_the_same() -> None:
    rare = balanced(KTO(), marks(30, 10))
    assert (rare.desirable, rare.undesirable) == (1.0, 3.0)
    other = balanced(KTO(desirable=2.0), marks(10, 40))
    assert (other.desirable, other.undesirable) == (8.0, 1.0)
    with pytest.raises(RunError, match="all 5 are desirable"):
        balanced(KTO(), marks(5, 0))


def test_marks_of_one_dialogue_are_kept_aside_together() -> None:
    data = [one for one in marks(10, 10) for _ in range(2)]
    held, kept = apart(data, lambda one: one.completion.prompt, 0.25, seed=3)
    assert (len(held), len(kept)) == (10, 30)
    assert not {m.completion.prompt for m in held} & {m.completion.prompt for m in kept}


def test_the_auc_is_the_share_of_pairs_in_order_with_ties_half() -> None:
    scores, good = np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False])
    # 3 over 1, 3 over 2, 2 over 1, 2 against 2
    assert auc(scores, list(good)) == pytest.approx(3.5 / 4)
    assert auc(-scores, list(good)) == pytest.approx(0.5 / 4)


def test_a_lone_mark_at_the_end_of_a_pass_is_no_batch(tmp_path: Path) -> None:
    recipe, _ = tiny("kto", approve__batch="3", approve__holdout="0", label__prompts="8")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    said = [x for x in lines.read(tmp_path / "metrics.jsonl") if x["stage"] == "approve"]
    n = len(read_records(tmp_path / "records" / "marks"))
    assert len(said) == n // 3 + (n % 3 == 2)
