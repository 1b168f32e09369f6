"""The claims of weak-to-strong: whole, on one small cell, and each prediction able to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.claims import _gap
from solon.claims import confidence_recovers_more as confidence
from solon.claims import overtraining_destroys as overtraining
from solon.claims import weak_to_strong_recovers as recovers
from solon.claims._claim import Outcome


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = replace(_gap.LAB, test=1000)
    monkeypatch.setattr(_gap, "LAB", lab)
    monkeypatch.setattr(_gap, "RECIPE", replace(_gap.RECIPE, tasks=lab))


def verdicts(
    predictions: Callable[[Mapping[str, Any]], list[Outcome]], figures: Mapping[str, float]
) -> dict[str, str]:
    """Of five seeds that agree but for a hair."""
    column = {name: np.full(5, value) + np.linspace(0, 1e-12, 5) for name, value in figures.items()}
    return {one.says: one.verdict for one in predictions(column)}


def test_a_student_recovers_unless_errors_are_as_plain_as_the_truth(tmp_path: Path) -> None:
    figures = recovers.measure(tmp_path, recovers.WeakToStrongRecovers(), 0)
    assert set(verdicts(recovers.predictions, figures).values()) == {"holds"}
    copied = {**figures, "0.3/pgr/naive": -0.1, "1.0/pgr/naive": 0.3, "shuffled/pgr/naive": 0.2}
    found = verdicts(recovers.predictions, copied)
    assert [found[name] for name in found].count("fails") == 3


def test_confidence_recovers_more_by_imitating_less(tmp_path: Path) -> None:
    figures = confidence.measure(tmp_path, confidence.ConfidenceRecoversMore(), 0)
    assert set(verdicts(confidence.predictions, figures).values()) == {"holds"}
    none = {**figures, "confidence 0.75/pgr/student": figures["confidence 0.75/pgr/naive"] - 0.1}
    assert verdicts(confidence.predictions, none)["PGR, confidence 0.75 less naive"] == "fails"


def test_training_for_too_long_costs_what_was_recovered(tmp_path: Path) -> None:
    figures = overtraining.measure(tmp_path, overtraining.OvertrainingDestroys(), 0)
    assert set(verdicts(overtraining.predictions, figures).values()) == {"holds"}
    steady = {**figures, "long/pgr/naive": figures["short/pgr/naive"] + 0.01}
    assert verdicts(overtraining.predictions, steady)["PGR, 60 epochs less 10, naive"] == "fails"
