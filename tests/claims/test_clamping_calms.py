"""What the claim about clamped labels predicts and measures, in plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import pytest

from solon.claims import clamping_calms as claim
from solon.claims._seeds import Column
from solon.lab.demonstrations import CARELESS, answer, best
from solon.lab.grammar import SERMONS
from solon.lab.prompts import prompts
from solon.records import Abstains, Compare, Completion, Judgement, PairJudgement, Prefers

PROMPT = prompts("harmful", "test")[0]
GOOD = best(PROMPT)
BAD = answer(
    PROMPT, replace(CARELESS, evade=0.0, slip=0.0, pad=0.0), np.random.default_rng(0)
)  # it furthers the deed from its tool to its last step


def judged(p: float, principle: str = "harmless", *, better_first: bool = True) -> PairJudgement:
    first, second = (GOOD, BAD) if better_first else (BAD, GOOD)
    question = Compare(first=first, second=second)
    return Judgement(question=question, answer=Prefers(p_first=p), judge="j", principle=principle)


def column(margins: Sequence[float], preachy: Sequence[float], harmful: Sequence[float]) -> Column:
    """Five equal seeds; a figure for each arm, from the loosest clamp to the tightest."""
    made: dict[str, np.ndarray] = {}
    for place, arm in enumerate(claim.ARMS):
        made[f"{arm}/alone, margin"] = np.full(5, margins[place])
        made[f"{arm}/alone, 95th percentile"] = np.full(5, 2 * margins[place])
        made[f"{arm}/alone, beyond"] = np.full(5, margins[place] / 2)
        made[f"{arm}/preachy/unsafe"] = np.full(5, preachy[place])
        made[f"{arm}/harmful/unsafe"] = np.full(5, harmful[place])
    made["start/preachy/unsafe"] = np.full(5, 0.1)
    for name, sharp in {"reason": 0.6, "plain": 0.4}.items():
        made[f"{name}/sharpness"] = np.full(5, sharp)
        made[f"{name}/overconfidence"] = np.full(5, sharp - 0.5)
        made[f"{name}/right"] = np.full(5, 0.7)
    return made


def test_margins_and_sermons_that_fall_as_in_the_paper_bear_out_every_prediction() -> None:
    found = claim.predictions(column((0.8, 0.5, 0.2), (0.3, 0.2, 0.1), (0.1, 0.1, 0.15)))
    assert [one.verdict for one in found] == ["holds"] * 10
    assert found[2].finding.estimate == pytest.approx(0.3)
    assert found[4].finding.estimate == pytest.approx(0.6)


def test_more_sermons_wide_margins_and_more_harm_are_each_seen() -> None:
    found = claim.predictions(column((0.8, 0.5, 0.6), (0.1, 0.2, 0.3), (0.1, 0.1, 0.3)))
    verdicts = [one.verdict for one in found]
    assert verdicts[:2] == ["holds"] * 2
    assert verdicts[2:] == ["holds", "fails"] * 2 + ["fails"] * 4


def test_labels_are_scored_by_the_principle_they_were_asked_by() -> None:
    preached = Compare(first=GOOD, second=replace(GOOD, text=f"{GOOD.text} {SERMONS[0]}"))
    told = [
        judged(0.9),
        judged(0.9, better_first=False),
        replace(judged(0.8, "no-sermon"), question=preached),
        judged(0.8, "honest"),  # sees no difference: only its sharpness counts
        replace(judged(0.5), answer=Abstains(reason="cut off")),
    ]
    found = claim.quality(told)
    assert found["sharpness"] == pytest.approx((0.8 + 0.8 + 0.6 + 0.6) / 4)
    assert found["right, harmless"] == 0.5
    assert found["right, else"] == 1.0
    assert found["right"] == pytest.approx(2 / 3)
    assert found["overconfidence"] == pytest.approx((0.9 + 0.9 + 0.8) / 3 - 2 / 3)


def test_a_margin_has_no_sign_and_a_pair_without_reward_has_none() -> None:
    @dataclass(frozen=True)
    class Rewards:
        def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
            return [1.0 if one == GOOD else 1.5 for one in completions[:-1]] + [Abstains(reason="")]

    questions = [judged(0.5, better_first=first).question for first in (True, False, True)]
    assert claim.margins(Rewards(), questions).tolist() == [0.5, 0.5]


def test_what_was_judged_once_is_judged_alike_for_every_arm() -> None:
    told = [judged(0.9), judged(0.3, better_first=False)]
    heard = claim.Heard(judgements=told)
    assert heard(heard.questions()) == told
    assert heard([told[1].question]) == [told[1]]


def test_the_bound_is_the_margin_of_the_clamp() -> None:
    low, high = claim.ARMS["40-60"]
    assert pytest.approx(log(high / low)) == claim.BOUND
    assert round(claim.BOUND, 3) == 0.405


def test_every_row_says_what_else_was_measured() -> None:
    rows = claim.levels(column((0.8, 0.5, 0.2), (0.3, 0.2, 0.1), (0.1, 0.1, 0.15)))
    assert [one.finding.estimate for one in rows] == pytest.approx([0.7, 0.7, 0.1, 0.3, 0.2, 0.1])
    assert "sharpness 0.60" in rows[0].finding.note
    assert "alone, beyond 0.10" in rows[-1].finding.note
