"""Audits of what other judges said: numbers measured here, with no published counterpart."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.audits.calibration import Calibration
from solon.audits.juries import Juries
from solon.audits.repetition import Repetition
from solon.audits.self_preference import SelfPreference
from solon.judges.recorded import Verdict
from solon.records import Finding
from solon.statistics import observed, table

pytestmark = pytest.mark.data
SHARES = {"1": 1.0, "2": 0.0, "0": 0.5, "Tie": 0.5, "garbage": None}


def _read(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path) as file:
        return json.load(file)


def _named(found: list[Finding]) -> dict[str, Finding]:
    return {finding.quantity: finding for finding in found}


def _numbers(finding: Finding) -> tuple[float, float, float]:
    return (finding.estimate, finding.low, finding.high)


@pytest.fixture(scope="module")
def natural(data: Path) -> dict[str, list[Verdict]]:
    """Each evaluator's verdicts on LLMBar's natural pairs, in both orders."""
    names = {"1": 1.0, "2": 0.0, None: None}
    judges: dict[str, list[Verdict]] = defaultdict(list)
    with gzip.open(data / "llmbar/judgments_condensed.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        if row["subset"] == "LLMBar/Natural":
            orders = (names[row["winner_order12"]], names[row["winner_order21"]])
            judges[row["evaluator"]].append(
                Verdict(id=str(row["i"]), cluster=str(row["i"]), judge=row["evaluator"],
                        orders=orders, gold=names[str(row["label"])])
            )  # fmt: skip
    return judges


@pytest.fixture(scope="module")
def people(data: Path) -> list[dict[str, Any]]:
    return _read(data / "pandalm/testset-v1.json.gz")


def _votes(row: dict[str, Any]) -> list[str]:
    return [str(row[f"annotator{k}"]) for k in (1, 2, 3)]


def _said(data: Path, people: list[dict[str, Any]], name: str, field: str) -> list[Verdict]:
    """A judge's verdicts on PandaLM's test set, with the people's majority as gold."""
    made: list[Verdict] = []
    for row, said in zip(people, _read(data / "pandalm" / name), strict=True):
        votes, (one, two) = _votes(row), row["cmp_key"].split("_")
        made.append(
            Verdict(
                id=str(row["idx"]),
                cluster=f"{row['instruction']}{row['input']}",
                orders=(SHARES[str(said[field])],),
                gold=SHARES[max(set(votes), key=votes.count)],
                len_first=len(str(row["response1"])),
                len_second=len(str(row["response2"])),
                policy_first=one,
                policy_second=two,
            )
        )
    return made


def test_prompts_of_one_model_err_together_and_models_less(
    natural: dict[str, list[Verdict]],
) -> None:
    prompts = ("Vanilla", "CoT", "Metrics", "Reference", "Swap")
    models = ("GPT-4", "ChatGPT", "LLaMA2", "PaLM2", "Falcon")
    one = _named(Juries().recorded([v for p in prompts for v in natural[f"GPT-4/{p}"]]))
    five = _named(Juries().recorded([v for m in models for v in natural[f"{m}/Vanilla"]]))
    assert _numbers(one["effective"]) == pytest.approx((1.46, 1.20, 2.17), abs=0.01)
    assert _numbers(five["effective"]) == pytest.approx((2.14, 1.78, 2.77), abs=0.01)
    assert one["correlation"].estimate > five["correlation"].estimate + 0.2
    assert _numbers(one["gain"]) == pytest.approx((0.010, -0.014, 0.034), abs=0.001)
    assert _numbers(five["gain"]) == pytest.approx((-0.077, -0.127, -0.026), abs=0.001)
    assert five["gain"].verdict == "warn"
    assert five["gain"].note == "best member: GPT-4/Vanilla"


def test_a_judge_whose_orders_agree_is_right_less_often_than_certain(
    natural: dict[str, list[Verdict]],
) -> None:
    for name, ties, wrong in (("GPT-4", 5, 0.02), ("ChatGPT", 29, 0.04), ("Falcon", 48, 0.02)):
        rows = natural[f"{name}/Vanilla"]
        found = _named(Calibration(draws=200).recorded(rows))
        assert sum(v.p == 0.5 for v in rows) == ties
        assert found["overconfidence"].estimate == pytest.approx(wrong)
        assert found["ece"].estimate == pytest.approx(wrong)
        assert found["brier"].estimate == pytest.approx((ties / 4 + 100 * wrong) / 100)
        assert f"{100 - ties} certainties" in found["slope"].note


def test_three_annotators_change_as_often_as_two_of_them_disagree(
    people: list[dict[str, Any]],
) -> None:
    votes = [_votes(row) for row in people]
    rows = [
        Verdict(id=str(row["idx"]), cluster=f"{row['instruction']}{row['input']}",
                orders=(SHARES[vote],))
        for row in people for vote in _votes(row)
    ]  # fmt: skip
    found = _named(Repetition().recorded(rows))
    columns = np.array(votes).T.tolist()
    agreed = [observed(table(columns[a], columns[b], "012")) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert found["changed"].estimate == pytest.approx(1 - np.mean(agreed))
    assert _numbers(found["changed"]) == pytest.approx((0.086, 0.061, 0.111), abs=0.001)
    assert found["changed"].n == 592


def test_a_strangers_gap_is_no_smaller_than_the_kinsmans(
    data: Path, people: list[dict[str, Any]]
) -> None:
    audit = SelfPreference(own="llama-7b")
    kin, stranger = (
        _named(audit.recorded(_said(data, people, f"{name}-testset-v1.json.gz", field)))
        for name, field in (("pandalm-7b", "pandalm_result"), ("gpt-3.5-turbo", "gpt_result"))
    )
    assert (kin["opportunity_gap"].n, stranger["opportunity_gap"].n) == (236, 229)
    assert _numbers(kin["opportunity_gap"]) == pytest.approx((0.080, -0.082, 0.264), abs=0.001)
    assert _numbers(stranger["opportunity_gap"]) == pytest.approx((0.172, 0.028, 0.321), abs=0.001)
    assert kin["opportunity_gap"].verdict == stranger["opportunity_gap"].verdict == "inconclusive"
