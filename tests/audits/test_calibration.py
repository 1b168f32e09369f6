from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special
from simulated import DialJudge, gold, pairs

from solon.audits.calibration import Calibration
from solon.errors import InputError
from solon.judges.recorded import Verdict
from solon.records import Finding


def _planted(
    n: int = 2000, *, temper: float = 1.0, hard: float = 1.5, per: int = 1, seed: int = 0
) -> list[Verdict]:
    """People prefer the first with probability sigma(d); the judge says sigma(temper d).

    ``hard`` is the spread of d, and ``per`` pairs of one prompt are one and the same.
    """
    rng = np.random.default_rng(seed)
    d = np.repeat(rng.normal(0, hard, n // per), per)
    said = np.repeat(rng.random(n // per), per) < special.expit(d)
    stated = special.expit(temper * d)
    return [
        Verdict(id=str(k), cluster=str(k // per), orders=(float(p), float(p)), gold=float(y))
        for k, (p, y) in enumerate(zip(stated, said, strict=True))
    ]


def _found(verdicts: list[Verdict], **bounds: float) -> dict[str, Finding]:
    audit = Calibration(draws=200, **bounds)
    return {finding.quantity: finding for finding in audit.recorded(verdicts)}


@pytest.mark.parametrize("temper", [2.5, 0.4])
def test_too_sure_and_too_unsure_are_found_and_the_temperature_is_recovered(temper: float) -> None:
    found = _found(_planted(temper=temper))
    for quantity in ("overconfidence", "slope", "ece_excess"):
        assert found[quantity].verdict == "warn"
        assert found[quantity].n == 2000
    assert np.sign(found["overconfidence"].estimate) == np.sign(temper - 1)
    assert found["slope"].low < 1 / temper < found["slope"].high
    assert found["tempered_gain"].low > 0


@pytest.mark.parametrize("hard", [0.7, 1.5, 3.0])
def test_a_calibrated_judge_passes_however_hard_the_questions_are(hard: float) -> None:
    found = _found(_planted(3000, hard=hard))
    for quantity in ("overconfidence", "slope", "ece_excess"):
        assert found[quantity].verdict == "pass"
    assert found["slope"].low < 1 < found["slope"].high
    assert found["tempered_gain"].estimate == pytest.approx(0.0, abs=0.003)
    assert found["ece_calibrated"].low < found["ece"].estimate < found["ece_calibrated"].high


def test_the_planted_temperature_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    inside = level = 0
    for seed in range(60):
        verdicts = _planted(300, temper=1.7, per=3, seed=seed)
        found = {f.quantity: f for f in Calibration(draws=10).recorded(verdicts)}
        inside += found["slope"].low <= 1 / 1.7 <= found["slope"].high
        fair = {f.quantity: f for f in Calibration(draws=10).recorded(_planted(300, seed=seed))}
        level += fair["overconfidence"].low <= 0 <= fair["overconfidence"].high
    assert inside >= 54
    assert level >= 54


def test_copies_of_a_pair_make_nobody_surer_and_no_calibrated_judge_worse() -> None:
    once, often = _found(_planted(400)), _found(_planted(2000, per=5))
    assert often["ece_calibrated"].n == pytest.approx(400, rel=0.05)
    assert often["overconfidence"].n == 2000
    for quantity in ("overconfidence", "slope", "ece_excess"):
        widths = [f[quantity].high - f[quantity].low for f in (once, often)]
        assert widths[1] == pytest.approx(widths[0], rel=0.3)
    assert often["ece_excess"].low < 0 < often["ece_excess"].high


def test_a_judge_that_always_ties_is_half_right_and_a_quarter_off() -> None:
    ties = [replace(v, orders=(1.0, 0.0)) for v in _planted(300)]
    found = _found(ties)
    assert found["brier"].estimate == 0.25
    assert found["overconfidence"].estimate == found["ece"].estimate == 0.0
    assert np.isnan(found["slope"].estimate)
    assert found["slope"].verdict == "inconclusive"
    assert "tempered_gain" not in found


def test_a_judge_that_is_always_certain_states_more_than_it_knows() -> None:
    verdicts = [replace(v, orders=(float((v.p or 0) > 0.5),)) for v in _planted(1000)]
    accuracy = np.mean([v.p == v.gold for v in verdicts])
    found = _found(verdicts)
    assert found["ece"].estimate == found["overconfidence"].estimate == pytest.approx(1 - accuracy)
    assert found["brier"].estimate == pytest.approx(1 - accuracy)
    assert found["slope"].verdict == found["overconfidence"].verdict == "warn"


def test_brier_is_its_parts_and_the_table_holds_every_pair() -> None:
    verdicts = _planted(500) + [replace(v, orders=(0.5,)) for v in _planted(20, seed=1)]
    found = _found(verdicts)
    uncertainty, within = (float(found["brier"].note.split(word)[1].split()[0])
                           for word in ("uncertainty ", "within "))  # fmt: skip
    parts = found["reliability"].estimate - found["resolution"].estimate + uncertainty + within
    assert found["brier"].estimate == pytest.approx(parts, abs=1e-4)
    assert uncertainty == 0.25
    table = Calibration().table(verdicts)
    assert sum(row.right.n for row in table) == pytest.approx(520, abs=5)
    assert all(0.5 <= row.low <= row.stated <= row.high <= 1 for row in table)


def test_abstentions_and_unlabelled_pairs_are_counted_apart() -> None:
    verdicts = _planted(200)
    some = [*verdicts, *(replace(v, orders=(None,)) for v in verdicts[:50])]
    found = _found([*some, replace(verdicts[0], gold=None), replace(verdicts[0], gold=0.5)])
    assert found["abstained"].estimate == pytest.approx(50 / 250)
    assert found["abstained"].verdict == "warn"
    assert found["overconfidence"].estimate == _found(verdicts)["overconfidence"].estimate
    assert found["overconfidence"].note.startswith("2 verdicts left out")
    with pytest.raises(InputError, match="gold winner"):
        _found([replace(v, gold=None) for v in verdicts])


def test_a_live_judge_is_asked_in_both_orders() -> None:
    audit = Calibration(questions=tuple(pairs(200)), gold=gold, draws=50)
    found = {f.quantity: f for f in audit(DialJudge(a=0.2, soft=True))}
    assert found["overconfidence"].n == 200
    assert found["overconfidence"].verdict == "warn"
    assert found["overconfidence"].estimate < -0.3  # always right, and never sure of it
