"""Laws of judges made of judges: symmetry, averages, majorities, failures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import SettingError, TooManyFailures
from solon.judges.questions import (
    FailureLimit,
    abstentions,
    identical,
    pairs,
    preferences,
    rewarded,
)
from solon.judges.reward import JudgeReward, RewardJudge
from solon.judges.wrappers import BothOrders, FailureGate, Jury, Vote
from solon.objectives.advantage import leave_one_out
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Group,
    Judgement,
    PairJudgement,
    Prefers,
    Prompt,
    Rate,
    ScoreJudgement,
    Scores,
)
from solon.run.run import Run

PROMPT = Prompt.of("Why?")


def completion(text: str) -> Completion:
    return Completion(prompt=PROMPT, text=text)


def compare(first: str, second: str) -> Compare:
    return Compare(first=completion(first), second=completion(second))


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@dataclass(frozen=True)
class Planted:
    """Prefers by a function of the two texts; None abstains."""

    rule: Callable[[str, str], float | None]
    id: str = "planted"

    def open(self, run: Run) -> Planted:
        return self

    def __call__(self, questions: Sequence[Compare]) -> list[PairJudgement]:
        return [self._judgement(question) for question in questions]

    def _judgement(self, question: Compare) -> PairJudgement:
        p = self.rule(question.first.text, question.second.text)
        answer = Abstains(reason="mumbled") if p is None else Prefers(p_first=p)
        return Judgement(question=question, answer=answer, judge=self.id)

    def samples(self, questions: Sequence[Compare], *, n: int) -> list[list[PairJudgement]]:
        return [[self._judgement(question) for _ in range(n)] for question in questions]


def biased(d: float, b: float) -> Planted:
    """True logit d for "good" against "bad", and an additive bias b to what stands first."""
    return Planted(lambda first, second: sigma(b + (d if first == "good" else -d)))


def p_of(judgement: PairJudgement) -> float:
    assert isinstance(judgement.answer, Prefers)
    return judgement.answer.p_first


@pytest.mark.parametrize(("b", "p"), [(0, 0.731), (1, 0.690), (3, 0.551)])
def test_averaged_probabilities_shrink_with_bias_and_averaged_logits_do_not(
    b: float, p: float, run: Run
) -> None:
    question = compare("good", "bad")
    [mean] = BothOrders(judge=biased(1, b)).open(run)([question])
    [logit] = BothOrders(judge=biased(1, b), average="logit").open(run)([question])
    assert p_of(mean) == pytest.approx(p, abs=5e-4)
    assert p_of(mean) == pytest.approx((sigma(1 + b) + sigma(1 - b)) / 2, abs=1e-12)
    assert p_of(logit) == pytest.approx(sigma(1), abs=1e-12)
    assert isinstance(mean.answer, Prefers)
    assert mean.answer.orders == pytest.approx((sigma(1 + b), sigma(1 - b)))


probability = st.floats(0, 1)


@given(one=probability, two=probability, average=st.sampled_from(["probability", "logit"]))
def test_both_orders_are_exactly_antisymmetric(one: float, two: float, average: str) -> None:
    judge = BothOrders(judge=Planted(lambda a, _: one if a == "a" else two), average=average)
    there, back = judge.open(None)([compare("a", "b"), compare("b", "a")])  # type: ignore[arg-type]
    assert abs(p_of(there) + p_of(back) - 1) <= 1e-12
    assert 0 <= p_of(there) <= 1


def test_a_pass_that_abstains_makes_both_orders_abstain_unless_either_is_enough(run: Run) -> None:
    halfway = Planted(lambda first, _: 0.9 if first == "a" else None)
    questions = [compare("a", "b"), compare("b", "a")]
    strict = BothOrders(judge=halfway).open(run)(questions)
    lenient = BothOrders(judge=halfway, either=True).open(run)(questions)
    assert [j.answer for j in strict] == [Abstains(reason="mumbled")] * 2
    assert [p_of(j) for j in lenient] == pytest.approx([0.9, 0.1])
    silent = BothOrders(judge=Planted(lambda *_: None), either=True).open(run)(questions)
    assert [j.answer for j in silent] == [Abstains(reason="mumbled")] * 2


def jurors(*given: float | None) -> tuple[Planted, ...]:
    return tuple(Planted(lambda *_, p=p: p) for p in given)


@pytest.mark.parametrize(
    ("given", "mean", "majority"),
    [
        ((0.9, 0.8, 0.1), 0.6, 1.0),
        ((0.9, 0.1, 0.2), 0.4, 0.0),
        ((0.9, 0.1), 0.5, "no majority"),
        ((0.9, 0.5, 0.1), 0.5, "no majority"),
        ((0.9, 0.8, None), 0.85, 1.0),
        ((0.9, 0.1, None), 0.5, "no majority"),
        ((0.9, None, None), "half of the votes or more abstained", "no majority"),
    ],
)
def test_a_jury_decides_by_mean_or_by_strict_majority_or_says_why_not(
    given: tuple[float | None, ...], mean: float | str, majority: float | str, run: Run
) -> None:
    for rule, expected in (("mean", mean), ("majority", majority)):
        [judgement] = Jury(judges=jurors(*given), rule=rule).open(run)([compare("a", "b")])
        if isinstance(expected, str):
            assert judgement.answer == Abstains(reason=expected)
        else:
            assert p_of(judgement) == pytest.approx(expected)


def test_a_jury_of_two_pass_judges_keeps_the_mean_of_each_pass(run: Run) -> None:
    jury = Jury(judges=(BothOrders(judge=biased(1, 1)), BothOrders(judge=biased(1, 3))))
    [judgement] = jury.open(run)([compare("good", "bad")])
    assert isinstance(judgement.answer, Prefers)
    first, second = judgement.answer.orders
    assert first == pytest.approx((sigma(2) + sigma(4)) / 2)
    assert second == pytest.approx((sigma(0) + sigma(-2)) / 2)
    assert (first + second) / 2 == pytest.approx(p_of(judgement))


def test_a_vote_needs_more_than_half_of_its_samples(run: Run) -> None:
    @dataclass(frozen=True)
    class Wavering(Planted):
        answers: tuple[float | None, ...] = ()

        def samples(self, questions: Sequence[Compare], *, n: int) -> list[list[PairJudgement]]:
            each = [Planted(lambda *_, p=p: p)(questions) for p in self.answers[:n]]
            return [list(one) for one in zip(*each, strict=True)]

    enough = Wavering(lambda *_: None, answers=(1.0, 0.0, 1.0, None, 1.0))
    assert p_of(Vote(judge=enough, k=5).open(run)([compare("a", "b")])[0]) == 0.75
    few = Wavering(lambda *_: None, answers=(1.0, None))
    [judgement] = Vote(judge=few, k=2).open(run)([compare("a", "b")])
    assert judgement.answer == Abstains(reason="half of the votes or more abstained")


def test_a_gate_stops_at_the_first_failure_past_the_limit_and_says_why(run: Run) -> None:
    calls = iter(range(10_000))
    gate = FailureGate(judge=Planted(lambda *_: None if next(calls) % 8 == 0 else 0.7)).open(run)
    question = compare("a", "b")
    assert len(gate([question] * 160)) == 160  # 20 of 160 failed: at the limit of 10 % of 200
    with pytest.raises(TooManyFailures, match=r"21 of the newest 161 failed \(mumbled: 21\)"):
        gate([question])


def test_old_failures_leave_the_window() -> None:
    limit = FailureLimit(share=0.1, window=20)
    for _ in range(50):
        limit.note(["", "", "broken", *[""] * 9], of="rewards")  # never more than 2 in 20
    with pytest.raises(
        TooManyFailures, match=r"rewards: 3 of the newest 20 failed \(broken: 1; x: 1; y: 1\)"
    ):
        limit.note(["x", "y"], of="rewards")


def group(*texts: str) -> Group:
    return Group(completions=tuple(completion(text) for text in texts))


def test_pairs_are_all_or_adjacent_and_skip_and_count_equal_texts() -> None:
    groups = [group("a", "b", "a"), group("c", "c")]
    texts = [(q.first.text, q.second.text) for q in pairs(groups)]
    assert texts == [("a", "b"), ("b", "a")]
    assert identical(groups) == 2
    assert len(pairs([group("a", "b", "c")], how="adjacent")) == 2
    assert identical([group("a", "b", "a")], how="adjacent") == 0


def test_preferences_turn_the_likelier_one_to_chosen_keep_ties_and_drop_abstentions() -> None:
    judge = Planted(lambda first, _: {"a": 0.3, "b": 0.5, "c": None}[first])
    judgements = judge([compare("a", "x"), compare("b", "x"), compare("c", "x")])
    made = [(p.chosen.text, p.rejected.text, p.p, p.source) for p in preferences(judgements)]
    assert made == [("x", "a", 0.7, "planted"), ("b", "x", 0.5, "planted")]
    assert abstentions(judgements) == {
        "abstained": 1.0,
        "abstained_share": pytest.approx(1 / 3),
        "abstained/mumbled": 1.0,
    }
    assert abstentions([]) == {"abstained": 0.0, "abstained_share": 0.0}


def test_a_failed_reward_leaves_the_batch_and_keeps_the_others_in_their_group() -> None:
    values = {"a": 0.1, "b": Abstains(reason="the call failed"), "c": math.nan, "d": 0.4, "e": 0.0}
    found = rewarded(
        [group("a", "b"), group("c"), group("d", "e")], lambda cs: [values[c.text] for c in cs]
    )
    assert [(r.completion.text, r.reward, r.group) for r in found.rollouts] == [
        ("a", 0.1, 0),
        ("d", 0.4, 2),
        ("e", 0.0, 2),
    ]
    assert found.failed == 2
    assert found.reasons == {"the call failed": 1, "the reward is not finite": 1}
    assert found.metrics["reward"] == pytest.approx(0.5 / 3)


def test_failures_turn_no_honest_advantage_round_where_silent_zeros_turn_seven_per_cent() -> None:
    draw = np.random.default_rng(0)
    honest = draw.normal(0.6, 0.10, (20_000, 1)) + draw.normal(0, 0.15, (20_000, 8))
    failed = draw.random(honest.shape) < 0.05
    kept = np.where(failed, np.nan, honest)
    true = np.sign(kept - np.nanmean(kept, axis=1, keepdims=True))[~failed]

    def signs(groups: Sequence[Group], values: np.ndarray) -> np.ndarray:
        answers = [Abstains(reason="x") if math.isnan(v) else float(v) for v in values.ravel()]
        rollouts = rewarded(groups, lambda _: answers).rollouts
        rewards = torch.tensor([r.reward for r in rollouts], dtype=torch.float64)
        numbers = torch.tensor([r.group for r in rollouts])
        return np.sign(leave_one_out(rewards, numbers).numpy())

    groups = [group(*"abcdefgh")] * 20_000
    ours = signs(groups, kept)
    zeros = signs(groups, np.nan_to_num(kept)).reshape(honest.shape)[~failed]
    alone = np.count_nonzero(np.isfinite(kept), axis=1) == 1
    assert not alone.any()
    assert np.mean(ours != true) == 0
    assert np.mean(zeros != true) == pytest.approx(0.07, abs=0.003)


@dataclass(frozen=True)
class Scored:
    """Scores a text by the number that it is."""

    id: str = "scored"

    def open(self, run: Run) -> Scored:
        return self

    def __call__(self, questions: Sequence[Rate]) -> list[ScoreJudgement]:
        answers = [
            Scores(value=float(q.completion.text))
            if q.completion.text
            else Abstains(reason="blank")
            for q in questions
        ]
        return [
            Judgement(question=q, answer=a, judge=self.id)
            for q, a in zip(questions, answers, strict=True)
        ]


def test_a_score_becomes_a_reward_between_minus_one_and_one(run: Run) -> None:
    reward = JudgeReward(judge=Scored()).open(run)
    texts = ["1", "5.5", "10", "7.75", ""]
    got = reward([completion(text) for text in texts])
    assert got == [-1.0, 0.0, 1.0, 0.5, Abstains(reason="blank")]
    assert reward([completion("10.000000000000002")]) == pytest.approx([1.0])
    five = JudgeReward(judge=Scored(), scale=(1, 5)).open(run)
    assert five([completion("4")]) == [0.5]
    with pytest.raises(SettingError, match="expected scores from 1 to 5, got 7.0"):
        five([completion("7")])


@dataclass(frozen=True)
class Lengths:
    def open(self, run: Run) -> Lengths:
        return self

    def __call__(self, completions: Sequence[Completion]) -> list[float | Abstains]:
        return [float(len(c.text)) if c.text else Abstains(reason="blank") for c in completions]


def test_a_reward_judges_pairs_by_the_sigmoid_of_the_difference(run: Run) -> None:
    judge = RewardJudge(reward=Lengths(), name="length").open(run)
    questions = [
        compare("aaa", "a"),
        compare("a", "aaa"),
        compare("a" * 900, "a"),
        compare("a", ""),
    ]
    first, second, far, none = judge(questions)
    assert p_of(first) == pytest.approx(sigma(2), abs=1e-15)
    assert p_of(first) + p_of(second) == pytest.approx(1, abs=1e-15)
    assert p_of(far) == 1.0
    assert none.answer == Abstains(reason="blank")
    assert (first.judge, first.raw) == ("length", "3.0 1.0")
