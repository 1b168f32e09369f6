from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from simulated import DialJudge, gold, pairs

from solon.audits.repetition import Repetition
from solon.bench.town import lab
from solon.cli import main
from solon.errors import InputError, SettingError
from solon.judges.recorded import Verdict
from solon.lab.judges import Dials, PlantedPair
from solon.records import Compare, Finding, PairJudgement, Prefers
from solon.seams.feedback import PairJudge

PAIRS = tuple(pairs(300))


def _audit(judge: PairJudge, **settings: int) -> dict[str, Finding]:
    audit = Repetition(questions=PAIRS, **settings)
    return {finding.quantity: finding for finding in audit(judge)}


def _changes(a: float, b: float = 0.0) -> float:
    """The mean of 2 q (1 - q), q = sigma(a dq + b) in each order, over these very questions."""
    dq = np.array([gold([q.first])[0] - gold([q.second])[0] for q in PAIRS])
    q = special.expit(a * np.concatenate([dq, -dq]) + b)
    return float(np.mean(2 * q * (1 - q)))


@dataclass
class Shaky(DialJudge):
    """A soft judge whose p moves by a normal of standard deviation ``sd`` at every call."""

    sd: float = 0.1

    def judge(self, question: Compare) -> PairJudgement:
        p = float(np.clip(0.5 + self.sd * self.rng.normal(), 0, 1))
        return replace(super().judge(question), answer=Prefers(p_first=p))


@dataclass
class Remembered:
    """A judge that forgets nothing when called, and can be asked for other draws."""

    judge: DialJudge
    id: str = "remembered"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [self.judge.judge(questions[0])] * len(questions)

    def samples(self, questions: Sequence[Compare], /, *, n: int) -> list[list[PairJudgement]]:
        return [[self.judge.judge(question) for _ in range(n)] for question in questions]


@pytest.mark.parametrize("b", [0.0, 1.0])
@pytest.mark.parametrize("c", [0.0, 0.5])
def test_chance_is_found_and_its_size_recovered_whatever_else_the_judge_likes(
    b: float, c: float
) -> None:
    found = _audit(DialJudge(a=1.0, b=b, c=c), k=5)
    assert found["changed"].verdict == "warn"
    assert found["changed"].n == 600
    if not c:
        assert found["changed"].low < _changes(1.0, b) < found["changed"].high
    # for answers of 0 and 1 the share that changes is twice their variance, exactly
    assert found["changed"].estimate == pytest.approx(2 * found["sd"].estimate ** 2)


@pytest.mark.parametrize("dials", [{"b": 1.0}, {"c": 1.0}, {"a": -1.0}, {}])
def test_a_judge_of_fixed_mind_passes_whatever_its_other_flaws(dials: dict[str, float]) -> None:
    found = _audit(DialJudge(soft=True, **dials))
    assert found["changed"].verdict == "pass"
    assert found["changed"].estimate == found["sd"].estimate == 0.0
    assert found["changed"].high < 0.03  # no change in 300 prompts is no proof of none
    assert found["modal_share"].estimate == 1.0


def test_the_planted_share_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    truth, inside = _changes(2.0), 0
    for seed in range(60):
        found = _audit(DialJudge(a=2.0, seed=seed), k=2)
        inside += found["changed"].low <= truth <= found["changed"].high
    assert inside >= 54


def test_more_repeats_change_the_modal_share_and_not_the_share_that_changes() -> None:
    two, many = _audit(DialJudge(a=0.0), k=2), _audit(DialJudge(a=0.0), k=9)
    assert two["modal_share"].estimate - many["modal_share"].estimate > 0.08
    for found in (two, many):
        assert found["changed"].low < 0.5 < found["changed"].high


def test_the_spread_of_p_is_recovered() -> None:
    found = _audit(Shaky(sd=0.07), k=5)["sd"]
    assert found.low < 0.07 < found.high
    assert found.high - found.low < 0.01


def test_an_abstention_is_no_change_and_is_counted_apart() -> None:
    found = _audit(DialJudge(soft=True, abstains=0.3), k=5)
    assert found["changed"].estimate == 0.0
    assert found["abstained"].verdict == "warn"
    assert found["abstained"].low < 0.3 < found["abstained"].high
    assert found["wavers"].estimate == pytest.approx(1 - 0.7**5 - 0.3**5, abs=0.05)


def test_a_judge_with_draws_is_asked_for_draws() -> None:
    found = _audit(Remembered(DialJudge(a=0.0)), k=3)
    assert found["changed"].low < 0.5 < found["changed"].high
    assert not found["changed"].note
    assert "repeated calls" in _audit(DialJudge())["changed"].note


def test_the_towns_judge_repeats_itself_only_by_its_dials() -> None:
    asked = tuple(lab().questions(1))[:150]
    firm = PlantedPair(dials=Dials(discernment=3.0, position=1.0, length=0.1))
    shaky = replace(firm, hard=True)
    for judge, verdict in ((firm, "pass"), (shaky, "warn")):
        found = Repetition(questions=asked, k=3)(judge)
        assert found[0].verdict == verdict
    one, [first, *_] = shaky(asked)[0], shaky.samples(asked, n=3)[0]
    assert first == one


def test_recorded_repeats_are_told_by_their_words_and_order() -> None:
    one = Verdict(id="1", cluster="egg", orders=(1.0, 0.0), first="a", second="b")
    # the same two questions, with the completions' names exchanged
    two = Verdict(id="2", cluster="egg", orders=(1.0, 0.0), first="b", second="a")
    other = Verdict(id="3", cluster="egg", orders=(0.0,), first="a", second="c")
    found = {f.quantity: f for f in Repetition().recorded([one, two, other])}
    assert (found["changed"].estimate, found["changed"].n) == (0.0, 2)
    turned = {f.quantity: f for f in Repetition().recorded([one, replace(two, orders=(0.0, 0.0))])}
    assert turned["changed"].estimate == 0.5
    by_id = [Verdict(id="x", cluster="x", orders=(p,)) for p in (1.0, None, 0.0, 1.0)]
    found = {f.quantity: f for f in Repetition().recorded(by_id)}
    assert found["changed"].estimate == pytest.approx(2 / 3)
    assert found["wavers"].estimate == 1.0
    assert found["abstained"].estimate == 0.25
    with pytest.raises(InputError, match="answered twice"):
        Repetition().recorded([one, other])
    with pytest.raises(SettingError, match="k of 2 or more"):
        Repetition(questions=PAIRS, k=1)(DialJudge())


def test_the_command_asks_the_towns_judge_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["audit", "repetition", "k=2", "judge=human", "labels.noise=0"])
    told = capsys.readouterr().out
    assert "changed" in told
    assert "pass" in told
