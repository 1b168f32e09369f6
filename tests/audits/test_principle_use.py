from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import special
from simulated import DialJudge, gold, pairs

from solon.audits.principle_use import PrincipleUse
from solon.errors import InputError
from solon.judges.recorded import Verdict, from_judgements
from solon.judges.revising import FAULTLESS
from solon.records import Completion, Critique, Finding, PairJudgement, Prompt
from solon.seams.feedback import PairJudge
from solon.text.constitution import Constitution
from solon.text.principle import Principle

NAMES = ("kind", "true", "idle")
LAW = Constitution(
    name="three",
    principles=tuple(
        Principle(id=name, compare="?", critique="?", revision="?", weight=weight)
        for name, weight in zip(NAMES, (2.0, 1.0, 1.0), strict=True)
    ),
)
PAIRS = tuple(pairs(600))


def _named(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.quantity: finding for finding in findings}


def _judges(**dials: DialJudge) -> Callable[[Principle], PairJudge]:
    return lambda rule: dials.get(rule.id, DialJudge(soft=True))


def _live(**dials: DialJudge) -> dict[str, Finding]:
    return _named(PrincipleUse(questions=PAIRS, constitution=LAW)(_judges(**dials)))


def _decisiveness(a: float) -> float:
    """E |2 sigma(a dq) - 1| where dq is the difference of two standard normals."""
    dq = np.random.default_rng(9).normal(scale=np.sqrt(2), size=200_000)
    return float(np.mean(np.abs(2 * special.expit(a * dq) - 1)))


@dataclass
class Drawn:
    """A judge that draws its principle for each question, and by each judges as its dial says."""

    shares: dict[str, float]
    dials: dict[str, DialJudge]
    seed: int = 1
    id: str = "drawn"

    def __call__(self, questions: Sequence, /) -> list[PairJudgement]:
        rng = np.random.default_rng(self.seed)
        names = rng.choice(list(self.shares), size=len(questions), p=list(self.shares.values()))
        return [
            replace(self.dials[str(name)].judge(question), judge=self.id, principle=str(name))
            for name, question in zip(names, questions, strict=True)
        ]


def _recorded(shares: dict[str, float], audit: PrincipleUse) -> dict[str, Finding]:
    dials = {name: DialJudge(soft=True) for name in shares}
    return _named(audit.recorded(from_judgements(Drawn(shares, dials)(PAIRS))))


def test_an_idle_principle_warns_and_each_ones_decisiveness_is_recovered() -> None:
    found = _live(true=DialJudge(a=0.3, soft=True), idle=DialJudge(a=0.02, soft=True))
    assert found["decisive/idle"].verdict == "warn"
    for name, a in (("kind", 1.0), ("true", 0.3)):
        one = found[f"decisive/{name}"]
        assert one.verdict == "pass"
        assert one.low < _decisiveness(a) < one.high
        assert one.n == 600


@pytest.mark.parametrize("b", [0.0, 1.0])
def test_a_principle_that_turns_the_others_round_is_found_whatever_the_slot(b: float) -> None:
    found = _live(
        kind=DialJudge(a=2.0, b=b, soft=True),
        true=DialJudge(a=-1.0, b=b, soft=True),
        idle=DialJudge(a=2.0, b=b, soft=True),
    )
    assert found["turned/true"].low > 0.95
    assert found["turned/kind"].high < 0.05
    assert found["agree"].estimate == pytest.approx(1 / 3, abs=0.01)
    assert {f.verdict for q, f in found.items() if q.startswith("decisive/")} == {"pass"}


def test_principles_of_one_mind_agree_however_decided_they_are() -> None:
    found = _live(true=DialJudge(a=0.2, soft=True), idle=DialJudge(a=9.0, soft=True))
    assert found["agree"].estimate == 1.0
    assert found["agree"].low > 0.98
    assert {f.estimate for q, f in found.items() if q.startswith("turned/")} == {0.0}


def test_agreement_of_coins_is_recovered_nineteen_times_in_twenty() -> None:
    # a coin that names a winner in each order ties as often as not: 1/2 ties, 1/4 each side
    truth, inside = 0.5**2 + 2 * 0.25**2, 0
    for seed in range(60):
        coins = _judges(**{n: DialJudge(a=0.0, seed=3 * seed + k) for k, n in enumerate(NAMES)})
        audit = PrincipleUse(questions=PAIRS[:150], constitution=LAW)
        found = _named(audit(coins))["agree"]
        inside += found.low <= truth <= found.high
    assert inside >= 54


def test_draws_follow_the_weights_or_warn() -> None:
    audit = PrincipleUse(constitution=LAW)
    fair = _recorded({"kind": 0.5, "true": 0.25, "idle": 0.25}, audit)
    assert {fair[f"share/{name}"].verdict for name in NAMES} == {"pass"}
    starved = _recorded({"kind": 0.7, "true": 0.25, "idle": 0.05}, audit)
    assert starved["share/idle"].verdict == "warn"
    assert starved["share/kind"].verdict == starved["share/true"].verdict == "pass"
    assert starved["decisive/idle"].verdict == "pass"


def test_the_share_of_the_draws_lies_in_its_interval_nineteen_times_in_twenty() -> None:
    shares, inside = {"kind": 0.8, "true": 0.15, "idle": 0.05}, 0
    dials = {name: DialJudge(soft=True) for name in shares}
    for seed in range(100):
        judged = Drawn(shares, dials, seed=seed)(PAIRS[:200])
        found = _named(PrincipleUse().recorded(from_judgements(judged)))["share/true"]
        inside += found.low <= 0.15 <= found.high
    assert inside >= 91


def test_a_principle_that_was_never_drawn_has_its_row() -> None:
    found = _recorded({"kind": 0.6, "true": 0.4}, PrincipleUse(constitution=LAW))
    one = found["share/idle"]
    assert (one.estimate, one.verdict, one.note) == (0.0, "warn", "never drawn")
    assert 0 < one.high < 0.01
    assert "decisive/idle" not in found
    assert "agree" not in found


def test_without_a_constitution_shares_are_measured_only() -> None:
    found = _recorded({"kind": 0.6, "true": 0.4}, PrincipleUse())
    assert {f.verdict for q, f in found.items() if q.startswith("share/")} == {"measured"}
    assert set(found) == {"share/kind", "share/true", "decisive/kind", "decisive/true", "abstained"}


def test_hard_labels_all_decide_and_keep_an_interval() -> None:
    rows = [_verdict("kind", 1.0, k=k) for k in range(40)]
    found = _named(PrincipleUse().recorded(rows))["decisive/kind"]
    assert found.estimate == 1.0
    assert 0.9 < found.low < 0.93


def test_the_same_pair_is_one_pair_whichever_completion_is_called_first() -> None:
    rows = [_verdict("kind", 0.9), _verdict("true", 0.2, turned=True)]
    found = _named(PrincipleUse().recorded(rows))
    assert found["agree"].estimate == 1.0
    assert found["turned/kind"].estimate == 0.0
    against = _named(PrincipleUse().recorded([_verdict("kind", 0.9), _verdict("true", 0.2)]))
    assert against["agree"].estimate == 0.0
    assert against["turned/true"].estimate == against["turned/kind"].estimate == 1.0


def test_abstentions_and_nameless_verdicts_are_counted_apart() -> None:
    rows = [_verdict("kind", 0.9), _verdict("kind", None, k=1), _verdict("", 0.9, k=2)]
    found = _named(PrincipleUse().recorded(rows))
    assert (found["abstained"].estimate, found["abstained"].n) == (0.5, 2)
    assert (found["decisive/kind"].estimate, found["decisive/kind"].n) == (pytest.approx(0.8), 1)
    assert found["share/kind"].note == "1 verdicts left out: they name no principle"
    with pytest.raises(InputError, match="name a principle"):
        PrincipleUse().recorded(rows[2:])
    with pytest.raises(InputError, match="needs a constitution"):
        PrincipleUse(questions=PAIRS)(_judges())
    with pytest.raises(InputError, match="needs questions"):
        PrincipleUse(constitution=LAW)(_judges())


USABLE = {"kind": 0.9, "true": 0.2}


def _criticised(seed: int) -> list[Critique]:
    rng = np.random.default_rng(seed)
    return [
        _critique(name, k, "" if rng.random() < USABLE[name] else _reason(k))
        for k, name in enumerate(["kind", "true"] * 200)
    ]


def test_critiques_that_lead_nowhere_warn_by_principle_and_say_why() -> None:
    rows = _criticised(0)
    found = _named(PrincipleUse(constitution=LAW).criticised(rows))
    assert found["usable/kind"].verdict == "pass"
    assert found["usable/true"].verdict == "warn"
    assert found["critiques/kind"].estimate == 0.5
    assert found["critiques/idle"].note == "never drawn"
    lost = found["failed/empty"].estimate + found["failed/changes nothing"].estimate
    assert lost == pytest.approx(sum(bool(one.failed) for one in rows) / 400)


@pytest.mark.parametrize("name", ["kind", "true"])
def test_the_usable_share_lies_in_its_interval_nineteen_times_in_twenty(name: str) -> None:
    inside = 0
    for seed in range(100):
        found = _named(PrincipleUse().criticised(_criticised(seed)))[f"usable/{name}"]
        inside += found.low <= USABLE[name] <= found.high
    assert inside >= 91


def test_a_critique_without_a_revision_failed_too() -> None:
    row = replace(_critique("kind", 0, ""), revision=None)
    found = _named(PrincipleUse().criticised([row]))
    assert found["usable/kind"].estimate == 0.0
    assert found["failed/no revision"].estimate == 1.0
    with pytest.raises(InputError, match="critiques that name a principle"):
        PrincipleUse().criticised([replace(row, principle="")])


def test_the_simulated_quality_is_what_the_judges_see() -> None:
    gaps = [gold([q.first])[0] - gold([q.second])[0] for q in PAIRS]
    assert np.std(gaps) == pytest.approx(np.sqrt(2), rel=0.1)


def _verdict(name: str, p: float | None, *, k: int = 0, turned: bool = False) -> Verdict:
    texts = ("b", "a") if turned else ("a", "b")
    return Verdict(
        id=str(k), cluster=f"p{k}", orders=(p,), first=texts[0], second=texts[1], principle=name
    )


def _reason(k: int) -> str:
    return "empty" if k % 3 else "changes nothing"


def _critique(name: str, k: int, failed: str) -> Critique:
    one = Completion(prompt=Prompt.of(f"{k}?", id=f"p{k}"), text="a")
    return Critique(completion=one, principle=name, text="?", revision=one, failed=failed)


def test_an_answer_with_which_nothing_is_wrong_is_no_failure() -> None:
    fine = [told(i, failed=FAULTLESS) for i in range(30)]
    mended = [told(30 + i) for i in range(20)]
    broken = [told(50 + i, failed="revision: empty reply") for i in range(20)]
    found = {one.quantity: one for one in PrincipleUse().criticised([*fine, *mended, *broken])}
    assert found["faultless/p"].estimate == pytest.approx(30 / 70)
    assert (found["usable/p"].estimate, found["usable/p"].n) == (0.5, 40)
    assert found["failed/revision: empty reply"].estimate == pytest.approx(20 / 70)
    assert f"failed/{FAULTLESS}" not in found


def told(number: int, failed: str = "") -> Critique:
    completion = Completion(prompt=Prompt.of(f"question {number}"), text="first")
    revision = None if failed else replace(completion, text="second")
    return Critique(completion=completion, principle="p", text="", revision=revision, failed=failed)
