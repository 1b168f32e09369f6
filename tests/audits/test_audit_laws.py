"""What no audit may depend on: which completion of a pair is called first, and the rows' order."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

import pytest
from answering import DialPolicy, prompts
from simulated import DialJudge, gold, pairs

from solon.audits.agreement import Agreement
from solon.audits.calibration import Calibration
from solon.audits.evasiveness import Evasiveness
from solon.audits.juries import Juries
from solon.audits.length_bias import LengthBias
from solon.audits.position_bias import PositionBias
from solon.audits.preachiness import Preachiness
from solon.audits.principle_use import PrincipleUse
from solon.audits.repetition import Repetition
from solon.audits.self_preference import SelfPreference
from solon.audits.win_rate import WinRate
from solon.bench.auditing import Recorded
from solon.judges.recorded import Verdict, ask
from solon.records import Finding, flat

AUDITS = (
    *(PositionBias(), Agreement(draws=100), LengthBias(), PrincipleUse()),
    *(Calibration(draws=100), Repetition(), SelfPreference(own="me"), Juries(draws=100)),
)


def _verdicts() -> list[Verdict]:
    judge = DialJudge(a=1.5, b=0.5, c=0.2, abstains=0.05)
    asked = pairs(300, per_prompt=2)
    strict = [replace(verdict, principle="strict") for verdict in ask(judge, asked, gold)]
    mild = ask(DialJudge(a=0.2, seed=2, id="mild"), asked[:40], gold)
    said = [*strict, *(replace(verdict, principle="mild") for verdict in mild)]
    sides = cycle((("me@1", "them@1"), ("them@1", "me@1")))
    return [
        replace(verdict, policy_first=one, policy_second=two)
        for verdict, (one, two) in zip(said, sides, strict=False)
    ]


def _renamed(verdict: Verdict) -> Verdict:
    """The same pair with the completions' names exchanged."""
    return replace(
        verdict,
        orders=tuple(None if p is None else 1 - p for p in reversed(verdict.orders)),
        gold=None if verdict.gold is None else 1 - verdict.gold,
        gold_gap=None if verdict.gold_gap is None else -verdict.gold_gap,
        len_first=verdict.len_second,
        len_second=verdict.len_first,
        first=verdict.second,
        second=verdict.first,
        policy_first=verdict.policy_second,
        policy_second=verdict.policy_first,
    )


def _numbers(findings: list[Finding]) -> dict[str, tuple[float, float, float]]:
    # the bootstrap's draws follow the rows, so only estimates of coefficients must agree exactly
    drawn = {"kappa", "pabak", "ac1", "kappa_quadratic"}
    return {
        f.quantity: (f.estimate, *((0, 0) if f.quantity in drawn else (f.low, f.high)))
        for f in findings
    }


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: type(audit).__name__)
def test_names_and_order_of_the_rows_change_nothing(
    audit: Recorded,
) -> None:
    verdicts = _verdicts()
    found = _numbers(audit.recorded(verdicts))
    for same in ([_renamed(v) for v in verdicts], verdicts[::-1]):
        again = _numbers(audit.recorded(same))
        assert again.keys() == found.keys()
        for quantity, numbers in found.items():
            assert again[quantity] == pytest.approx(numbers, abs=1e-9)


def test_exchanging_the_policies_turns_the_win_rate_round() -> None:
    verdicts = _verdicts()
    there = {f.quantity: f for f in WinRate().recorded(verdicts)}
    back = {f.quantity: f for f in WinRate().recorded([_renamed(v) for v in verdicts])}
    for quantity in ("win_rate", "win_rate_glm"):
        one, other = there[quantity], back[quantity]
        assert (other.estimate, other.low, other.high) == pytest.approx(
            (1 - one.estimate, 1 - one.high, 1 - one.low), abs=1e-9
        )


@pytest.mark.parametrize("audit", [Evasiveness(), Preachiness()], ids=lambda a: type(a).__name__)
def test_the_order_of_the_answers_changes_nothing(audit: Evasiveness | Preachiness) -> None:
    policy = DialPolicy(refuse_safe=0.2, partly_safe=0.1, preach=0.4)
    answers = flat(policy.sample(prompts(200), n=2))
    found, again = _numbers(audit.recorded(answers)), _numbers(audit.recorded(answers[::-1]))
    assert again.keys() == found.keys()
    for quantity, numbers in found.items():
        assert again[quantity] == pytest.approx(numbers, abs=1e-9)
