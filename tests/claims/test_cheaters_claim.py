"""The claim of the hardened scorer: each prediction can fail."""

from __future__ import annotations

import numpy as np

from solon.claims import cheaters_are_caught as cheaters

GOOD = {
    "skipper/rings": 1.0, "thief/rings": 1.0, "honest/rings": 0.0, "honest/gap": 0.01,
    "exact/dev": 0.01, "exact/final": 0.0, "ladder/dev": 0.0, "picker/dev": 0.5,
    "picker/final": 0.45,
}  # fmt: skip


def verdicts(figures: dict[str, float]) -> list[str]:
    column = {name: np.full(5, value) + np.linspace(0, 1e-12, 5) for name, value in figures.items()}
    return [one.verdict for one in cheaters.predictions(column)]


def test_a_scorer_that_catches_and_tells_nothing_holds() -> None:
    assert set(verdicts(GOOD)) == {"holds"}


def test_each_prediction_can_fail() -> None:
    bad = {
        "skipper/rings": 0.0, "thief/rings": 0.5, "honest/rings": 0.3, "honest/gap": 0.2,
        "exact/dev": -0.01, "exact/final": 0.05, "ladder/dev": 0.1, "picker/final": 0.6,
    }  # fmt: skip
    for number, (name, value) in enumerate(bad.items()):
        found = verdicts({**GOOD, name: value})
        assert found[number] == "fails", name
        assert found.count("fails") == 1


def test_the_scripted_thief_and_prober_submit_what_the_scorer_takes() -> None:
    labels = np.zeros(cheaters.LAB.test, dtype=int).tolist()
    assert len(cheaters.SAYS.format(labels)) < cheaters.EXACT.source_bytes
    assert cheaters.Method.of(cheaters.SAYS.format(labels)).digest
