"""Signs of a hacked proxy, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from solon.bench.bench import compose, compose_bench
from solon.bench.sights import Disagreement, Drift, Exploited, HeldOut, Steadiness, moved
from solon.bench.town import lab
from solon.bench.watching import Watch
from solon.recipes.direct import Direct
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Group,
    Judgement,
    PairJudgement,
    Prefers,
    Prompt,
)
from solon.run.run import Run
from solon.text.features import FEATURES


def said(*texts: str) -> list[Completion]:
    return [Completion(prompt=Prompt.of(f"p{i}"), text=text) for i, text in enumerate(texts)]


START = said("one", "one two", "one two three", "one two three four")


@dataclass(frozen=True)
class Words:
    """A reward: so much a word, and a bonus for bold type; no word, no reward."""

    each: float = 1.0
    bold: float = 0.0

    def __call__(self, completions: Sequence[Completion]) -> list[float | Abstains]:
        return [
            self.each * len(one.text.split()) + self.bold * ("**" in one.text)
            if one.text
            else Abstains(reason="nothing to reward")
            for one in completions
        ]


@dataclass(frozen=True)
class Longer:
    """A judge of length that likes what it sees first."""

    first: float = 0.2
    id: str = "longer"

    def __call__(self, questions: Sequence[Compare]) -> list[PairJudgement]:
        return [Judgement(question=q, judge=self.id, answer=self._answer(q)) for q in questions]

    def _answer(self, q: Compare) -> Prefers | Abstains:
        gap = len(q.first.text.split()) - len(q.second.text.split())
        if not q.first.text:
            return Abstains(reason="empty")
        return Prefers(p_first=min(1.0, 0.5 + 0.3 * float(np.sign(gap)) + self.first))


def test_drift_is_the_largest_move_in_the_starts_deviations() -> None:
    now = said(*["one two three four five"] * 4)
    seen = Drift(features={"words": FEATURES["words"]})(now, START)
    # 5 - 2.5 over the deviation of 1, 2, 3, 4
    assert seen == {"feature/words": 5.0, "drift": pytest.approx(2.5 / np.sqrt(1.25))}
    assert Drift()(START, START)["drift"] == 0.0


def test_a_feature_that_the_start_never_has_drifts_by_a_finite_amount() -> None:
    assert moved(np.array([1.0, 0.0]), np.zeros(4)) == pytest.approx(0.5 / np.sqrt(0.0475))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("lists", "- a\n- b\n2. c\nnot - one", 3.0),
        ("markdown", "**a** and # b\n# c\n", 2.0),
        ("hedges", "Perhaps it is. It might be so, and I’m not sure.", 3.0),
        ("praise", "Great question! You're absolutely right.", 2.0),
        ("certainty", "Experts agree, without a doubt.", 2.0),
        ("repetition", "a b c a b c a b c", 4 / 7),
        ("repetition", "a b", 0.0),
    ],
)
def test_features_count_what_they_say(name: str, text: str, expected: float) -> None:
    assert FEATURES[name](text) == pytest.approx(expected)


def test_disagreement_is_one_on_the_start_and_grows_where_rewards_part() -> None:
    same = Disagreement(rewards=(Words(), Words(each=3.0)))
    assert same(said("one two three"), START) == {}  # no spread to compare with
    # standardised, the second is the first turned round: |spread| is the distance from the mean
    apart = Disagreement(rewards=(Words(), Words(each=-1.0)))
    assert apart(START, START) == {"disagreement": pytest.approx(1.0)}
    far = said(*["one two three four five six"] * 4)
    assert apart(far, START)["disagreement"] == pytest.approx(3.5)  # 3.5 over a mean of 1


def test_what_a_reward_leaves_unmeasured_is_left_out() -> None:
    apart = Disagreement(rewards=(Words(), Words(each=-1.0)))
    assert apart(said("one two three", ""), START)["disagreement"] == pytest.approx(0.5)


def test_steadiness_is_the_rewards_change_by_format_alone() -> None:
    unit = np.sqrt(1.25)
    flat = Steadiness(reward=Words(), changes=("bold",))(said("Boil it.", "Wait."), START)
    assert flat == {"steadiness": 0.0}
    keen = Steadiness(reward=Words(bold=2.0), changes=("bold",))(said("Boil it."), START)
    assert keen == {"steadiness": pytest.approx(2.0 / unit)}


def test_a_held_out_judges_position_bias_is_no_win() -> None:
    texts = said("a b", "a b", "a b", "a b")
    assert HeldOut(judge=Longer())(texts, texts) == {"held_out": pytest.approx(0.5)}
    longer = said("a b c", "a b c", "a b c", "a b c")
    # 1.0 where it is shown first, 1 - 0.4 where it is second
    assert HeldOut(judge=Longer())(longer, texts) == {"held_out": pytest.approx(0.8)}
    # nothing shown first is no question: the pair is left out
    seen = HeldOut(judge=Longer())(said("", "a b"), said("", ""))
    assert seen == {"held_out": pytest.approx(1.0)}


def test_exploits_are_a_share() -> None:
    shows = Exploited(shows=lambda one: "right" in one.text)
    assert shows(said("you are right", "no"), START) == {"exploited": 0.5}


@dataclass(frozen=True)
class Fixed:
    """A policy that says one thing."""

    text: str
    id: str = "fixed@0"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=(Completion(prompt=p, text=self.text),)) for p in prompts]

    def lengths(self, completions: Sequence[Completion]) -> list[int]:
        return [len(one.text.split()) for one in completions]

    def logp(self, completions: Sequence[Completion]) -> list[float]:
        return [0.0 for _ in completions]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)


def test_sights_are_silent_until_the_run_keeps_a_start(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        watch = Watch(prompts=(Prompt.of("p"),), run=run, sights=(Drift(),))
        assert "drift" not in watch(0, Fixed("one two"))
        run.keep("sft", Fixed("one"))
        assert watch(1, Fixed("one two"))["feature/words"] == 2.0
        assert watch(1, Fixed("one two"))["drift"] > 0


def test_a_guards_mode_is_chosen_by_name_and_its_rules_by_key() -> None:
    bench = compose_bench(lab(), {"guard": "stop", "guard.kl": "5"})
    assert (bench.guard.mode, bench.guard.kl, bench.guard.patience) == ("stop", 5.0, 3)
    _, bench = compose(Direct, lab(), {"guard": "off"})
    assert bench.guard.mode == "off"
