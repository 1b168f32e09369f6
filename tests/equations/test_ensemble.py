"""The combinations of an ensemble by hand, and against those on tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from solon.errors import InputError, SettingError
from solon.judges.ensemble import By, Ensemble, Scale
from solon.objectives.reward import mean, uncertainty_weighted, worst
from solon.records import Abstains, Completion, Prompt
from solon.run.given import Given
from solon.run.run import Run

PROMPT = Prompt.of("Why?")
TWO = [Completion(prompt=PROMPT, text=text, policy="x@0") for text in ("a", "b")]


@dataclass(frozen=True)
class Fixed:
    rewards: tuple[float | Abstains, ...]

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
        return list(self.rewards[: len(completions)])


def _said(tmp_path: Path, ensemble: Ensemble) -> list[float | Abstains]:
    with Run(tmp_path / "run", seed=0) as run:
        return ensemble.open(run)(TWO)


def _members(*rows: tuple[float | Abstains, ...]) -> tuple[Given[Fixed], ...]:
    return tuple(Given(Fixed(row)) for row in rows)


@pytest.mark.parametrize(
    ("by", "expected"),
    # standardised: (1, 3) and (3, -1); variances over the two members 1 and 4
    [("mean", [2.0, 1.0]), ("worst", [1.0, -1.0]), ("uncertainty", [1.5, -1.0])],
)
def test_each_combination_by_hand(tmp_path: Path, by: By, expected: list[float]) -> None:
    members = _members((1.0, 3.0), (16.0, 8.0))
    scales = (Scale(), Scale(mean=10.0, sd=2.0))
    assert _said(tmp_path, Ensemble(members=members, by=by, scales=scales)) == pytest.approx(
        expected
    )


def test_the_combinations_are_those_on_tensors(tmp_path: Path) -> None:
    rows = ((0.3, -2.0), (1.1, 0.4), (-0.7, 5.0))
    stacked = torch.tensor(rows, dtype=torch.float64)
    tensors: dict[By, torch.Tensor] = {
        "mean": mean(stacked),
        "worst": worst(stacked),
        "uncertainty": uncertainty_weighted(stacked, 0.25),
    }
    for k, (by, expected) in enumerate(tensors.items()):
        ensemble = Ensemble(members=_members(*rows), by=by, weight=0.25)
        assert _said(tmp_path / str(k), ensemble) == pytest.approx(expected.tolist())


def test_an_error_that_all_share_stays_whole(tmp_path: Path) -> None:
    plain, off = _members((1.0, 2.0), (3.0, 2.0)), _members((6.0, 7.0), (8.0, 7.0))
    for by in ("mean", "worst", "uncertainty"):
        right = _said(tmp_path / by, Ensemble(members=plain, by=by))
        wrong = _said(tmp_path / f"{by} off", Ensemble(members=off, by=by))
        assert wrong == pytest.approx([one + 5.0 for one in right if isinstance(one, float)])


def test_where_one_member_abstains_the_ensemble_does(tmp_path: Path) -> None:
    silent = Abstains(reason="mumbled")
    members = _members((1.0, 2.0), (silent, 4.0))
    assert _said(tmp_path, Ensemble(members=members, by="worst")) == [silent, 2.0]


def test_a_scale_is_measured_without_abstentions_and_must_vary() -> None:
    assert Scale.of([1.0, Abstains(reason="x"), 3.0]) == Scale(mean=2.0, sd=1.0)
    with pytest.raises(InputError, match="that vary"):
        Scale.of([1.0, 1.0])


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingError, match="sd above 0"):
        Scale(sd=0.0)
    with pytest.raises(SettingError, match="one reward or more"):
        Ensemble(members=())
    with pytest.raises(SettingError, match="expected 2, one a member, got 1"):
        Ensemble(members=_members((1.0,), (2.0,)), scales=(Scale(),))
    with pytest.raises(SettingError, match="weight"):
        Ensemble(members=_members((1.0,)), weight=-1.0)
