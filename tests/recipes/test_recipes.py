"""Every file in recipes/ on the tiny lab bench: it runs, cites, and does the same twice."""

from dataclasses import is_dataclass
from pathlib import Path

import pytest
from tiny import SHORT, tiny

from solon.bench.closing import close
from solon.catalogue import entries
from solon.records import Completion
from solon.report import write_report
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.run.start import write_manifest

NAMES = [entry.name for entry in entries("recipes")]
# trains no policy: test_weak_to_strong.py runs it
OF_CLASSIFIERS = {"weak_to_strong"}


def test_every_recipe_has_a_short_form_here() -> None:
    assert set(NAMES) == set(SHORT) | OF_CLASSIFIERS


@pytest.mark.parametrize("name", list(SHORT))
def test_a_recipe_runs_from_parts_to_page_and_again_the_same(name: str, tmp_path: Path) -> None:
    weights: list[bytes] = []
    for turn in ("one", "two"):
        recipe, bench = tiny(name)
        folder = tmp_path / turn
        write_manifest(folder, recipe, bench="town", seed=1)
        with Run(folder, seed=1) as run:
            final = recipe(run)
            prompts = bench.prompts.open(run).take(12, split="test")
            summary = close(run, bench, prompts)
        assert {"gold", "length, characters"} <= set(summary["columns"])
        weights.append((folder / "policies" / "final" / "model.safetensors").read_bytes())
        stages = [line["stage"] for line in lines.read(folder / "stages.jsonl")]
        assert stages
        assert len(stages) == len(set(stages))
        assert final.id == run.policies["final"].id
        page = write_report(folder).read_text()
        assert name in page
    assert weights[0] == weights[1]
    samples = read_records(tmp_path / "one" / "records" / "samples")
    assert samples == read_records(tmp_path / "two" / "records" / "samples")
    assert all(isinstance(one, Completion) and one.policy for one in samples)


def test_what_is_measured_anew_on_fewer_or_more_prompts_says_how_many(tmp_path: Path) -> None:
    recipe, bench = tiny("supervised")
    with Run(tmp_path, seed=1) as run:
        recipe(run)
        for count in (12, 3, 20):
            prompts = bench.prompts.open(run).take(count, split="test")
            summary = close(run, bench, prompts)
            assert {row["values"]["length, characters"]["n"] for row in summary["rows"]} == {count}
            assert summary["notes"][0].startswith(f"{count} test prompts")


@pytest.mark.parametrize("entry", entries("recipes"), ids=NAMES)
def test_a_recipe_cites_its_paper_and_lists_its_deviations(entry) -> None:
    assert "arXiv" in entry.doc
    assert "Deviations" in entry.doc
    assert is_dataclass(entry.load())


def test_the_reward_is_measured_on_prompts_it_never_saw(tmp_path: Path) -> None:
    recipe, _ = tiny("canonical", judge="human")
    with Run(tmp_path) as run:
        recipe(run)
    reward = [line for line in lines.read(tmp_path / "metrics.jsonl") if line["stage"] == "reward"]
    assert 0 <= reward[-1]["heldout_accuracy"] <= 1
    assert reward[-1]["heldout"] >= 1
