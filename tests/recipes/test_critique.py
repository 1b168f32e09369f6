"""SL-CAI: the starting policy learns what a helpful-only one revised, and nothing that failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.errors import SettingError, TooManyFailures
from solon.judges.revising import Revising
from solon.records import Completion, Critique, Group, Prompt, flat
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.self_revise import SelfRevise, after, aloud, counts
from solon.text.constitution import Constitution

P = Prompt.of("x")
A, B, C = (Completion(prompt=P, text=text) for text in "abc")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("critique")
    recipe, _ = tiny("critique")
    with Run(folder, seed=1) as run:
        recipe(run)
    return folder


def turns(folder: Path) -> list[list[Critique]]:
    return [read_records(folder / "records" / f"critiques-{turn}") for turn in (1, 2)]


def test_each_turn_goes_on_from_the_revision_or_from_what_it_failed_on(ran: Path) -> None:
    first, second = turns(ran)
    assert [one.completion for one in second] == [after(one) for one in first]
    assert any(one.failed for one in first)
    assert any(not one.failed for one in first)
    assert {one.turn for one in first} == {1}
    assert {one.turn for one in second} == {2}


def test_every_principle_is_what_its_recorded_seed_draws(ran: Path) -> None:
    law = Constitution.load("town_broad")
    told = [one for said in turns(ran) for one in said]
    assert all(law.draw(one.seed).id == one.principle for one in told)
    again = [a.principle == b.principle for a, b in zip(*turns(ran), strict=True)]
    assert not all(again)  # drawn at every turn, not once for a prompt


def test_the_counts_of_a_turn_are_those_of_its_records(ran: Path) -> None:
    logged = [line for line in lines.read(ran / "metrics.jsonl") if line["stage"] == "revise"]
    for line, said in zip(logged[1:], turns(ran), strict=True):
        assert line["asked"] == len(said) == logged[0]["answers"]
        kept = line["revised"] + line["faultless"] + line["unchanged"] + line["failed"]
        assert kept == line["asked"]
        assert line["revised"] == sum(not one.failed for one in said)


def test_the_starting_policy_learns_and_the_helpful_one_does_not(ran: Path) -> None:
    with Run(ran, seed=1) as run:
        recipe, _ = tiny("critique")
        final = recipe(run)
        assert final.id.startswith("policy@")
        assert run.policies["sft"].id != run.policies["revised"].id
    answers = flat(read_records(ran / "records" / "answers"))
    assert {one.policy.partition("@")[0] for one in answers} == {"helpful"}
    assert len(read_records(ran / "records" / "helpful")) == 6


def test_without_a_helpful_policy_the_start_answers_and_revises_itself(tmp_path: Path) -> None:
    recipe, _ = tiny("critique", revise__words__faultless="")
    with Run(tmp_path, seed=1) as run, pytest.raises(TooManyFailures, match="no revision to learn"):
        replace(recipe, helpful=None)(run)
    answers = flat(read_records(tmp_path / "records" / "answers"))
    assert {one.policy.partition("@")[0] for one in answers} <= {"policy"}


def test_all_revisions_are_learnt_or_the_last_of_each_answer() -> None:
    said = [
        [told(A, B), told(A, None, "critique: empty reply"), told(A, B)],
        [told(B, C), told(A, C), told(B, None, "no fault found")],
    ]
    assert SelfRevise(turns=2).learnt(said) == [B, B, C, C]
    assert SelfRevise(turns=2, learn="last").learnt(said) == [C, B, C]
    assert counts(said[0]) == {
        "asked": 3,
        "revised": 2,
        "faultless": 0,
        "unchanged": 0,
        "failed": 1,
        "failed/critique: empty reply": 1,
    }
    assert counts(said[1])["faultless"] == 1


def told(completion: Completion, revision: Completion | None, failed: str = "") -> Critique:
    return Critique(
        completion=completion, principle="p", text="it is", revision=revision, failed=failed
    )


def test_a_reasoning_models_thoughts_are_neither_revised_nor_learnt() -> None:
    thought = replace(A, text="<think>Hm.</think>\n\nPull them out.", tokens=(1, 2))
    [one, other] = aloud([Group(completions=(thought, B))])
    assert (one.text, one.tokens) == ("Pull them out.", ())
    assert other is B


def test_a_malformed_revision_that_stands_in_the_record_is_not_gone_on_from() -> None:
    assert after(told(A, B, "revision: holds a request")) is A
    assert after(told(A, B)) is B


def test_critiques_may_be_left_out(tmp_path: Path) -> None:
    recipe, _ = tiny("critique", revise__words__critique="false", revise__turns="1")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
    [said] = [read_records(tmp_path / "records" / "critiques-1")]
    assert {one.text for one in said} == {""}
    assert any(one.revision for one in said)


def test_too_many_failures_stop_the_run_and_name_them(tmp_path: Path) -> None:
    recipe, _ = tiny("critique", revise__max_failed="0.0")
    with Run(tmp_path, seed=1) as run, pytest.raises(TooManyFailures, match="revise: 1 of the"):
        recipe(run)


def test_settings_that_cannot_be_met_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="turns: expected at least 1"):
        SelfRevise(turns=0)
    recipe, _ = tiny("critique", revise__words__constitution="town")
    with Run(tmp_path) as run, pytest.raises(SettingError, match="'town': expected a principle"):
        recipe(run)
    assert not (tmp_path / "stages.jsonl").exists()  # before anything was trained
    assert Revising().constitution == "harmless"


def test_a_run_that_is_stopped_while_it_learns_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "critique", shows=5)
    assert stopped == whole
