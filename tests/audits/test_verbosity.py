from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from altering import LENGTH, Vain, pairs
from scipy import special

from solon.audits.verbosity import Verbosity
from solon.errors import InputError, SettingError
from solon.judges.altering import by_turns
from solon.judges.recorded import Verdict
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.text.altered import restated

PAIRS = pairs()
COPIES = ("restated_1", "restated_2", "restated_4", "listed")


def _named(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def _audit(judge: PairJudge, questions: tuple[Compare, ...] = PAIRS) -> dict[str, Finding]:
    return _named(Verbosity(questions=questions)(judge))


def _shift(c: float, b: float, dose: int) -> float:
    """What P(padded is better) is above 1/2, over both orders, where each character is paid for."""
    texts = [pair.first.text for pair in by_turns(PAIRS)]
    added = [len(restated(text, times=dose) or "") - len(text) for text in texts]
    x = c * np.array(added) / LENGTH
    return float(np.mean((special.expit(x + b) + special.expit(x - b)) / 2) - 0.5)


@pytest.mark.parametrize("b", [0.0, 1.5])
def test_a_taste_for_padding_warns_at_every_dose_and_its_size_is_recovered(b: float) -> None:
    found = _audit(Vain(b=b, c=0.8, soft=True))
    for dose in (1, 2, 4):
        assert found[f"wins/restated_{dose}"].verdict == "warn"
        shift = found[f"shift/restated_{dose}"]
        assert (shift.estimate, shift.n) == (pytest.approx(_shift(0.8, b, dose), abs=1e-9), 300)
    rising = [found[f"shift/restated_{dose}"].estimate for dose in (1, 2, 4)]
    assert rising == sorted(rising)
    assert found["dose_logit"].estimate == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(
    "dials", [{"b": 2.0}, {"a": 9.0}, {"likes": {"bullets": 3.0, "heading": 3.0}}]
)
def test_a_judge_blind_to_padding_passes_whatever_else_it_likes(dials: dict) -> None:
    found = _audit(Vain(**dials, soft=True), pairs(600))
    for name in COPIES:
        assert found[f"wins/{name}"].verdict == "pass"
        shift = found[f"shift/{name}"]
        # no pair moved, and yet nothing is certain: the interval has Wilson's width
        assert (shift.estimate, shift.low) == (0.0, pytest.approx(-shift.high))
        assert 0.005 < shift.high < 0.01
    assert found["dose_logit"].estimate == pytest.approx(0.0, abs=1e-6)


def test_a_judge_that_counts_items_falls_for_the_list_alone() -> None:
    found = _audit(Vain(item=0.5), pairs(600))
    assert found["wins/listed"].verdict == "warn"
    truth = float(special.expit(3 * 0.5)) - 0.5  # three sentences, three items more
    assert found["shift/listed"].low < truth < found["shift/listed"].high
    assert {found[f"wins/{name}"].verdict for name in COPIES[:3]} == {"pass"}


def test_preferring_the_shorter_is_no_verbosity() -> None:
    found = _audit(Vain(c=-1.0))
    assert found["wins/restated_4"].high < 0.2
    assert found["wins/restated_4"].verdict == "pass"


def test_a_judge_that_always_takes_the_longer_is_found_through_separation() -> None:
    found = _audit(Vain(c=1e6))
    assert found["wins/restated_1"].estimate == 1.0
    assert found["shift/restated_1"].low > 0.45
    assert "perfectly predictable" in found["dose_logit"].note
    assert found["dose_logit"].low > 0


@pytest.mark.parametrize("c", [0.0, 0.4])
def test_the_planted_sizes_lie_in_their_intervals_nineteen_times_in_twenty(c: float) -> None:
    audit = Verbosity(questions=PAIRS[:100], doses=(1, 2))
    logits, shifts, truth = 0, 0, _shift(c, 0.5, 1)
    for seed in range(60):
        found = _named(audit(Vain(b=0.5, c=c, seed=seed)))
        logits += found["dose_logit"].low <= c <= found["dose_logit"].high
        shifts += found["shift/restated_1"].low <= truth <= found["shift/restated_1"].high
    assert logits >= 53
    assert shifts >= 53


def test_abstentions_win_for_nobody_and_are_counted() -> None:
    found = _audit(Vain(c=0.8, abstains=0.2))
    silent = found["abstained"]
    assert silent.verdict == "warn"
    assert silent.low < 1 - 0.8**2 < silent.high  # in either of two orders
    assert found["shift/restated_1"].n < 250
    assert found["shift/restated_1"].low < _shift(0.8, 0.0, 1) < found["shift/restated_1"].high
    mute = _audit(Vain(abstains=1.0))
    assert list(mute) == ["abstained"]


def test_recorded_verdicts_hold_the_padded_copy_first() -> None:
    rows = [
        Verdict(id=str(k), cluster=str(k), orders=orders, len_first=300, len_second=100)
        for k, orders in enumerate(
            [(1.0, 1.0)] * 60 + [(1.0, 0.0), (0.0, 1.0)] * 10 + [(0.0, 0.0)] * 20
        )
    ]
    once = Verdict(id="x", cluster="x", orders=(1.0,))
    found = _named(Verbosity().recorded([*rows, once]))
    assert found["wins"].estimate == pytest.approx(0.7)
    assert found["wins"].verdict == "warn"
    assert found["wins"].note == "1 verdicts in one order only left out"
    # 0.7 of the orders, at two hundred characters
    assert found["dose_logit"].estimate == pytest.approx(special.logit(0.7) / 2, rel=0.02)
    unknown = Verdict(id="y", cluster="y", orders=(1.0, 1.0))
    assert "dose_logit" not in _named(Verbosity().recorded([unknown]))
    with pytest.raises(InputError, match="both orders"):
        Verbosity().recorded([once])
    with pytest.raises(InputError, match="needs questions"):
        Verbosity()(Vain())
    with pytest.raises(SettingError, match="at least 1"):
        Verbosity(doses=(0,))
