"""Meta-rewarding: the actor's pairs, the judge's pairs, and when the judge is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.judges.meta import omegas
from solon.judges.rubric import Rubric, level, spread
from solon.records import Preference
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("meta-rewarding")
    recipe, _ = tiny("meta_rewarding", drift="100")
    with Run(path, seed=1) as run:
        recipe(run)
        assert list(run.policies) == ["sft", "m1", "m2", "m3", "m4", "final"]
    return path


def logged(folder: Path) -> list[dict[str, float]]:
    found = lines.read(folder / "metrics.jsonl")
    return [line for line in found if line["stage"].startswith("judge-")]


def kinds(folder: Path, turn: int) -> tuple[list[Preference], list[Preference]]:
    data: list[Preference] = read_records(folder / "records" / f"preferences-{turn}")
    actor = [one for one in data if one.source == "itself"]
    return actor, [one for one in data if one.source == "meta"]


def test_the_judge_learns_in_its_rounds_and_the_actor_in_all(folder: Path) -> None:
    sizes = [[len(kind) for kind in kinds(folder, turn)] for turn in (1, 2, 3)]
    assert all(actor > 0 for actor, _ in sizes)
    assert [judge > 0 for _, judge in sizes] == [True, True, False]
    assert [line["judge_pairs"] for line in logged(folder)] == [judge for _, judge in sizes]
    assert [line["pairs"] for line in logged(folder)] == [actor for actor, _ in sizes]
    assert not (folder / "records" / "meta-3").exists()


def test_a_judge_pair_is_two_judgements_of_the_completion_whose_votes_vary_most(
    folder: Path,
) -> None:
    votes = Rubric(votes=5).sets(read_records(folder / "records" / "votes-1"))
    by_prompt = [votes[i : i + 3] for i in range(0, len(votes), 3)]
    widest = {max(map(spread, sets)) for sets in by_prompt}
    _, judged = kinds(folder, 1)
    assert 0 < len(judged) <= len(by_prompt)
    for one in judged:
        assert one.chosen.prompt == one.rejected.prompt
        assert one.chosen.prompt.text.endswith("rate it :")
        assert one.chosen.text != one.rejected.text
        assert one.chosen.text in map(str, range(1, 11))
        said = [
            sets
            for group in by_prompt
            for sets in group
            if f"answer : {sets[0].question.completion.text} rate it :" in one.chosen.prompt.text
            and sets[0].question.completion.prompt.text in one.chosen.prompt.text
        ]
        assert any(spread(sets) in widest for sets in said)


def test_every_two_judgements_are_compared_in_both_orders(folder: Path) -> None:
    asked = read_records(folder / "records" / "meta-1")
    shown = [
        (o.question.first.prompt.id, o.question.first.text, o.question.second.text) for o in asked
    ]
    assert len(set(shown)) == len(shown)
    assert {(prompt, b, a) for prompt, a, b in shown} == set(shown)
    assert sum(omegas(asked)) == pytest.approx(1.0)


def test_the_drift_is_that_of_the_same_completions(folder: Path) -> None:
    rubric = Rubric(votes=5)
    first = rubric.sets(read_records(folder / "records" / "votes-1"))
    assert logged(folder)[0]["drift"] == 0.0
    for turn in (2, 3):
        again = rubric.sets(read_records(folder / "records" / f"again-{turn}"))
        assert [s[0].question for s in again] == [s[0].question for s in first]
        assert logged(folder)[turn - 1]["drift"] == pytest.approx(level(again) - level(first))


def test_a_judge_whose_scores_have_drifted_is_left_alone_from_then_on(tmp_path: Path) -> None:
    recipe, _ = tiny("meta_rewarding", judge_rounds="9")
    with Run(tmp_path, seed=1) as run:
        replace(recipe, drift=1e-9)(run)
    assert [line["judge_pairs"] > 0 for line in logged(tmp_path)] == [True, False, False]
    notes = [line["note"] for line in lines.read(tmp_path / "notes.jsonl")]
    assert len([note for note in notes if "the judge's mean score has moved by" in note]) == 1


def test_without_judge_rounds_it_is_self_rewarding_with_length_control(tmp_path: Path) -> None:
    recipe, _ = tiny("meta_rewarding", judge_rounds="0", iterations="1", rho="0.0")
    with Run(tmp_path / "meta", seed=1) as run:
        recipe(run)
    other, _ = tiny("self_rewarding", iterations="1")
    with Run(tmp_path / "self", seed=1) as run:
        replace(other, rate=recipe.rate, prefer=recipe.prefer, imitate=recipe.imitate)(run)
    files = [
        (tmp_path / name / "policies" / "final" / "model.safetensors").read_bytes()
        for name in ("meta", "self")
    ]
    assert files[0] == files[1]


def test_the_widths_are_taken_round_by_round_and_the_last_one_stays(run: Run) -> None:
    recipe, _ = tiny("meta_rewarding", rho="0.0,0.4")
    seen: list[float] = []

    class Asked:
        def pair(self, *, rho: float) -> None:
            seen.append(rho)

    for turn in (1, 2, 3):
        assert recipe.actor_pairs([Asked()], turn) == []
    assert seen == [0.0, 0.4, 0.4]


def test_a_run_that_is_stopped_in_its_second_round_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "meta_rewarding", shows=85)
    assert stopped == whole
