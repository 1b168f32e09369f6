from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import numpy as np
import orjson
import pytest
from scipy import special
from simulated import DialJudge, gold, pairs

from solon.audits.self_preference import SelfPreference
from solon.bench.town import lab
from solon.cli import main
from solon.errors import InputError
from solon.judges.recorded import Verdict, ask
from solon.lab.gold import gold as town_gold
from solon.lab.judges import Dials, PlantedPair
from solon.records import Compare, Completion, Finding, Judgement, PairJudgement, Prefers
from solon.seams.feedback import PairJudge


def _signed(questions: list[Compare], *, better: float = 0.0) -> tuple[Compare, ...]:
    """The judge's own completion is first in every other pair; ``better`` is added to its gold."""
    sides = cycle((True, False))
    return tuple(
        Compare(
            first=_by(question.first, mine=mine, better=better),
            second=_by(question.second, mine=not mine, better=better),
        )
        for question, mine in zip(questions, sides, strict=False)
    )


def _by(one: Completion, *, mine: bool, better: float) -> Completion:
    if not mine:
        return replace(one, policy="them@7")
    quality, rest = one.text.split(" ")
    return replace(one, policy="me@3", text=f"{float(quality) + better:.6f} {rest}")


PAIRS = _signed(pairs(2000))


@dataclass
class Fond(DialJudge):
    """Adds ``s`` logits for what ``me`` wrote."""

    s: float = 0.0

    def judge(self, question: Compare) -> PairJudgement:
        mine = [one.policy.startswith("me@") for one in (question.first, question.second)]
        p = super_p(self, question) + self.s * (mine[0] - mine[1])
        p = float(special.expit(p))
        answer = Prefers(p_first=p if self.soft else float(self.rng.random() < p))
        return Judgement(question=question, answer=answer, judge=self.id)


def super_p(judge: DialJudge, question: Compare) -> float:
    """The logit of the other dials."""
    one, two = gold([question.first, question.second])
    apart = (len(question.first.text) - len(question.second.text)) / 100
    return judge.a * (one - two) + judge.b + judge.c * apart


def _audit(judge: PairJudge, asked: tuple[Compare, ...] = PAIRS) -> dict[str, Finding]:
    found = SelfPreference(questions=asked, gold=gold, own="me")(judge)
    return {finding.quantity: finding for finding in found}


@pytest.mark.parametrize("s", [1.0, -1.0])
@pytest.mark.parametrize("other", [{}, {"b": 1.0}, {"c": 0.5}])
def test_fondness_is_found_and_its_size_recovered(s: float, other: dict[str, float]) -> None:
    found = _audit(Fond(a=1.5, s=s, **other))
    assert found["opportunity_gap"].verdict == found["own_logit"].verdict == "warn"
    assert np.sign(found["opportunity_gap"].estimate) == np.sign(s)
    assert found["own_logit"].low < s < found["own_logit"].high


@pytest.mark.parametrize("other", [{}, {"b": 1.5}, {"c": 0.5}, {"a": 0.2}, {"a": 4.0}])
def test_a_judge_without_it_passes_whatever_its_other_dials(other: dict[str, float]) -> None:
    found = _audit(Fond(**{"a": 1.5, **other}), _signed(pairs(6000)))
    assert found["opportunity_gap"].verdict == "pass"
    assert found["own_logit"].verdict == "pass"
    assert abs(found["opportunity_gap"].estimate) < 0.05


def test_whoever_writes_better_wins_more_and_is_not_preferred_for_it() -> None:
    found = _audit(Fond(a=2.0), _signed(pairs(4000), better=1.0))
    assert found["own_better"].estimate > 0.7
    assert found["own_wins"].low > 0.65
    assert abs(found["own_logit"].estimate) < 0.15
    assert found["own_logit"].low < 0 < found["own_logit"].high


def test_length_that_goes_with_the_author_is_no_fondness() -> None:
    longer = tuple(
        Compare(first=_longer(question.first), second=_longer(question.second))
        for question in _signed(pairs(4000))
    )
    found = _audit(Fond(a=1.5, c=0.5), longer)
    assert found["own_logit"].low < 0 < found["own_logit"].high
    assert found["opportunity_gap"].verdict == "warn"  # which knows no length


def _longer(one: Completion) -> Completion:
    return replace(one, text=one.text + "x" * 200) if one.policy == "me@3" else one


def test_the_planted_size_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    asked = _signed(pairs(200, per_prompt=2))
    inside = 0
    for seed in range(60):
        found = _audit(Fond(a=1.0, b=0.5, c=0.2, s=0.6, seed=seed), asked)
        inside += found["own_logit"].low <= 0.6 <= found["own_logit"].high
    assert inside >= 54


def test_the_gap_is_the_difference_of_the_two_rates_by_hand() -> None:
    def row(own: str, gold: float, *orders: float | None) -> Verdict:
        first, second = ("me@1", "them@1") if own == "first" else ("them@1", "me@1")
        ident = f"{own}{gold}{orders}"
        return Verdict(id=ident, cluster=ident, orders=orders, gold=gold, judge="me/pairwise@1",
                       policy_first=first, policy_second=second)  # fmt: skip

    rows = [
        *(row("first", 1.0, 1.0), row("first", 1.0, 1.0, 1.0), row("second", 0.0, 0.0)),
        *(row("second", 0.0, 1.0, 0.0), row("first", 0.0, 0.0), row("second", 1.0, 0.0)),
        *(row("first", 0.5, 0.0), row("first", 1.0, None)),
    ]
    strangers = replace(rows[0], policy_first="them@2")
    found = {f.quantity: f for f in SelfPreference().recorded([*rows, strangers])}
    assert (found["right_on_own"].estimate, found["right_on_own"].n) == (3 / 4, 4)
    assert (found["right_on_others"].estimate, found["right_on_others"].n) == (1 / 2, 2)
    assert found["opportunity_gap"].estimate == pytest.approx(1 / 4)
    assert found["own_wins"].estimate == pytest.approx((3 + 1 / 2 + 0 + 1) / 6)
    assert found["own_better"].estimate == pytest.approx(4 / 6)
    assert found["opportunity_gap"].note.startswith("3 verdicts left out")
    assert "sign only" in found["own_logit"].note


def test_a_judge_that_always_takes_its_own_is_fitted_with_a_prior() -> None:
    found = _audit(Fond(a=0.0, s=1e6))
    assert found["opportunity_gap"].estimate == 1.0
    assert found["own_logit"].low > 2
    assert "prior" in found["own_logit"].note


def test_the_towns_dial_is_found_and_its_other_dials_are_not() -> None:
    asked = tuple(
        Compare(first=replace(q.first, policy=one), second=replace(q.second, policy=two))
        for q, (one, two) in zip(
            lab().questions(1), cycle((("me@1", "them@1"), ("them@1", "me@1"))), strict=False
        )
    )
    audit = SelfPreference(
        questions=asked, gold=lambda batch: [town_gold(one) for one in batch], own="me"
    )
    fair = Dials(discernment=3.0, myself="me", position=0.5)
    for own, verdict in ((1.0, "warn"), (0.0, "pass")):
        found = {f.quantity: f for f in audit(PlantedPair(dials=replace(fair, own=own)))}
        assert found["own_logit"].verdict == verdict
        assert found["own_logit"].low <= own + 1e-6
        assert found["own_logit"].high >= own - 1e-6


def test_verdicts_that_cannot_tell_are_refused() -> None:
    verdicts = ask(DialJudge(), PAIRS[:50], gold)
    for own in ("", "nobody"):
        with pytest.raises(InputError, match="one of them the judge's own"):
            SelfPreference(own=own).recorded(verdicts)
    with pytest.raises(InputError, match="0 with its own better"):
        SelfPreference(own="me").recorded([replace(v, gold=None) for v in verdicts])


def test_the_command_reads_who_wrote_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"id": v.id, "judge": "me/pairwise@1", "p_first": v.p, "gold": v.gold}
        | {"policy_first": v.policy_first, "policy_second": v.policy_second}
        for v in ask(Fond(s=1.0), PAIRS[:300], gold)
    ]
    path = tmp_path / "verdicts.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    main(["audit", "self_preference", "--judgements", str(path)])
    told = capsys.readouterr().out
    assert "opportunity_gap" in told
    assert "warn" in told
