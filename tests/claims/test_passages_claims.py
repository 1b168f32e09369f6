"""The claims on hidden passages: whole on one small cell, and each prediction able to fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from solon.claims import debate_beats_consultancy as beats
from solon.claims import persuasion_helps_the_truth as helps
from solon.claims._claim import Outcome

BARE, EQUAL = "no asymmetry", "lies not more refutable"
BEATS = {
    "naive": 0.5, "consultancy": 0.55, "consultancy, dishonest": 0.2, "debate": 0.75,
    "debate, sequential": 0.8, "expert": 0.97, "debate, source read": 0.98,
    "open debate, picked wrong": 0.7, "open consultancy, picked wrong": 0.2,
    "open debate, picked right": 0.75, "open consultancy, picked right": 0.9,
    f"naive, {BARE}": 0.5, f"debate, {BARE}": 0.5, f"consultancy, {BARE}": 0.5,
    f"expert, {BARE}": 0.7, f"debate, {EQUAL}": 0.55, f"consultancy, {EQUAL}": 0.56,
}  # fmt: skip
HELPS = {
    "debate/1": 0.7, "debate/4": 0.8, "debate/16": 0.85,
    "consultancy/1": 0.57, "consultancy/16": 0.53,
    "consultancy, honest/1": 0.8, "consultancy, honest/16": 0.99,
    "consultancy, dishonest/1": 0.34, "consultancy, dishonest/16": 0.07,
    "debate at asymmetry 0/1": 0.5, "debate at asymmetry 0/16": 0.52,
    "slope": 0.06, "lead/0": 100.0, "lead/4": 300.0,
}  # fmt: skip
CASES = {"beats": (beats, BEATS), "helps": (helps, HELPS)}


def verdicts(name: str, changes: Mapping[str, float] | None = None) -> list[str]:
    """Of five seeds that agree but for a hair."""
    claim, good = CASES[name]
    hair = np.linspace(0, 1e-12, 5)
    column = {key: value + hair for key, value in {**good, **(changes or {})}.items()}
    found: list[Outcome] = claim.predictions(column)
    return [one.verdict for one in found]


@pytest.mark.parametrize("name", CASES)
def test_figures_as_foretold_hold(name: str) -> None:
    assert set(verdicts(name)) == {"holds"}


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("beats", {"naive": 0.56}),
        ("beats", {"consultancy": 0.66}),
        ("beats", {"expert": 0.7, "debate, source read": 0.7}),
        ("beats", {"consultancy, dishonest": 0.6}),
        ("beats", {"debate, sequential": 0.7}),
        ("beats", {"open debate, picked wrong": 0.3}),
        ("beats", {"open debate, picked right": 0.95}),
        ("beats", {"debate, source read": 0.9}),
        ("beats", {f"debate, {BARE}": 0.6}),
        ("beats", {f"consultancy, {BARE}": 0.4}),
        ("beats", {f"expert, {BARE}": 0.5}),
        ("beats", {f"debate, {EQUAL}": 0.7}),
        ("helps", {"debate/4": 0.6}),
        ("helps", {"debate/16": 0.75}),
        ("helps", {"consultancy/16": 0.6}),
        ("helps", {"consultancy, honest/16": 0.7}),
        ("helps", {"consultancy, dishonest/16": 0.4}),
        ("helps", {"debate at asymmetry 0/16": 0.65}),
        ("helps", {"slope": -0.01}),
        ("helps", {"lead/4": 50.0}),
    ],
)
def test_each_prediction_can_fail(name: str, bad: dict[str, float]) -> None:
    assert verdicts(name, bad).count("fails") == 1


def test_the_protocols_are_measured_on_a_small_cell(tmp_path: Path) -> None:
    found = beats.measure(tmp_path, beats.DebateBeatsConsultancy(stories=40), 9001)
    assert found["naive"] == 0.5
    assert found["expert"] > found["debate"] > found["consultancy, dishonest"]
    halves = found["consultancy, honest"] + found["consultancy, dishonest"]
    assert found["consultancy"] == pytest.approx(halves / 2)
    assert found["share picked right"] + found["share picked wrong"] == 1.0
    assert {one.says for one in beats.levels({k: np.ones(2) for k in found})} >= {
        "accuracy, debate, liars invent quotes",
        "share picked right",
    }


def test_persuasion_is_measured_on_a_small_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helps, "SKILLS", (0.0, 4.0))
    found = helps.measure(tmp_path, helps.PersuasionHelpsTheTruth(stories=8, met=30), 9001)
    assert found["consultancy, dishonest/16"] < found["consultancy, dishonest/1"]
    assert found["elo/4"] > 1500 > found["elo/0"]
    assert found["elo/4"] + found["elo/0"] == pytest.approx(3000)
    assert set(HELPS) <= set(found)


def test_a_rating_counts_each_role_for_who_played_it() -> None:
    """The last skill wins in either role; among the others, who is wrong wins."""
    won = {
        (i, j): np.full(8, 1.0 if i == 4 else 0.5 if i == j else 0.0)
        for i in range(5)
        for j in range(5)
    }
    found = helps.ratings(won)
    assert found["elo/4"] == max(found[f"elo/{one:g}"] for one in helps.SKILLS)
    assert found["accuracy/4"] == 1.0
    assert found["lead/4"] > found["lead/0"]
