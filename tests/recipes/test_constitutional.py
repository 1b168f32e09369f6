"""RL-CAI: labels by principle beside people's, one reward, and a climb from the revised policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.records import PairJudgement, Prefers
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("constitutional")
    recipe, _ = tiny("constitutional", judge__judge__reason="true")
    with Run(folder, seed=1) as run:
        recipe(run)
    return folder


def records(folder: Path, name: str) -> list[PairJudgement]:
    return read_records(folder / "records" / name)


def test_both_phases_run_in_the_papers_order(ran: Path) -> None:
    stages = [line["stage"] for line in lines.read(ran / "stages.jsonl")]
    order = ["supervised", "revise", "helpful", "learn-revisions"]
    order += ["label", "consult", "reward", "climb"]
    assert [stage for stage in stages if stage in order] == order


def test_harmlessness_is_judged_by_principle_on_harmful_prompts_alone(ran: Path) -> None:
    judged = records(ran, "judgements")
    assert {one.question.first.prompt.fact("safe") for one in judged} == {"no"}
    assert all(one.principle and one.rationale and one.seed for one in judged)
    assert {one.principle for one in judged} <= {"harmless", "honest", "no-evasion", "no-sermon"}
    assert {one.question.first.policy.partition("@")[0] for one in judged} == {"policy"}


def test_helpfulness_is_peoples_affair_on_harmless_prompts(ran: Path) -> None:
    judged = records(ran, "judgements-helpful")
    assert {one.question.first.prompt.fact("safe") for one in judged} == {"yes"}
    assert {one.judge for one in judged} == {"people-5"}


def test_reasoned_labels_are_clamped_and_the_judgements_keep_what_was_said(ran: Path) -> None:
    said = p_of(records(ran, "judgements"))
    learnt = [one.p for one in read_records(ran / "records" / "preferences")]
    assert learnt == pytest.approx([min(max(p, 1 - p), 0.6) for p in said])
    assert max(one.p for one in read_records(ran / "records" / "preferences-helpful")) == 1.0


def p_of(judged: list[PairJudgement]) -> list[float]:
    return [one.answer.p_first for one in judged if isinstance(one.answer, Prefers)]


def test_a_narrower_clamp_is_what_is_learnt(tmp_path: Path) -> None:
    recipe, _ = tiny("constitutional", judge__judge__reason="true", label__clamp="0.5,0.5")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    said = p_of(records(tmp_path, "judgements"))
    assert max(said) != 0.5
    assert {one.p for one in read_records(tmp_path / "records" / "preferences")} == {0.5}


def test_the_policy_climbs_on_both_sorts_of_prompts(ran: Path) -> None:
    rollouts = read_records(ran / "records" / "rollouts")
    safe = [one.completion.prompt.fact("safe") for one in rollouts]
    assert safe.count("no") == safe.count("yes") == len(safe) / 2


def test_without_peoples_labels_the_run_says_what_that_teaches(tmp_path: Path) -> None:
    recipe, _ = tiny("constitutional")
    with Run(tmp_path, seed=1) as run:
        replace(recipe, labels=None)(run)
    notes = [line["note"] for line in lines.read(tmp_path / "notes.jsonl")]
    assert "no labels of helpfulness: the reward minds harmlessness alone" in notes
    assert not (tmp_path / "records" / "judgements-helpful").exists()


def test_a_run_that_is_stopped_while_it_climbs_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "constitutional", shows=11)
    assert stopped == whole
