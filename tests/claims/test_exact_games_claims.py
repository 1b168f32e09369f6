"""The claims of the exact games: whole on one small cell, and each prediction able to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from solon.claims import debate_reaches_pspace as pspace
from solon.claims import pixels_debate as pixels
from solon.claims import verifier_cost_is_flat as flat
from solon.claims._claim import Outcome

FLAT = {
    **{f"wins/{name}": 0.65 for name in flat.LIARS}, "exact/Alice": 0.64, "exact/Bob": 0.66,
    "Alice/16": 5.0, "Alice/1024": 5.0, "Bob/16": 2.0, "Bob/1024": 2.0,
    "Vera/16": 100.0, "Vera/1024": 100.0,
}  # fmt: skip
PSPACE = {
    "debate/16": 1.0, "direct 1/16": 0.52, "prover/16": 0.5, "nature/16": 0.7,
    "judge reads/8": 12.0, "judge reads/16": 24.0, "search reads/8": 40.0, "search reads/16": 800.0,
    "bounded 4/16": 0.6, "bounded 64/16": 0.8, "bounded 16/16": 0.7, "outmatched/16": 0.6,
}  # fmt: skip
PIXELS = {
    f"{name}/{k}": value
    for k in pixels.PIXELS
    for name, value in {
        "debate": 0.97, "random": 0.8, "random, ten classes": 0.4, "consultant, honest": 1.0,
        "consultant, dishonest": 0.0, "debate, free liar": 0.6, "debate, two turns ahead": 0.97,
    }.items()
}  # fmt: skip


def verdicts(
    predictions: Callable[[Mapping[str, np.ndarray]], list[Outcome]], figures: Mapping[str, float]
) -> list[str]:
    """Of five seeds that agree but for a hair."""
    hair = np.linspace(0, 1e-13, 5)
    return [one.verdict for one in predictions({k: v + hair for k, v in figures.items()})]


@pytest.mark.parametrize(
    ("claim", "good"), [(flat, FLAT), (pspace, PSPACE), (pixels, PIXELS)], ids=lambda one: ""
)
def test_figures_as_foretold_hold(claim, good) -> None:
    assert set(verdicts(claim.predictions, good)) == {"holds"}


@pytest.mark.parametrize(
    ("claim", "good", "bad"),
    [
        (flat, FLAT, {f"wins/{next(iter(flat.LIARS))}": 0.5}),
        (flat, FLAT, {"exact/Bob": 0.55}),
        (flat, FLAT, {"Alice/1024": 6.0}),
        (flat, FLAT, {"Vera/1024": 101.0}),
        (pspace, PSPACE, {"direct 1/16": 0.7}),
        (pspace, PSPACE, {"prover/16": 0.9}),
        (pspace, PSPACE, {"nature/16": 1.1}),
        (pspace, PSPACE, {"judge reads/16": 96.0}),
        (pspace, PSPACE, {"search reads/16": 80.0}),
        (pspace, PSPACE, {"bounded 64/16": 0.5}),
        (pspace, PSPACE, {"outmatched/16": 0.75}),
        (pixels, PIXELS, {"random/4": 0.9}),
        (pixels, PIXELS, {"consultant, dishonest/6": 0.3}),
        (pixels, PIXELS, {"random, ten classes/6": 0.7}),
        (pixels, PIXELS, {"debate, two turns ahead/4": 0.9}),
    ],
)
def test_each_prediction_can_fail(claim, good, bad) -> None:
    assert verdicts(claim.predictions, {**good, **bad}).count("fails") == 1


def test_the_verifiers_claim_is_measured_on_a_small_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat, "VOTES", 8)
    monkeypatch.setattr(flat, "LENGTHS", (4, 16))
    found = flat.measure(tmp_path, flat.VerifierCostIsFlat(games=40), 300)
    assert found["exact/Alice"] > 0.6
    assert found["exact/Bob"] > 0.6
    assert found["wins/lies at the last step"] > 0.8
    assert found["Vera/4"] == found["Vera/16"]
    assert found["Alice/4"] == pytest.approx(found["Alice/16"], rel=0.01)
    assert found["Vera, majority/16"] > found["Vera, majority/4"]


def test_the_formulas_claim_is_measured_on_a_small_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pspace, "SIZES", (6, 8))
    found = pspace.measure(tmp_path, pspace.DebateReachesPspace(formulas=20), 301)
    assert found["debate/6"] == found["debate/8"] == 1.0
    assert found["prover/8"] == 0.5
    assert found["search reads/8"] > found["search reads/6"]


def test_the_pixels_claim_is_measured_on_a_small_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "PIXELS", (4,))
    found = pixels.measure(tmp_path, pixels.PixelsDebate(played=60), 302)
    assert found["consultant, dishonest/4"] < found["random/4"] < found["debate/4"]
    assert found["debate, free liar/4"] < found["debate/4"]
