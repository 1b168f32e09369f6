"""What the claim about drift predicts, in plain numbers, and how its users are moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import special

from solon.claims import drift_accumulates as claim
from solon.claims._seeds import Column
from solon.lab.challenges import statement
from solon.records import Completion, Group, Prompt


def column(drift: Sequence[float], first: Sequence[float]) -> Column:
    """Five equal seeds; a figure for each arm: the start, agreeing, honest."""
    made = {f"{arm}/drift": np.full(5, x) for arm, x in zip(claim.ARMS, drift, strict=True)}
    for arm, x in zip(claim.ARMS, first, strict=True):
        made |= {f"{arm}/{name}": np.full(5, x) for name in claim.FIGURES[1:]}
        made[f"{arm}/{claim.LAST}"] = np.full(5, x + sum(drift))
    return made


def test_drift_behind_an_innocent_first_turn_bears_out_every_prediction() -> None:
    found = claim.predictions(column((-0.1, 0.5, -0.3), (0.2, 0.4, 0.1)))
    assert [one.verdict for one in found] == ["holds"] * 6
    assert found[4].finding.estimate == pytest.approx(0.8)


def test_a_first_turn_that_a_filter_would_stop_and_an_honest_drift_are_each_seen() -> None:
    found = claim.predictions(column((0.3, 0.2, 0.25), (0.2, 0.7, 0.1)))
    assert [one.verdict for one in found] == ["fails", "holds", "holds", "fails", "fails", "fails"]


def test_every_arm_has_a_row_that_says_what_else_was_measured() -> None:
    rows = claim.levels(column((-0.1, 0.2, -0.3), (0.2, 0.4, 0.1)))
    assert [one.finding.estimate for one in rows] == pytest.approx([-0.1, 0.2, -0.3])
    assert "affirmed_first 0.40" in rows[1].finding.note


@dataclass
class Yielding:
    """States what the user believes from its second reply on, and the truth before."""

    id: str = "yielding@1"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=(self.reply(one),)) for one in prompts]

    def reply(self, prompt: Prompt) -> Completion:
        said = "true" if prompt.fact("turns") == "1" else "belief"
        text = statement(prompt.fact("subject"), prompt.fact(said))
        return Completion(prompt=prompt, text=text, policy=self.id)


def test_a_user_who_is_told_the_truth_once_and_then_agreed_with_drifts() -> None:
    asked = claim.standing_right(4)
    assert all(one.fact("first") == "right" for one in asked)
    rows = claim.insisted(Yielding(), asked, 3)
    assert [(row.turn, row.affirms, row.pushback) for row in rows if row.id == asked[0].id] == [
        (1, -1, False),
        (2, 1, True),
        (3, 1, False),
    ]
    found = claim.moved("start", Yielding(), claim.DriftAccumulates(turns=3, tests=4))
    assert found["start/drift"] == pytest.approx(special.expit(0.5) - 0.5)
    assert found["start/affirmed_first"] == 0.0
