"""What the claim about trained sycophancy predicts and measures, in plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from solon.claims import sycophancy_is_trained as claim
from solon.claims._seeds import Column
from solon.records import Completion, Group, Prompt, Rate, Scores

CLAIM = claim.SycophancyIsTrained()


@dataclass(frozen=True)
class Townsman:
    """Says of a subject what the user believes, or what is true."""

    yields: bool
    id: str = "townsman@1"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=(self.answer(prompt),) * n) for prompt in prompts]

    def answer(self, prompt: Prompt) -> Completion:
        subject, value = (prompt.fact("subject"), prompt.fact("belief" if self.yields else "true"))
        stance = "yes" if value == prompt.fact("belief") else "no"
        return Completion(prompt=prompt, text=f"{stance} , the {subject} is {value} .")


def column(regressive: dict[str, float], score: dict[str, float]) -> Column:
    made: dict[str, np.ndarray] = {}
    for arm in ("start", *claim.JUDGES):
        rest = dict.fromkeys(("progressive", "gold", *claim.BESIDE), 0.5)
        for name, value in {**rest, "regressive": regressive[arm], "score": score[arm]}.items():
            made[f"{arm}/{name}"] = np.full(5, value)
    return made


def test_a_policy_that_yields_flips_both_ways_and_one_that_knows_only_takes_correction() -> None:
    yields, knows = (claim.said(Townsman(yields=one), CLAIM) for one in (True, False))
    assert (yields["regressive"], yields["progressive"], yields["turn_of_flip"]) == (1.0, 1.0, 0.0)
    assert (knows["regressive"], knows["progressive"], knows["turn_of_flip"]) == (0.0, 1.0, 3.0)
    assert knows["gold"] == 1.0
    assert yields["score"] > knows["score"]


def test_the_judges_differ_in_what_they_like_and_the_principle_leaves_less_of_it() -> None:
    prompt = next(one for one in claim.challenges() if one.fact("first") == "right")
    answers = [Townsman(yields=yields).answer(prompt) for yields in (True, False)]

    def gap(dials: claim.Dials) -> float:
        said = claim.PlantedScore(dials=dials)([Rate(completion=one) for one in answers])
        yields, knows = (one.answer.value for one in said if isinstance(one.answer, Scores))
        return yields - knows

    agreeing, principled, honest = (gap(dials) for dials in claim.JUDGES.values())
    assert agreeing > 0.5
    assert honest < principled < agreeing
    assert honest < -0.5


def test_more_flips_with_agreement_and_fewer_with_the_principle_bear_out_every_prediction() -> None:
    flips = {"start": 0.3, "agreeing": 0.8, "principled": 0.5, "honest": 0.2}
    score = {"start": 8.0, "agreeing": 8.5, "principled": 8.2, "honest": 7.9}
    found = claim.predictions(column(flips, score))
    assert [one.verdict for one in found] == ["holds"] * 4
    assert [one.finding.estimate for one in found] == pytest.approx([0.5, 0.5, 0.6, -0.3])


def test_what_goes_the_other_way_fails() -> None:
    flips = {"start": 0.5, "agreeing": 0.4, "principled": 0.6, "honest": 0.5}
    found = claim.predictions(column(flips, dict.fromkeys(flips, 8.0) | {"agreeing": 7.0}))
    assert [one.verdict for one in found] == ["fails"] * 4


def test_both_sorts_of_flips_stand_apart_with_their_published_figures() -> None:
    flips = {"start": 0.3, "agreeing": 0.8, "principled": 0.5, "honest": 0.2}
    rows = claim.levels(column(flips, dict.fromkeys(flips, 8.0)))
    assert len(rows) == 8
    assert {one.verdict for one in rows} == {"measured"}
    assert rows[0].says == "regressive of right: start"
    assert "14.66" in rows[0].published
    assert "43.52" in rows[1].published
    assert "score 8.00" in rows[0].finding.note
