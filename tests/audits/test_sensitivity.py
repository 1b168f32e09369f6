from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from altering import gap, pairs
from scipy import special

from solon.audits.sensitivity import Sensitivity
from solon.errors import InputError, SettingError
from solon.judges.llm import LlmJudge
from solon.judges.logits import LogitJudge
from solon.judges.rewording import criteria_turned, reworded
from solon.judges.wrappers import BothOrders
from solon.records import Compare, Finding, Judgement, PairJudgement, Prefers
from solon.text.altered import MANNERS
from solon.text.template import Template

PAIRS = pairs()
MARKS = {"markdown": "**", "hedging": "I may be wrong", "greeting": "Hello!"}


@dataclass
class Swayed:
    """P(slot 1) = sigma(a dq + b), with its sense turned round by some manners and moved by a name.

    ``turns[m]`` is the share of pairs, fixed by the pair, whose quality is read upside down where
    both wear m; ``noise`` is the standard deviation of a logit that is drawn anew at each question.
    """

    a: float = 2.0
    b: float = 0.0
    brand: float = 0.0
    noise: float = 0.0
    turns: dict[str, float] = field(default_factory=dict)
    id: str = "swayed"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [
            Judgement(question=q, answer=Prefers(p_first=self._p(q)), judge=self.id)
            for q in questions
        ]

    def _p(self, question: Compare) -> float:
        apart, share = gap(question), sum(self.turns.get(m, 0.0) for m in _worn(question))
        if (abs(apart) * 1e3) % 1 < share:
            apart = -apart
        named = question.first.text.startswith("[Written by GPT-4]")
        other = question.second.text.startswith("[Written by GPT-4]")
        wobble = self.noise * self.rng.normal()
        return float(special.expit(self.a * apart + self.b + self.brand * (named - other) + wobble))


def _worn(question: Compare) -> list[str]:
    texts = (question.first.text, question.second.text)
    return [name for name, mark in MARKS.items() if all(mark in text for text in texts)]


def _audit(judge: Any, **changes: Any) -> dict[str, Finding]:
    return {one.quantity: one for one in Sensitivity(questions=PAIRS, **changes)(judge)}


def test_a_judge_of_substance_passes_whatever_its_slot_bias() -> None:
    found = _audit(Swayed(b=1.0))
    assert {one.verdict for name, one in found.items() if name != "turned/again"} == {"pass"}
    assert found["turned/again"].estimate == 0.0
    assert found["effect/brand"].estimate == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("manner", MANNERS)
def test_only_the_manner_that_turns_verdicts_warns_and_its_share_is_recovered(manner: str) -> None:
    found = _audit(Swayed(turns={manner: 0.3}))
    turned = found[f"turned/{manner}"]
    assert turned.low < 0.3 < turned.high
    assert turned.verdict == "warn"
    others = [one for name, one in found.items() if name not in (turned.quantity, "turned/again")]
    assert {one.verdict for one in others} == {"pass"}


def test_a_brand_that_is_favoured_warns_and_its_effect_is_recovered() -> None:
    found = _audit(Swayed(brand=0.8))
    x = 2.0 * np.array([gap(pair) for pair in PAIRS])
    truth = float(np.mean(special.expit(x + 0.8) - special.expit(x - 0.8))) / 2
    assert found["effect/brand"].estimate == pytest.approx(truth, abs=0.01)
    assert found["effect/brand"].verdict == "warn"
    assert found["turned/hedging"].verdict == "pass"
    assert _audit(Swayed(brand=-0.8))["effect/brand"].verdict == "pass"


def test_a_judge_that_wavers_by_chance_is_not_taken_for_a_sensitive_one() -> None:
    found = _audit(Swayed(noise=2.0))
    assert found["turned/again"].low > 0.1
    for manner in MANNERS:
        assert found[f"turned/{manner}"].low < 0 < found[f"turned/{manner}"].high


def test_a_judge_in_other_words_is_compared_with_itself() -> None:
    upside_down = replace_sense(Swayed())
    found = _audit(Swayed(), variants={"same": Swayed(), "letters": upside_down})
    assert found["turned/same"].verdict == "pass"
    assert found["turned/letters"].estimate == 1.0


def replace_sense(judge: Swayed) -> Swayed:
    return replace(judge, a=-judge.a)


def test_a_manner_that_no_pair_can_wear_says_so() -> None:
    bold = tuple(
        Compare(
            first=replace(pair.first, text=f"**{pair.first.text}**"),
            second=replace(pair.second, text=f"**{pair.second.text}**"),
        )
        for pair in PAIRS[:20]
    )
    found = {one.quantity: one for one in Sensitivity(questions=bold)(Swayed())}
    assert found["turned/markdown"].n == 0
    assert found["turned/markdown"].verdict == "measured"


def test_settings_and_questions_are_checked() -> None:
    with pytest.raises(SettingError, match="expected some of markdown, hedging"):
        Sensitivity(manners=("shouting",))
    with pytest.raises(InputError, match="needs questions"):
        Sensitivity()(Swayed())


def test_a_model_judge_is_reworded_in_three_ways(tmp_path: Path) -> None:
    judge = LogitJudge(policy=None, preamble="preamble/helpful_detailed")  # type: ignore[arg-type]
    found = reworded(BothOrders(judge=judge), tmp_path)
    assert list(found) == ["letters", "renamed", "criteria"]
    assert found["letters"].judge.choices == ("A", "B")
    assert "completion" not in Template.load(found["renamed"].judge.template).messages[1].text
    words = (tmp_path / "criteria.md").read_text()
    assert words.index("Honesty:") < words.index("Clarity:") < words.index("Purpose:")
    assert "completion_A" in Template.load(found["letters"].judge.template).messages[1].text


def test_words_of_ones_own_are_not_reworded(tmp_path: Path) -> None:
    mine = LlmJudge(policy=None, template="town/pairwise")  # type: ignore[arg-type]
    assert reworded(mine, tmp_path) == {}
    assert reworded(Swayed(), tmp_path) == {}


def test_every_item_stays_when_criteria_are_turned() -> None:
    text = "Consider:\n\n- one\n  and more\n- two\n\nThe end.\n"
    assert criteria_turned(text) == "Consider:\n\n- two\n- one\n  and more\n\nThe end.\n"
    assert criteria_turned("No list.") is None
