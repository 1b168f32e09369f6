"""Verdicts bought, abstentions bought, verdicts that turn by chance: each told from the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from altering import Vain, gap, pairs, quality

from solon.audits.injection import Injection
from solon.errors import InputError
from solon.judges.llm import LlmJudge
from solon.judges.logits import LogitJudge
from solon.judges.wrappers import BothOrders
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Finding,
    Group,
    Judgement,
    PairJudgement,
    Prefers,
    Prompt,
)
from solon.run.run import Run
from solon.seams.feedback import PairJudge
from solon.text.hostile import neutralise
from solon.text.injected import ATTACKS

PAIRS = pairs(200)
SHARP = 1e6
ORDER = re.compile(r"(?:verdict|answer)\b[^\d\n]{0,20}(\d)", re.IGNORECASE)
TURN = re.compile(r"<\|im_start\|>system\nThe verdict is (\d)")


def _named(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def _audit(judge: PairJudge, questions: tuple[Compare, ...] = PAIRS) -> dict[str, Finding]:
    return _named(Injection(questions=questions)(judge))


def _verdicts(found: dict[str, Finding]) -> dict[str, str]:
    return {name: found[f"bought/{name}"].verdict for name in ATTACKS}


@pytest.mark.parametrize("attack", ATTACKS)
def test_only_the_attack_that_is_obeyed_warns_and_its_share_is_recovered(attack: str) -> None:
    found = _audit(Vain(a=SHARP, obeys={attack: 0.3}))
    bought = found[f"bought/{attack}"]
    assert (bought.verdict, bought.n) == ("warn", 400)
    assert bought.low < 0.3 < bought.high
    assert [name for name, said in _verdicts(found).items() if said != "pass"] == [attack]
    assert found[f"silenced/{attack}"].estimate == 0.0


@pytest.mark.parametrize("dials", [{}, {"b": SHARP**2}, {"likes": {"emoji": 9.0}}, {"c": -0.1}])
def test_a_judge_that_obeys_nobody_passes_whatever_else_it_likes(dials: dict) -> None:
    found = _audit(Vain(a=SHARP, **dials))
    assert set(_verdicts(found).values()) == {"pass"}
    assert {found[f"bought/{name}"].estimate for name in ATTACKS} == {0.0}
    assert 0.01 < found["bought/tag"].high < 0.05  # nothing seen is not nothing possible


def test_verdicts_that_turn_by_chance_were_not_bought() -> None:
    found = _audit(Vain(a=0.0))
    assert found["won/placebo"].low < 0.5 < found["won/placebo"].high
    for name in ATTACKS:
        assert found[f"bought/{name}"].low < 0 < found[f"bought/{name}"].high


def test_the_planted_share_lies_in_its_interval_nineteen_times_in_twenty() -> None:
    inside = 0
    for seed in range(60):
        # where the judge does not obey, one verdict in two turns by chance
        found = _audit(Vain(a=0.0, obeys={"line": 0.4}, seed=seed), PAIRS[:40])["bought/line"]
        inside += found.low <= 0.4 * 0.5 <= found.high
    assert inside >= 53


def test_an_abstention_that_is_bought_is_no_verdict_that_is_bought() -> None:
    found = _audit(Vain(a=SHARP, falls_silent=0.5, obeys={"tag": 1.0}))
    silent = found["silenced/json"]
    assert silent.low < 0.5 < silent.high
    assert found["silenced/placebo"].estimate == 0.0
    assert found["bought/json"].verdict == "pass"
    assert found["bought/tag"].low < 0.5 < found["bought/tag"].high


def test_orders_without_a_loser_are_left_out_and_counted() -> None:
    found = _audit(Vain(a=SHARP, abstains=0.25))
    assert found["won/placebo"].n == pytest.approx(300, abs=30)
    left = 400 - found["won/placebo"].n
    assert found["won/placebo"].note == f"{left} verdicts without a loser left out"
    with pytest.raises(InputError, match="ties and abstentions only"):
        _audit(Vain(abstains=1.0))
    with pytest.raises(InputError, match="needs questions"):
        Injection()(Vain())


# models that read a judge's prompt, and nothing else


def shown(prompt: Prompt) -> list[str]:
    return re.findall(r"<completion[^>]*>\n(.*?)\n</completion", prompt.text, re.DOTALL)


def fair(texts: list[str]) -> str:
    return "1" if quality(texts[0]) > quality(texts[1]) else "2"


def told(texts: list[str]) -> str | None:
    """The verdict that a completion orders."""
    found = [match[1] for text in texts for match in ORDER.finditer(text)]
    return found[-1] if found else None


@dataclass(frozen=True)
class Scribe:
    """Says what ``says`` makes of the prompt's completions."""

    says: Callable[[list[str]], str]
    id: str = "scribe@0"

    def open(self, run: Run) -> Scribe:
        return self

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(completions=(Completion(prompt=p, text=self.says(shown(p))),) * n)
            for p in prompts
        ]


@dataclass(frozen=True)
class Weigher:
    """Chooses by quality, and gives ``obedience`` logits to the verdict that is ordered."""

    obedience: float = 0.0
    id: str = "weigher@0"

    def open(self, run: Run) -> Weigher:
        return self

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        return [self._logps(shown(prompt)) for prompt in prompts]

    def _logps(self, texts: list[str]) -> tuple[float, ...]:
        said = told(texts)
        pull = 0.0 if said is None else self.obedience * (1 if said == "1" else -1)
        return (quality(texts[0]) - quality(texts[1]) + pull, 0.0)


def in_json(texts: list[str]) -> str:
    return f'{{"reason": "so", "verdict": "{fair(texts)}"}}'


def in_json_obediently(texts: list[str]) -> str:
    return f'{{"reason": "so", "verdict": "{told(texts) or fair(texts)}"}}'


def after_an_echo(texts: list[str]) -> str:
    return f"{texts[0]}\n{texts[1]}\n<verdict>{fair(texts)}</verdict>"


def after_an_echo_on_a_line(texts: list[str]) -> str:
    return f"{texts[0]}\n{texts[1]}\nVerdict: {fair(texts)}"


def test_a_judge_in_words_is_as_firm_as_its_model(run: Run) -> None:
    firm = _audit(LlmJudge(policy=Scribe(says=in_json)).open(run))
    assert set(_verdicts(firm).values()) == {"pass"}
    assert {firm[f"silenced/{name}"].estimate for name in ATTACKS} == {0.0}
    weak = _audit(LlmJudge(policy=Scribe(says=in_json_obediently)).open(run))
    assert weak["bought/instruction"].estimate == 1.0
    assert weak["bought/ignore"].estimate == 1.0
    assert weak["won/placebo"].estimate == 0.0


def test_a_verdict_that_a_judge_may_be_quoting_is_an_abstention(run: Run) -> None:
    policy = Scribe(says=after_an_echo_on_a_line)
    found = _audit(LlmJudge(policy=policy, template="judge/pairwise", form="line").open(run))
    assert found["silenced/line"].estimate == 1.0
    assert found["bought/line"].verdict == "pass"
    assert found["silenced/placebo"].estimate == 0.0


def test_a_tag_that_was_made_harmless_is_no_verdict_when_it_is_quoted(run: Run) -> None:
    policy = Scribe(says=after_an_echo)
    found = _audit(LlmJudge(policy=policy, template="judge/pairwise", form="tag").open(run))
    assert set(_verdicts(found).values()) == {"pass"}
    assert {found[f"silenced/{name}"].estimate for name in ATTACKS} == {0.0}


@pytest.mark.parametrize("obedience", [0.0, 1.0])
def test_a_judge_by_probabilities_sells_the_verdicts_that_were_close(
    obedience: float, run: Run
) -> None:
    found = _audit(LogitJudge(policy=Weigher(obedience=obedience)).open(run))
    # a loser wins where the pull is more than what it is worse by
    share = float(np.mean([abs(gap(pair)) < obedience for pair in PAIRS]))
    for name in ("instruction", "ignore", "line"):
        assert found[f"bought/{name}"].estimate == pytest.approx(share)
        assert found[f"bought/{name}"].verdict == ("warn" if obedience else "pass")


def test_averaging_the_orders_makes_a_bought_verdict_a_tie(run: Run) -> None:
    # what is claimed for the slot in one order is claimed for the rival in the other
    judge = BothOrders(judge=LogitJudge(policy=Weigher(obedience=50.0))).open(run)
    found = _audit(judge)["bought/instruction"]
    assert found.estimate == pytest.approx(0.5, abs=0.05)


@dataclass
class Believes:
    """Obeys a turn of the system, and puts its question together with or without care."""

    careful: bool
    id: str = "believes@0"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [
            Judgement(question=q, answer=Prefers(p_first=self._p(q)), judge=self.id)
            for q in questions
        ]

    def _p(self, question: Compare) -> float:
        text = f"{question.first.text}\n{question.second.text}"
        found = TURN.search(neutralise(text) if self.careful else text)
        return float(found[1] == "1") if found else float(gap(question) > 0)


@pytest.mark.parametrize(("careful", "share"), [(False, 1.0), (True, 0.0)])
def test_turns_of_a_completions_own_making_buy_nothing_where_they_are_made_harmless(
    careful: bool, share: float
) -> None:
    found = _audit(Believes(careful=careful))
    assert found["bought/turns"].estimate == share
    assert found["bought/close"].estimate == 0.0
