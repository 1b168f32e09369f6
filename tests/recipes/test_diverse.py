"""Diverse feedback: which third gets which kind, what becomes a pair, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.errors import SettingError, TooManyFailures
from solon.judges.critic import Rewriter
from solon.judges.questions import FailureLimit
from solon.recipes.diverse import KINDS, assigned
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Critique,
    Group,
    Judgement,
    PairJudgement,
    Prefers,
    Prompt,
)
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.teaching import Taught, Teaching
from solon.text.template import Template

VALUES = [0.1, 0.9, 0.5, 0.2, 0.8, 0.6]


@pytest.mark.parametrize(
    ("assign", "kinds"),
    [
        ("uncertainty", "critique preference refinement critique preference refinement"),
        ("reversed", "preference critique refinement preference critique refinement"),
        ("refinement", " ".join(["refinement"] * 6)),
    ],
)
def test_each_third_gets_the_kind_that_is_asked_for(assign: str, kinds: str) -> None:
    assert assigned(assign, VALUES, seed=1) == kinds.split()


def test_at_random_there_are_as_many_of_each_kind_and_uncertainty_does_not_matter() -> None:
    values = [float(n) for n in range(300)]
    dealt = assigned("random", values, seed=7)
    assert Counter(dealt) == dict.fromkeys(KINDS, 100)
    assert dealt == assigned("random", values, seed=7)
    assert dealt != assigned("random", values, seed=8)
    low = Counter(dealt[:100])
    assert all(15 < low[kind] < 55 for kind in KINDS)


@dataclass(frozen=True)
class Teacher:
    """A critic and a judge who know four answers: right, wrong, mute and lost."""

    id: str = "teacher@1"

    def __call__(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        told = {"right": "", "wrong": "It is wrong.", "lost": "It is lost."}
        return [
            Critique(completion=one, principle="", text=told[one.text])
            if one.text in told
            else Abstains(reason="mute")
            for one in completions
        ]

    def refine(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        return [
            Abstains(reason="mute")
            if one.text == "mute"
            else Critique(completion=one, principle="", text="", revision=said("right", one.prompt))
            for one in completions
        ]

    def judge(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [
            Judgement(
                question=one,
                answer=Abstains(reason="mute")
                if one.first.text == "mute"
                else Prefers(p_first=0.2 if one.first.text == "wrong" else 0.7),
                judge=self.id,
            )
            for one in questions
        ]


@dataclass(frozen=True)
class Answers:
    """A policy that revises into ``right``, unless it is told that it is lost."""

    id: str = "policy@4"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(
                completions=(
                    Completion(
                        prompt=one,
                        text="right",
                        policy=self.id,
                        finish="length" if "lost" in one.text else "stop",
                    ),
                )
            )
            for one in prompts
        ]


def said(text: str, prompt: Prompt = Prompt.of("Why?")) -> Completion:
    return Completion(prompt=prompt, text=text, policy="policy@4")


def teaching(run: Run, share: float = 0.1) -> Teaching:
    teacher = Teacher()
    return Teaching(
        run=run,
        critic=teacher,
        judge=Judged(teacher),
        rewriter=Rewriter(policy=Answers(), template=Template.load("critique/revise")),
        second=lambda batch: [said("right", one) for one in batch],
        failures=FailureLimit(share=share),
    )


@dataclass(frozen=True)
class Judged:
    """The teacher as a judge."""

    teacher: Teacher
    id: str = "teacher@1"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return self.teacher.judge(questions)


FOUR = [said(text) for text in ("right", "wrong", "mute", "lost")]


def test_a_critique_becomes_a_pair_only_where_a_fault_was_found_and_mended(run: Run) -> None:
    found = teaching(run)("critique", FOUR)
    [pair] = found.data
    assert (pair.chosen.text, pair.rejected.text, pair.p) == ("right", "wrong", 1.0)
    assert pair.chosen.prompt == pair.rejected.prompt == FOUR[1].prompt
    # right has no fault, the teacher is mute once, the lost revision was cut off
    assert found.counts == {"asked": 4, "abstained": 2, "unchanged": 1, "pairs": 1}


def test_a_refinement_that_repeats_the_answer_is_dropped_and_counted(run: Run) -> None:
    found = teaching(run)("refinement", FOUR)
    assert [(p.chosen.text, p.rejected.text) for p in found.data] == [
        ("right", "wrong"),
        ("right", "lost"),
    ]
    assert found.counts == {"asked": 4, "abstained": 1, "unchanged": 1, "pairs": 2}


def test_a_comparison_keeps_its_probability_and_equal_answers_are_not_asked_about(
    run: Run,
) -> None:
    found = teaching(run)("preference", FOUR)
    assert [(p.chosen.text, p.rejected.text, p.p) for p in found.data] == [
        ("right", "wrong", 0.8),
        ("lost", "right", 0.7),
    ]
    assert found.counts == {"asked": 3, "abstained": 1, "unchanged": 1, "pairs": 2}


def test_every_answer_is_accounted_for(run: Run) -> None:
    for kind in KINDS:
        found: Taught = teaching(run)(kind, FOUR)
        assert len(found.data) + found.abstained + found.unchanged == len(FOUR)


def test_a_teacher_who_is_mostly_mute_ends_the_run(run: Run) -> None:
    mute = [said("mute")] * 5
    with pytest.raises(TooManyFailures, match="critiques: 5 of the newest 5 failed"):
        teaching(run, share=0.02)("critique", mute)


def fed(folder: Path) -> dict[str, float]:
    [line] = [one for one in lines.read(folder / "metrics.jsonl") if one["stage"] == "feedback"]
    return line


def test_a_run_learns_from_as_many_pairs_of_each_kind_as_it_says(tmp_path: Path) -> None:
    recipe, _ = tiny("diverse", pairs="12", spare="3", policy__max_new_tokens="24")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    said_so = fed(tmp_path)
    asked = [said_so["critique_asked"], said_so["refinement_asked"]]
    assert asked == [16, 16]  # a third of 48 prompts each
    for kind in KINDS:
        pairs = read_records(tmp_path / "records" / f"preferences-{kind}")
        assert len(pairs) == min(4, said_so[f"{kind}_pairs"])
        assert all(one.chosen.text != one.rejected.text for one in pairs)
        assert all(one.chosen.prompt == one.rejected.prompt for one in pairs)
    low, middle, high = (said_so[f"{kind}_uncertainty"] for kind in KINDS)
    assert low < middle < high


def test_a_policy_without_a_rival_is_compared_with_its_own_next_draw(tmp_path: Path) -> None:
    recipe, _ = tiny("diverse", rival="none", assign="preference")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    pairs = read_records(tmp_path / "records" / "preferences-preference")
    assert pairs
    assert len({one.policy for pair in pairs for one in (pair.chosen, pair.rejected)}) == 1


def test_the_pairs_may_teach_a_reward_that_is_climbed(tmp_path: Path) -> None:
    recipe, _ = tiny("diverse", by="reward")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    stages = [line["stage"] for line in lines.read(tmp_path / "stages.jsonl")]
    assert stages[-2:] == ["reward", "climb"]
    assert "prefer" not in stages


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uncertainty": "entropy"}, "draws: expected at least 2 for uncertainty=entropy, got 1"),
        ({"by": "reward", "reward": "none"}, "by=reward: expected a reward to fit"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    run: Run, changes: dict[str, str], message: str
) -> None:
    recipe, _ = tiny("diverse", **changes)
    with pytest.raises(SettingError, match=message):
        recipe(run)


def test_a_run_that_is_stopped_while_it_learns_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "diverse", shows=3)
    assert stopped == whole
