from __future__ import annotations

import numpy as np
import pytest
from simulated import (
    ALWAYS_FIRST,
    ALWAYS_LONGER,
    ALWAYS_TIE,
    ORACLE,
    RANDOM,
    DialJudge,
    gold,
    pairs,
)

from solon.audits.position_bias import PositionBias
from solon.errors import InputError
from solon.judges.recorded import Verdict
from solon.records import Finding
from solon.seams.feedback import PairJudge


def _audit(judge: PairJudge, n: int = 1000) -> dict[str, Finding]:
    found = PositionBias(questions=tuple(pairs(n)), gold=gold)(judge)
    return {finding.quantity: finding for finding in found}


@pytest.mark.parametrize("b", [1.0, -1.0])
def test_a_slot_preference_is_found_and_its_size_recovered(b: float) -> None:
    found = _audit(DialJudge(a=1.5, b=b, c=0.3))
    assert found["first_slot"].verdict == "warn"
    assert np.sign(found["first_slot"].estimate) == np.sign(b)
    primacy = found["primacy"]
    assert np.arctanh(primacy.low) < b < np.arctanh(primacy.high)


def test_a_fair_judge_passes_whatever_it_thinks_of_length() -> None:
    for c in (0.0, 1.0):
        found = _audit(DialJudge(a=4.0, c=c), n=2500)
        assert found["first_slot"].verdict == "pass"
        assert found["inconsistent"].verdict == "pass"
        assert abs(found["first_slot"].estimate) < 0.03
        assert found["primacy"].low < 0 < found["primacy"].high


def test_the_planted_size_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    questions = tuple(pairs(200))
    inside = 0
    for seed in range(60):
        found = PositionBias(questions=questions)(DialJudge(b=0.7, c=0.5, seed=seed))
        primacy = next(f for f in found if f.quantity == "primacy")
        inside += primacy.low <= np.tanh(0.7) <= primacy.high
    assert inside >= 54


def test_a_judge_that_always_takes_the_first_slot() -> None:
    found = _audit(DialJudge(**ALWAYS_FIRST))
    assert found["inconsistent"].estimate == 1.0
    assert found["first_slot"].estimate == 0.5
    assert found["primacy"].estimate == 1.0
    assert found["same_slot"].estimate == 1.0
    assert found["accuracy_llmbar"].estimate == 0.5
    assert found["accuracy_judgebench"].estimate == 0.0


def test_a_judge_that_always_takes_the_longer_is_consistent() -> None:
    found = _audit(DialJudge(**ALWAYS_LONGER))
    assert found["inconsistent"].estimate == pytest.approx(0.0, abs=0.01)
    assert found["inconsistent"].verdict == "pass"
    assert found["first_slot"].verdict == "pass"


def test_a_judge_that_always_ties_has_no_slot() -> None:
    found = _audit(DialJudge(**ALWAYS_TIE))
    assert found["first_slot"].estimate == 0.0
    assert found["inconsistent"].estimate == 0.0
    assert "primacy" not in found
    assert found["accuracy_llmbar"].estimate == found["accuracy_judgebench"].estimate == 0.0


def test_a_coin_scores_a_half_by_one_rule_and_a_quarter_by_the_other() -> None:
    found = _audit(DialJudge(**RANDOM), n=2000)
    assert found["accuracy_llmbar"].low < 0.5 < found["accuracy_llmbar"].high
    assert found["accuracy_judgebench"].low < 0.25 < found["accuracy_judgebench"].high
    assert found["inconsistent"].verdict == "warn"
    assert found["first_slot"].verdict == "pass"


def test_an_oracle_is_right_by_both_rules() -> None:
    found = _audit(DialJudge(**ORACLE))
    assert found["accuracy_llmbar"].estimate == found["accuracy_judgebench"].estimate == 1.0
    assert found["accuracy_llmbar"].low > 0.99


def test_llmbars_rule_lets_two_abstentions_agree() -> None:
    orders = [(None, None), (None, 1.0), (1.0, 1.0), (1.0, 0.0), (0.5, 1.0)]
    rows = [
        Verdict(id=str(k), cluster=str(k), orders=both, gold=1.0) for k, both in enumerate(orders)
    ]
    found = {f.quantity: f for f in PositionBias().recorded(rows)}
    assert found["inconsistent"].estimate == pytest.approx(3 / 5)
    assert found["abstained"].estimate == pytest.approx(3 / 10)
    assert found["accuracy_llmbar"].estimate == pytest.approx(5 / 10)
    assert found["accuracy_judgebench"].estimate == pytest.approx(3 / 5)
    assert found["first_slot"].n == 6


def test_abstentions_warn_on_their_own() -> None:
    found = _audit(DialJudge(a=4.0, abstains=0.3))
    assert found["abstained"].verdict == "warn"
    assert found["first_slot"].verdict != "warn"


def test_verdicts_in_one_order_are_refused_or_counted() -> None:
    single = Verdict(id="1", cluster="1", orders=(1.0,))
    with pytest.raises(InputError, match="winner_swapped"):
        PositionBias().recorded([single])
    both = Verdict(id="2", cluster="2", orders=(1.0, 1.0))
    assert "1 verdicts in one order" in PositionBias().recorded([single, both])[0].note


def test_pairs_of_one_prompt_widen_the_interval() -> None:
    rows = [
        Verdict(id=str(k), cluster=str(k // 10), orders=(1.0, float(k // 10 % 2)))
        for k in range(200)
    ]
    alone = [Verdict(id=v.id, cluster=v.id, orders=v.orders) for v in rows]
    wide, narrow = PositionBias().recorded(rows)[0], PositionBias().recorded(alone)[0]
    assert wide.estimate == narrow.estimate == 0.5
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)
