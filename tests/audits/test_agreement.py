from __future__ import annotations

import numpy as np
import pytest
from simulated import ALWAYS_FIRST, ALWAYS_TIE, INVERTED, ORACLE, RANDOM, DialJudge, gold, pairs
from sklearn.metrics import cohen_kappa_score

from solon.audits.agreement import Agreement
from solon.errors import InputError
from solon.judges.recorded import Verdict, winner
from solon.records import Finding
from solon.seams.feedback import PairJudge


def _audit(judge: PairJudge, n: int = 400) -> dict[str, Finding]:
    audit = Agreement(questions=tuple(pairs(n)), gold=gold, draws=300)
    return {finding.quantity: finding for finding in audit(judge)}


def _rows(said: list[float | None], true: list[float]) -> list[Verdict]:
    return [
        Verdict(id=str(k), cluster=str(k), orders=(p,), gold=g)
        for k, (p, g) in enumerate(zip(said, true, strict=True))
    ]


def _recorded(rows: list[Verdict]) -> dict[str, Finding]:
    return {finding.quantity: finding for finding in Agreement(draws=300).recorded(rows)}


def test_a_judge_that_sees_the_quality_passes_and_a_coin_does_not() -> None:
    sharp = _audit(DialJudge(a=6.0))
    assert sharp["accuracy"].verdict == sharp["kappa"].verdict == "pass"
    coin = _audit(DialJudge(**RANDOM, soft=False))
    assert coin["accuracy"].verdict == coin["kappa"].verdict == "warn"
    answered_alike = _audit(DialJudge(**INVERTED))
    assert answered_alike["accuracy"].estimate == 0.0
    assert answered_alike["kappa"].estimate < -0.9


def test_the_accuracy_of_a_noisy_judge_is_recovered() -> None:
    questions = pairs(2500)
    judge = DialJudge(a=2.0, seed=5, soft=True)
    truth = np.mean([abs(0.5 - j.answer.p_first) + 0.5 for j in judge(questions)])
    rows = [
        Verdict(
            id=str(k),
            cluster=str(k),
            orders=(j.answer.p_first,),
            gold=float(gold([j.question.first]) > gold([j.question.second])),
        )
        for k, j in enumerate(DialJudge(a=2.0, seed=6)(questions))
    ]
    found = _recorded(rows)["accuracy"]
    assert found.low < truth < found.high
    assert found.high - found.low < 0.04


def test_perfect_agreement_of_a_few_rows_is_not_certainty() -> None:
    few = _recorded(_rows([1.0, 0.0, 1.0], [1.0, 0.0, 1.0]))
    assert few["kappa"].estimate == 1.0
    assert few["kappa"].low < 0.2
    assert few["kappa"].verdict == "inconclusive"
    many = _audit(DialJudge(**ORACLE))
    assert many["kappa"].low > 0.97
    assert many["ac1"].estimate == many["pabak"].estimate == many["kappa_quadratic"].estimate == 1


def test_prevalence_lowers_kappa_and_not_the_others() -> None:
    rng = np.random.default_rng(0)
    true = (rng.random(1000) < 0.95).astype(float)
    said = (rng.random(1000) < 0.95).astype(float)
    found = _recorded(_rows(said.tolist(), true.tolist()))
    assert found["accuracy"].estimate > 0.88
    assert found["kappa"].verdict == "warn"
    assert found["pabak"].low > 0.7
    assert found["ac1"].low > 0.8


def test_abstentions_are_wrong_and_counted_apart() -> None:
    rows = _rows([1.0, 0.0, None, None], [1.0, 0.0, 1.0, 0.0])
    found = _recorded(rows)
    assert found["accuracy"].estimate == 0.5
    assert found["accuracy_answered"].estimate == 1.0
    assert found["accuracy_answered"].n == 2
    assert found["abstained"].estimate == 0.5
    assert found["kappa"].estimate < 1 == found["kappa_quadratic"].estimate
    silent = _recorded(_rows([None, None], [1.0, 0.0]))
    assert "accuracy_answered" not in silent
    assert silent["accuracy"].estimate == 0.0


def test_an_abstention_in_one_order_is_an_abstention() -> None:
    row = Verdict(id="1", cluster="1", orders=(1.0, None), gold=1.0)
    assert _recorded([row, *_rows([0.0], [0.0])])["abstained"].estimate == 0.5


def test_kappa_is_sklearns_on_the_same_rows() -> None:
    rng = np.random.default_rng(1)
    true = rng.choice([0.0, 0.5, 1.0], 300)
    said = np.where(rng.random(300) < 0.6, true, rng.choice([0.0, 0.5, 1.0], 300))
    found = _recorded(_rows(said.tolist(), true.tolist()))
    names = [[winner(float(p)) for p in side] for side in (said, true)]
    assert found["kappa"].estimate == pytest.approx(cohen_kappa_score(*names))
    quadratic = cohen_kappa_score(2 * said, 2 * true, weights="quadratic")
    assert found["kappa_quadratic"].estimate == pytest.approx(quadratic)
    assert found["kappa"].low < found["kappa"].estimate < found["kappa"].high


def test_contradicting_orders_make_a_tie_and_a_tie_is_not_right() -> None:
    assert _audit(DialJudge(**ALWAYS_FIRST))["accuracy"].estimate == 0.0
    assert _audit(DialJudge(**ALWAYS_TIE))["accuracy"].estimate == 0.0


def test_rows_of_one_prompt_are_one_observation() -> None:
    rows = _rows([1.0, 0.0] * 100, [1.0] * 100 + [0.0] * 100)
    together = [
        Verdict(id=v.id, cluster=str(k // 20), orders=v.orders, gold=v.gold)
        for k, v in enumerate(sorted(rows, key=lambda v: v.orders == (v.gold,)))
    ]
    wide, narrow = _recorded(together)["kappa"], _recorded(rows)["kappa"]
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_without_a_gold_there_is_nothing_to_agree_with() -> None:
    with pytest.raises(InputError, match="gold label"):
        Agreement().recorded([Verdict(id="1", cluster="1", orders=(1.0,))])
