"""A judge on Ray labels as the judge does: the same labels, the same estimate, no cluster."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from solon.bench.labelling import Labelling, Rows, estimate, labelling_on
from solon.bench.labelling.made import made_by
from solon.engines.endpoint import Endpoint
from solon.engines.ray import OnRay
from solon.judges.logits import LogitJudge

JUDGE = LogitJudge(policy=Endpoint(model="m", base_url="http://127.0.0.1:9/v1"))


def test_where_copies_run_makes_no_label() -> None:
    alone = made_by(JUDGE, seed=1)
    assert made_by(OnRay(inner=JUDGE, copies=7), seed=1) == alone
    other = replace(JUDGE, preamble="preamble/harmless")
    assert made_by(OnRay(inner=other), seed=1) == made_by(other, seed=1) != alone


def test_an_estimate_counts_a_judge_on_ray_without_a_cluster(tmp_path: Path) -> None:
    rows = tmp_path / "pairs.jsonl"
    lines = [{"prompt": f"p{i}", "first": "one", "second": "two"} for i in range(5)]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = [
        str(estimate(Labelling(judge=judge), Rows(path=rows)))
        for judge in (JUDGE, OnRay(inner=JUDGE))
    ]
    assert told[0] == told[1]
    assert "5 calls" in told[0]


def test_the_shell_reaches_the_copies_and_what_they_open() -> None:
    keys = {"judge": "ray", "judge.copies": "5", "judge.model": "qwen", "judge.cut": "64"}
    judge = labelling_on("endpoint", keys, "compare").judge
    assert isinstance(judge, OnRay)
    assert (judge.copies, judge.cut) == (5, 64)
    assert judge.inner.judge.policy.model == "qwen"
