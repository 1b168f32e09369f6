"""Figures that others published, from the rows that they published with them."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.audits.agreement import Agreement
from solon.audits.position_bias import PositionBias
from solon.audits.win_rate import WinRate
from solon.judges.recorded import Verdict, read_verdicts
from solon.statistics import (
    cohen_kappa,
    length_controlled,
    mean,
    predicted_win_rate,
    spearman,
    standard_error,
    table,
)

pytestmark = pytest.mark.data
BASELINE = "gpt4_1106_preview"
Models = dict[str, list[Verdict]]


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path) as lines:
        return [json.loads(line) for line in lines]


def _csv(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as lines:
        return {row[""]: row for row in csv.DictReader(lines)}


@pytest.fixture(scope="module")
def alpaca(data: Path) -> Models:
    """Each model's verdicts as ``first`` against the baseline; a preference of 0 is a tie."""
    name = "alpaca_eval/annotations_condensed/weighted_alpaca_eval_gpt4_turbo.jsonl.gz"
    models: Models = defaultdict(list)
    for row in _lines(data / name):
        won = (row["preference"] or 1.5) - 1
        models[row["model"]].append(
            Verdict(id=str(row["iid"]), cluster=str(row["iid"]), orders=(won,),
                    len_first=row["len_2"], len_second=row["len_1"])
        )  # fmt: skip
    return models


@pytest.fixture(scope="module")
def leaderboard(data: Path) -> dict[str, dict[str, str]]:
    board = "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
    return _csv(data / "alpaca_eval/leaderboards/data_AlpacaEval_2" / board)


@pytest.fixture(scope="module")
def difficulty(data: Path) -> dict[str, float]:
    found = json.loads(
        (data / "alpaca_eval/derived/instruction_difficulty_map_DERIVED.json").read_text()
    )
    return {str(i): hard for i, hard in zip(found["iid"], found["difficulty_map"], strict=True)}


def test_alpacaevals_win_rates_and_standard_errors_are_exact(
    alpaca: Models, leaderboard: dict[str, dict[str, str]]
) -> None:
    assert len(alpaca) == 33
    for model, verdicts in alpaca.items():
        won = np.array([verdict.p for verdict in verdicts])
        rate, published = mean(won), leaderboard[model]
        assert 100 * rate.estimate == pytest.approx(float(published["win_rate"]), abs=1e-10)
        error = 100 * standard_error((won - rate.estimate) / len(won))
        assert error == pytest.approx(float(published["standard_error"]), abs=1e-10)
        found = WinRate().recorded(verdicts)[0]
        assert found.estimate == rate.estimate


def _controlled(verdicts: list[Verdict], difficulty: dict[str, float] | None) -> float:
    found = WinRate(difficulty=difficulty).recorded(verdicts)
    return 100 * next(f.estimate for f in found if f.quantity == "win_rate_glm")


def test_a_refit_comes_within_a_point_of_alpacaevals_length_controlled_rates(
    alpaca: Models, leaderboard: dict[str, dict[str, str]], difficulty: dict[str, float]
) -> None:
    models = [model for model in alpaca if model != BASELINE]
    published = np.array([float(leaderboard[m]["length_controlled_winrate"]) for m in models])
    refit = np.array([_controlled(alpaca[m], difficulty) for m in models])
    assert len(models) == 32
    assert np.abs(refit - published).mean() == pytest.approx(0.97, abs=0.02)
    assert np.abs(refit - published).max() < 4.3
    assert spearman(refit, published).estimate == pytest.approx(0.983, abs=0.002)
    length_alone = np.array([_controlled(alpaca[m], None) for m in models])
    assert np.abs(length_alone - published).mean() == pytest.approx(6.5, abs=0.3)
    plain = np.array([float(leaderboard[m]["win_rate"]) for m in models])
    assert np.abs(plain - published).mean() > 4 * np.abs(refit - published).mean()


def test_a_model_against_itself_wins_half(alpaca: Models, difficulty: dict[str, float]) -> None:
    found = WinRate(difficulty=difficulty).recorded(alpaca[BASELINE])
    rates = [f.estimate for f in found if f.quantity != "abstained"]
    assert rates == pytest.approx([0.5, 0.5, 0.5], abs=1e-9)


def test_alpacaevals_own_weights_give_its_own_rates(
    data: Path, leaderboard: dict[str, dict[str, str]], difficulty: dict[str, float]
) -> None:
    weights = _csv(
        data / "alpaca_eval/lc_weights/weighted_alpaca_eval_gpt4_turbo/length_controlled_v1"
        "/baseline_gpt4_1106_preview.csv"
    )
    grid = json.loads(
        (data / "alpaca_eval/derived/difficulty_distribution_grid_DERIVED.json").read_text()
    )["grid"]
    errors: dict[str, list[float]] = {"grid": [], "map": []}
    for model, row in weights.items():
        theta = float(row["not_gamed_baseline.astype(float)"])
        psi = float(row["instruction_difficulty"])
        published = float(leaderboard[model]["length_controlled_winrate"])
        for name, values in (("grid", grid), ("map", list(difficulty.values()))):
            rate = 100 * predicted_win_rate(theta, psi, np.array(values))
            errors[name].append(abs(rate - published))
    assert len(errors["grid"]) == 33
    assert (np.mean(errors["grid"]), max(errors["grid"])) == pytest.approx((0.002, 0.008), abs=1e-3)
    assert (np.mean(errors["map"]), max(errors["map"])) == pytest.approx((0.31, 1.78), abs=0.01)


def test_length_control_brings_the_twins_of_one_model_together(
    alpaca: Models, difficulty: dict[str, float]
) -> None:
    twins = [f"gpt-3.5-turbo-1106{suffix}" for suffix in ("_concise", "", "_verbose")]
    hard = {twin: np.array([difficulty[v.cluster] for v in alpaca[twin]]) for twin in twins}
    plain = [mean([v.p or 0.0 for v in alpaca[twin]]).estimate for twin in twins]
    controlled = [
        length_controlled(
            np.array([v.p for v in alpaca[twin]]),
            np.array([v.len_first for v in alpaca[twin]], float),
            np.array([v.len_second for v in alpaca[twin]], float),
            difficulty=hard[twin],
        ).win_rate
        for twin in twins
    ]
    assert [round(100 * rate, 3) for rate in plain] == [7.416, 9.178, 12.763]
    for rate, published in zip(controlled, (0.1577, 0.1930, 0.2200), strict=True):
        assert rate.low < published < rate.high
    spread = max(c.estimate for c in controlled) / min(c.estimate for c in controlled)
    assert spread < 1.6 < max(plain) / min(plain)


@pytest.fixture(scope="module")
def llmbar(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Models:
    """LLMBar's verdicts, written in the documented schema and read back."""
    names = {"1": "first", "2": "second", None: None}
    rows = _lines(data / "llmbar/judgments_condensed.jsonl.gz")
    path = tmp_path_factory.mktemp("llmbar") / "verdicts.jsonl"
    with path.open("w") as file:
        for row in rows:
            verdict = {
                "id": f"{row['subset']}/{row['i']}",
                "judge": f"{row['subset']}/evaluators/{row['evaluator']}",
                "winner": names[row["winner_order12"]],
                "winner_swapped": names[row["winner_order21"]],
                "gold": names[str(row["label"])],
                "len_first": row["len_1"],
                "len_second": row["len_2"],
            }
            file.write(json.dumps(verdict) + "\n")
    judges: Models = defaultdict(list)
    for verdict in read_verdicts(path):
        judges[verdict.judge].append(verdict)
    return judges


@pytest.fixture(scope="module")
def statistics(data: Path) -> dict[str, dict[str, Any]]:
    with gzip.open(data / "llmbar/statistics_all.json.gz") as file:
        return json.load(file)


def _percent(text: str) -> float:
    return float(text.rpartition("=")[2].strip().rstrip("%"))


def test_llmbars_accuracies_and_agreements_are_reproduced(
    llmbar: Models, statistics: dict[str, dict[str, Any]]
) -> None:
    assert llmbar.keys() == statistics.keys()
    accurate, agreed = 0, []
    for judge, verdicts in llmbar.items():
        found = {f.quantity: 100 * f.estimate for f in PositionBias().recorded(verdicts)}
        published = statistics[judge]
        accuracy = _percent(published["correct_average"])
        accurate += abs(found["accuracy_llmbar"] - accuracy) < 0.06
        if abs(100 - found["inconsistent"] - _percent(published["equal"])) < 0.06:
            agreed.append(judge)
    assert accurate == 239
    assert len(agreed) == 238
    assert set(llmbar) - set(agreed) == {"CaseStudy/Negation/evaluators/ChatGPT-0301/Swap_CoT"}


def test_on_natural_pairs_the_strong_judge_is_right_and_the_weak_one_takes_a_slot(
    llmbar: Models,
) -> None:
    def natural(name: str) -> dict[str, Any]:
        verdicts = llmbar[f"LLMBar/Natural/evaluators/{name}"]
        found = [*PositionBias().recorded(verdicts), *Agreement(draws=200).recorded(verdicts)]
        return {finding.quantity: finding for finding in found}

    strong, weak = natural("GPT-4/Vanilla"), natural("Falcon/Vanilla")
    assert strong["accuracy_llmbar"].estimate == pytest.approx(0.955)
    assert strong["accuracy"].verdict == "pass"
    assert weak["inconsistent"].estimate == pytest.approx(0.48)
    assert weak["inconsistent"].verdict == "warn"
    assert strong["accuracy"].low > weak["accuracy"].high


def test_pandalms_annotators_agree_as_published(data: Path) -> None:
    with gzip.open(data / "pandalm/testset-v1.json.gz") as file:
        rows = json.load(file)
    votes = [[row[f"annotator{k}"] for row in rows] for k in (1, 2, 3)]
    tables = [table(votes[a], votes[b], (0, 1, 2)) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert [round(cohen_kappa(counts), 3) for counts in tables] == [0.848, 0.868, 0.849]


def test_pandalms_judges_score_as_measured(data: Path) -> None:
    def answers(name: str) -> list[dict[str, Any]]:
        with gzip.open(data / "pandalm" / f"{name}.json.gz") as file:
            return json.load(file)

    names = {"0": "tie", "Tie": "tie", "1": "first", "2": "second", "garbage": None}
    share = {"first": 1.0, "second": 0.0, "tie": 0.5, None: None}
    people = []
    for row in answers("testset-v1"):
        votes = [row[f"annotator{k}"] for k in (1, 2, 3)]
        people.append(share[names[str(max(set(votes), key=votes.count))]])
    for name, field, accuracy, silent in (
        ("pandalm-7b-testset-v1", "pandalm_result", 0.6774, 0),
        ("gpt-3.5-turbo-testset-v1", "gpt_result", 0.6892, 13),
    ):
        said = [share[names[str(row[field])]] for row in answers(name)]
        verdicts = [
            Verdict(id=str(k), cluster=str(k), orders=(p,), gold=g)
            for k, (p, g) in enumerate(zip(said, people, strict=True))
        ]
        found = {f.quantity: f for f in Agreement(draws=100).recorded(verdicts)}
        assert found["accuracy"].estimate == pytest.approx(accuracy, abs=0.0005)
        assert found["abstained"].estimate == pytest.approx(silent / 592)
