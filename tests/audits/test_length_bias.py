from __future__ import annotations

import numpy as np
import pytest
from simulated import (
    ALWAYS_FIRST,
    ALWAYS_LONGER,
    ALWAYS_TIE,
    LENGTH,
    ORACLE,
    RANDOM,
    DialJudge,
    gold,
    pairs,
)

from solon.audits.length_bias import LengthBias
from solon.errors import InputError
from solon.judges.recorded import Verdict
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge

PAIRS = tuple(pairs(1500))


def _audit(judge: PairJudge, questions: tuple[Compare, ...] = PAIRS) -> dict[str, Finding]:
    found = LengthBias(questions=questions, gold=gold)(judge)
    return {finding.quantity: finding for finding in found}


def _unit(questions: tuple[Compare, ...]) -> float:
    """The audit's unit of length over the dial's."""
    apart = [len(q.first.text) - len(q.second.text) for q in questions]
    return float(np.sqrt(np.mean(np.square(apart)))) / LENGTH


@pytest.mark.parametrize("c", [0.4, -0.4])
def test_a_taste_for_length_is_found_and_its_size_recovered(c: float) -> None:
    found = _audit(DialJudge(a=1.5, b=0.8, c=c))
    logit = found["length_logit"]
    assert logit.verdict == "warn"
    assert logit.low < c * _unit(PAIRS) < logit.high
    assert found["accuracy_gap"].verdict == "warn"
    assert np.sign(found["accuracy_gap"].estimate) == np.sign(c)


@pytest.mark.parametrize("b", [0.0, 1.5])
def test_a_judge_blind_to_length_passes_whatever_its_slot(b: float) -> None:
    found = _audit(DialJudge(a=1.5, b=b), tuple(pairs(4000)))
    assert found["length_logit"].verdict == "pass"
    assert found["accuracy_gap"].verdict == "pass"


def test_length_that_is_worth_its_price_is_no_bias() -> None:
    tilted = tuple(pairs(1500, tilt=0.4))
    found = _audit(DialJudge(a=2.0), tilted)
    assert found["longer_wins"].low > 0.6
    assert found["length_only_accuracy"].low > 0.6
    assert found["length_logit"].verdict == "pass"
    rows = [
        Verdict(
            id="1",
            cluster=str(k),
            orders=(j.answer.p_first,),
            len_first=len(j.question.first.text),
            len_second=len(j.question.second.text),
        )
        for k, j in enumerate(DialJudge(a=2.0)(tilted))
    ]
    blind = {f.quantity: f for f in LengthBias().recorded(rows)}
    assert blind["length_logit"].verdict == "warn"
    assert "quality unknown" in blind["length_logit"].note


def test_the_planted_size_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    questions = tuple(pairs(150, per_prompt=3))
    inside = 0
    for seed in range(60):
        logit = _audit(DialJudge(a=1.0, b=0.5, c=0.3, seed=seed), questions)["length_logit"]
        inside += logit.low <= 0.3 * _unit(questions) <= logit.high
    assert inside >= 53


def test_a_judge_that_always_takes_the_longer_is_found_through_separation() -> None:
    found = _audit(DialJudge(**ALWAYS_LONGER))
    assert found["longer_wins"].estimate == 1.0
    assert found["length_logit"].verdict == "warn"
    assert "perfectly predictable" in found["length_logit"].note
    assert found["accuracy_gap"].estimate == 1.0


@pytest.mark.parametrize("dials", [ALWAYS_TIE, RANDOM])
def test_judges_that_see_nothing_have_no_length_bias(dials: dict[str, float]) -> None:
    found = _audit(DialJudge(**dials))
    assert found["length_logit"].verdict == "pass"
    assert found["accuracy_gap"].verdict == "pass"
    assert found["longer_wins"].low <= 0.5 <= found["longer_wins"].high


@pytest.mark.parametrize("dials", [ORACLE, ALWAYS_FIRST])
def test_a_judge_led_by_one_thing_has_no_gap_and_its_logit_cannot_be_known(
    dials: dict[str, float],
) -> None:
    found = _audit(DialJudge(**dials))
    assert found["accuracy_gap"].verdict == "pass"
    assert found["length_logit"].verdict == "inconclusive"
    assert found["length_only_accuracy"].low < 0.5 < found["length_only_accuracy"].high


def test_hard_labels_control_for_quality_too() -> None:
    tilted = pairs(1500, tilt=0.4)
    rows = [
        Verdict(
            id="1",
            cluster=str(k),
            orders=(j.answer.p_first,),
            gold=float(gold([j.question.first]) > gold([j.question.second])),
            len_first=len(j.question.first.text),
            len_second=len(j.question.second.text),
        )
        for k, j in enumerate(DialJudge(a=2.0)(tilted))
    ]
    labelled = {f.quantity: f for f in LengthBias().recorded(rows)}["length_logit"]
    bare = [
        Verdict(
            id=v.id,
            cluster=v.cluster,
            orders=v.orders,
            len_first=v.len_first,
            len_second=v.len_second,
        )
        for v in rows
    ]
    blind = {f.quantity: f for f in LengthBias().recorded(bare)}["length_logit"]
    assert labelled.estimate < 0.6 * blind.estimate


def test_what_is_left_out_is_counted() -> None:
    rows = [
        Verdict(id="1", cluster="1", orders=(1.0,), len_first=10, len_second=5),
        Verdict(id="2", cluster="2", orders=(0.0,), len_first=12, len_second=9),
        Verdict(id="3", cluster="3", orders=(None,), len_first=12, len_second=9),
        Verdict(id="4", cluster="4", orders=(0.0,), len_first=9, len_second=9),
        Verdict(id="5", cluster="5", orders=(0.0,)),
    ]
    found = LengthBias().recorded(rows)
    assert found[0].note == "3 verdicts left out: abstained, or equal or unknown length"
    assert found[0].n == 2
    with pytest.raises(InputError, match="len_first"):
        LengthBias().recorded(rows[2:])
