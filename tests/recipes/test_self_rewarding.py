"""Self-rewarding: one model answers and judges, and each round is judged by its own model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.judges.rubric import Rubric, averaged
from solon.records import Group, Preference, Scores, flat
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records

ROUNDS = (1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("self-rewarding")
    recipe, _ = tiny("self_rewarding")
    with Run(path, seed=1) as run:
        final = recipe(run)
        assert list(run.policies) == ["sft", "m1", "m2", "m3", "final"]
        assert run.policies["sft"].id == run.policies["m1"].id
        assert final.id == run.policies["m3"].id
        (path / "ids").write_text(" ".join(run.policies[f"m{turn}"].id for turn in (1, 2, 3)))
    return path


def ids(folder: Path) -> list[str]:
    return (folder / "ids").read_text().split()


def logged(folder: Path, turn: int) -> dict[str, float]:
    found = lines.read(folder / "metrics.jsonl")
    return next(line for line in found if line["stage"] == f"judge-{turn}")


def test_each_round_the_present_model_answers_and_rates_fresh_prompts(folder: Path) -> None:
    assert len(set(ids(folder))) == 3
    asked = []
    for turn in ROUNDS:
        groups: list[Group] = read_records(folder / "records" / f"groups-{turn}")
        votes = read_records(folder / "records" / f"votes-{turn}")
        assert [len(group.completions) for group in groups] == [3] * 16
        assert {one.policy for one in flat(groups)} == {ids(folder)[turn - 1]}
        assert {one.judge.partition("/")[0] for one in votes} == {ids(folder)[turn - 1]}
        assert [one.question.completion for one in votes[::5]] == flat(groups)
        asked.append({group.prompt.id for group in groups})
    assert not asked[0] & asked[1]


def test_the_best_and_the_worst_mean_make_the_pair_and_ties_make_none(folder: Path) -> None:
    for turn in ROUNDS:
        votes = read_records(folder / "records" / f"votes-{turn}")
        means = {
            one.question.completion: one.answer.value
            for one in map(averaged, Rubric(votes=5).sets(votes))
            if isinstance(one.answer, Scores)
        }
        data: list[Preference] = read_records(folder / "records" / f"preferences-{turn}")
        groups: list[Group] = read_records(folder / "records" / f"groups-{turn}")
        by_prompt = {group.prompt.id: group.completions for group in groups}
        assert data
        for one in data:
            siblings = [means[c] for c in by_prompt[one.chosen.prompt.id] if c in means]
            assert means[one.chosen] == max(siblings) > min(siblings) == means[one.rejected]
        found = logged(folder, turn)
        assert found["pairs"] == len(data)
        assert found["tie_rate"] == pytest.approx(1 - len(data) / 16)
        assert found["votes"] == 16 * 3 * 5


def test_a_round_is_fitted_from_and_against_the_model_that_answered(folder: Path) -> None:
    """One pass of 8: the version counts the updates of each round."""
    versions = [int(one.partition("@")[2]) for one in ids(folder)]
    for turn in ROUNDS:
        data = read_records(folder / "records" / f"preferences-{turn}")
        fits = [
            line
            for line in lines.read(folder / "metrics.jsonl")
            if line["stage"] == f"prefer-{turn}"
        ]
        assert len(fits) == versions[turn] - versions[turn - 1]
        assert 0 < len(fits) <= -(-len(data) // 8)
        # beta log(pi / anchor) is 0 where the policy is its own anchor: the loss begins at log 2
        assert fits[0]["loss"] == pytest.approx(0.6931, abs=1e-3)


def test_a_model_that_cannot_judge_gives_no_pair_and_stays_as_it_is(tmp_path: Path) -> None:
    recipe, _ = tiny("self_rewarding", iterations="1")
    rate = replace(recipe.rate, rubric=Rubric(votes=2))  # asks in words that it never saw
    with Run(tmp_path, seed=1) as run:
        final = replace(recipe, rate=rate, evaluations=None)(run)
        assert final.id == run.policies["m1"].id
    found = logged(tmp_path, 1)
    assert (found["pairs"], found["tie_rate"], found["abstained"]) == (0, 1.0, 16 * 3 * 2)


def test_a_run_that_is_stopped_in_its_second_round_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "self_rewarding", shows=84)
    assert stopped == whole
