"""Labels: what is clamped, and what is not."""

from __future__ import annotations

import math

import pytest

from solon.errors import SettingError
from solon.records import Abstains, Compare, Completion, Judgement, PairJudgement, Prefers, Prompt
from solon.stages.label import Label, clamped, named

P = Prompt.of("x")
PAIR = Compare(first=Completion(prompt=P, text="a"), second=Completion(prompt=P, text="b"))


def judged(p: float, rationale: str = "because") -> PairJudgement:
    return Judgement(question=PAIR, answer=Prefers(p_first=p), judge="j", rationale=rationale)


def p_of(judgement: PairJudgement) -> float:
    assert isinstance(judgement.answer, Prefers)
    return judgement.answer.p_first


@pytest.mark.parametrize(("p", "kept"), [(0.0, 0.4), (0.4, 0.4), (0.5, 0.5), (0.97, 0.6)])
def test_a_label_that_a_rationale_came_before_stays_within_its_bounds(
    p: float, kept: float
) -> None:
    assert p_of(clamped(judged(p), (0.4, 0.6))) == kept
    # what Bradley-Terry fits to such a label is bounded
    assert abs(math.log(kept / (1 - kept))) <= math.log(0.6 / 0.4) + 1e-12


def test_a_label_without_a_rationale_an_abstention_and_no_bounds_are_left_alone() -> None:
    assert p_of(clamped(judged(0.97, rationale=""), (0.4, 0.6))) == 0.97
    assert p_of(clamped(judged(0.97), ())) == 0.97
    silent: PairJudgement = Judgement(
        question=PAIR, answer=Abstains(reason="no verdict"), judge="j", rationale="because"
    )
    assert clamped(silent, (0.4, 0.6)) is silent


@pytest.mark.parametrize("bounds", [(0.4,), (0.6, 0.4), (-0.1, 0.6), (0.4, 1.1), (0.1, 0.4, 0.6)])
def test_bounds_that_are_none_are_refused(bounds: tuple[float, ...]) -> None:
    with pytest.raises(SettingError, match="clamp: expected two probabilities about"):
        Label(clamp=bounds)


def test_records_of_one_sort_among_several_carry_its_name() -> None:
    assert (named("judgements", ""), named("judgements", "helpful")) == (
        "judgements",
        "judgements-helpful",
    )
