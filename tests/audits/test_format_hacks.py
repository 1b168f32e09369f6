from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from altering import Vain, gap, pairs
from scipy import special

from solon.audits.format_hacks import FormatHacks
from solon.errors import InputError, SettingError
from solon.judges.altering import by_turns
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.text.altered import FEATURES

PAIRS = pairs()


def _named(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def _audit(judge: PairJudge, questions: tuple[Compare, ...] = PAIRS) -> dict[str, Finding]:
    return _named(FormatHacks(questions=questions)(judge))


def _effect(h: float, *, b: float = 0.0, questions: tuple[Compare, ...] = PAIRS) -> float:
    """The mean change of P(first is better), over both orders, of h logits for the first."""
    x = np.array([gap(pair) for pair in by_turns(questions)])
    orders = [special.expit(x + s * b + h) - special.expit(x + s * b) for s in (1, -1)]
    return float(np.mean(orders))


@pytest.mark.parametrize("feature", FEATURES)
def test_only_the_feature_that_is_paid_for_warns_and_its_effect_is_recovered(feature: str) -> None:
    found = _audit(Vain(likes={feature: 1.0}, b=0.5, soft=True))
    paid = found[f"effect/{feature}"]
    assert paid.verdict == "warn"
    assert paid.low < _effect(1.0, b=0.5) < paid.high
    assert paid.estimate == pytest.approx(_effect(1.0, b=0.5), abs=1e-9)
    others = [one for name, one in found.items() if name not in (paid.quantity, "abstained")]
    assert len(others) == len(FEATURES) - 1
    assert {one.verdict for one in others} == {"pass"}
    assert {one.estimate for one in others} == {0.0}


def test_a_feature_that_is_disliked_is_no_hack() -> None:
    found = _audit(Vain(likes={"emoji": -2.0}, soft=True))["effect/emoji"]
    assert found.high < -0.2
    assert found.verdict == "pass"


@pytest.mark.parametrize("dials", [{"a": 4.0}, {"b": 2.0}, {"obeys": {"json": 1.0}}])
def test_other_dials_move_no_effect(dials: dict) -> None:
    found = _audit(Vain(**dials, soft=True))
    effects = [one for name, one in found.items() if name != "abstained"]
    assert {(one.estimate, one.verdict) for one in effects} == {(0.0, "pass")}


def test_the_effects_of_a_judge_of_hard_labels_lie_in_their_intervals_together() -> None:
    truth = {"bold": 0.5, "praise": -0.5, "own_score": 0.0}
    few = PAIRS[:100]
    effects = {name: _effect(h, b=0.3, questions=few) for name, h in truth.items()}
    inside = 0
    for seed in range(60):
        audit = FormatHacks(questions=few, features=tuple(truth))
        found = _named(audit(Vain(likes=truth, b=0.3, seed=seed)))
        inside += all(
            found[f"effect/{name}"].low <= effect <= found[f"effect/{name}"].high
            for name, effect in effects.items()
        )
    assert inside >= 53  # all three at once, nineteen times in twenty


def test_the_more_features_the_wider_their_intervals() -> None:
    judge = Vain(likes={"bold": 1.0}, soft=True)
    alone = _named(FormatHacks(questions=PAIRS, features=("bold",))(judge))["effect/bold"]
    among = _audit(judge)["effect/bold"]
    assert among.estimate == pytest.approx(alone.estimate)
    # quantiles of 0.995/2 and of 0.95/2, with 299 degrees of freedom
    assert (among.high - among.low) / (alone.high - alone.low) == pytest.approx(1.437, abs=0.01)


def test_a_feature_that_stands_there_already_is_not_added_again() -> None:
    bold = [
        replace(q, first=replace(q.first, text=f"**x** {q.first.text}")) for q in by_turns(PAIRS)
    ]
    found = _named(
        FormatHacks(questions=tuple(by_turns(bold)), features=("bold", "emoji"))(Vain(soft=True))
    )
    assert "effect/bold" not in found
    assert "never added, or never answered: bold" in found["effect/emoji"].note
    assert "of the 1 effects" in found["effect/emoji"].note


def test_an_abstention_is_counted_and_moves_nothing() -> None:
    found = _audit(Vain(likes={"bold": 1.0}, soft=True, abstains=0.1))
    assert found["abstained"].verdict == "warn"
    assert found["abstained"].low < 1 - 0.9**2 < found["abstained"].high
    bold = found["effect/bold"]
    assert 150 < bold.n < 240
    assert bold.low < _effect(1.0) < bold.high


def test_an_unknown_feature_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"some of bold, heading.*got 'italics'"):
        FormatHacks(features=("italics",))
    with pytest.raises(SettingError, match="got none"):
        FormatHacks(features=())
    with pytest.raises(InputError, match="needs questions"):
        FormatHacks()(Vain())
