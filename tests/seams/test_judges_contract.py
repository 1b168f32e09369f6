"""One contract for every judge: order kept, length equal, abstains instead of dropping."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from judges_fakes import (
    Both,
    Chooser,
    Writer,
    better,
    compare,
    completion,
    number,
    order,
    rank,
    rate,
)

from solon.judges.human import LabelledPairs
from solon.judges.llm import LlmJudge, LlmRank, LlmScore
from solon.judges.logits import LogitJudge, LogitScore
from solon.judges.reward import JudgeReward, RewardJudge
from solon.judges.wrappers import BothOrders, FailureGate, Jury, Vote
from solon.records import (
    Abstains,
    Completion,
    Judgement,
    Preference,
    Prefers,
    Question,
    Ranks,
    Scores,
)
from solon.run.run import Run
from solon.run.shards import read_records, write_records

LLM = LlmJudge(policy=Writer(says=better), constitution="harmless")
LOGITS = LogitJudge(policy=Chooser(), preamble="preamble/harmless")


@dataclass(frozen=True)
class Opened:
    """What is live already, as a spec."""

    live: Any

    def open(self, run: Run) -> Any:
        return self.live


def _plus(completions: Sequence[Completion]) -> list[float | Abstains]:
    return [
        Abstains(reason="the call failed") if "mute" in c.text else float(c.text.count("+"))
        for c in completions
    ]


PEOPLE = LabelledPairs(
    id="people",
    labels=[
        Preference(chosen=completion("++"), rejected=completion("+")),
        Preference(chosen=completion("+++"), rejected=completion("+")),
    ],
)
PAIR_JUDGES = {
    "logits": LOGITS,
    "logits with a law": LogitJudge(policy=Chooser(), constitution="harmless"),
    "reasoned": LogitJudge(policy=Chooser(), reason=Writer(says=lambda _: "Hm.")),
    "self-reasoned": LogitJudge(policy=Both(), reason=True),
    "words": LLM,
    "both orders": BothOrders(judge=LOGITS),
    "vote": Vote(judge=LLM, k=3),
    "jury": Jury(judges=(LLM, LOGITS, BothOrders(judge=LOGITS))),
    "majority": Jury(judges=(LLM, LOGITS), rule="majority"),
    "gate": FailureGate(judge=LOGITS),
    "people": Opened(PEOPLE),
    "reward": RewardJudge(reward=Opened(_plus)),
    "score as reward": RewardJudge(reward=JudgeReward(judge=LlmScore(policy=Writer(says=number)))),
}
PAIRS = [compare("++", "+"), compare("mute", "+"), compare("+", "+++"), compare("++", "mute +")]
CASES: list[tuple[str, Any, list[Any], type]] = [
    *((name, judge, PAIRS, Prefers) for name, judge in PAIR_JUDGES.items()),
    ("expected score", LogitScore(policy=Chooser()), [rate("+"), rate("mute"), rate("++")], Scores),
    ("score", LlmScore(policy=Writer(says=number)), [rate("+"), rate("mute"), rate("++")], Scores),
    ("rank", LlmRank(policy=Writer(says=order)), [rank("+", "++"), rank("mute"), rank("+")], Ranks),
]


@pytest.mark.parametrize(
    ("judge", "questions", "kind"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_every_judge_keeps_order_and_length_and_abstains_where_it_cannot_answer(
    judge: Any, questions: list[Question], kind: type, run: Run
) -> None:
    live = judge.open(run)
    judgements = live(questions)
    assert [judgement.question for judgement in judgements] == questions
    assert all(isinstance(judgement, Judgement) for judgement in judgements)
    mute = [isinstance(judgement.answer, Abstains) for judgement in judgements]
    assert mute == ["mute" in repr(question) for question in questions]
    assert all(isinstance(j.answer, kind | Abstains) for j in judgements)
    assert all(judgement.judge == live.id != "" for judgement in judgements)
    assert live([]) == []
    assert live(list(reversed(questions))) == list(reversed(judgements))
    if kind is not Ranks:
        assert len({judgement.digest for judgement in judgements}) == len(questions)


@pytest.mark.parametrize("name", PAIR_JUDGES)
def test_every_pair_judge_prefers_what_it_likes_in_both_orders(name: str, run: Run) -> None:
    live = PAIR_JUDGES[name].open(run)
    there, back = live([compare("+++", "+"), compare("+", "+++")])
    if there.principle == "no-deceit":  # asks which one is worse
        there, back = back, there
    assert there.answer.p_first > 0.5 > back.answer.p_first


@pytest.mark.parametrize("name", ["logits with a law", "self-reasoned", "words", "both orders"])
def test_judgements_survive_parquet(name: str, run: Run) -> None:
    judgements = PAIR_JUDGES[name].open(run)(PAIRS)
    assert read_records(write_records(run.dir / "kept", judgements)) == judgements


def test_judges_load_neither_torch_nor_an_engine_nor_the_laboratory() -> None:
    modules = ["human", "llm", "logits", "parsing", "prompts", "questions", "reward", "wrappers"]
    code = "import sys\n" + "".join(f"import solon.judges.{name}\n" for name in modules)
    code += "print(*[m for m in ('torch', 'solon.engines', 'solon.lab') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
