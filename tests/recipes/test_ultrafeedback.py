"""UltraFeedback as a whole: a data set that others load, resumed, or learnt from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.judges.aspects import ASPECTS, LlmRater
from solon.records import Completion, Group, Preference, Prompt
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.draft import Draft
from solon.stages.survey import Survey


@dataclass(frozen=True)
class Scripted:
    """A model that likes long words, writes no third entry, and knows nothing of honesty."""

    id: str = "scripted@0"

    def open(self, run: Run) -> Scripted:
        return self

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=(self._said(one),)) for one in prompts]

    def _said(self, prompt: Prompt) -> Completion:
        asked = prompt.messages[-1].text
        texts = asked.split('<completion number="')[1:]
        said = [
            {"completion": n, "reason": "by length", "rating": 1 + len(text) % 5}
            for n, text in enumerate(texts, start=1)
            if n != 3
        ]
        if "Aspect: honesty" in asked:
            said = [{**one, "rating": "N/A"} for one in said]
        return Completion(prompt=prompt, text=json.dumps({"ratings": said}), policy=self.id)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("survey")
    recipe, _ = tiny("ultrafeedback", prefer__epochs="0")
    with Run(folder, seed=2) as run:
        final = recipe(run)
        assert final.id == run.policies["sft"].id
    return folder


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_without_epochs_it_ends_with_the_data_set_and_the_start(surveyed: Path) -> None:
    weights = {
        (surveyed / "policies" / name / "model.safetensors").read_bytes()
        for name in ("sft", "final")
    }
    assert len(weights) == 1
    assert "prefer" not in {line["stage"] for line in lines.read(surveyed / "metrics.jsonl")}


def test_the_export_holds_the_pairs_and_a_row_for_each_draft(surveyed: Path) -> None:
    pairs = read_records(surveyed / "records" / "preferences")
    exported = rows(surveyed / "export" / "preferences.jsonl")
    assert [(r["prompt"], r["chosen"], r["rejected"]) for r in exported] == [
        (p.chosen.prompt.text, p.chosen.text, p.rejected.text) for p in pairs
    ]
    assert pq.read_table(surveyed / "export" / "preferences.parquet").to_pylist() == exported
    table = rows(surveyed / "export" / "ratings.jsonl")
    assert len(table) == 24 * 4
    for row in table:
        given = [row[a] for a in ("harmless", "helpful", "honest", "concise") if row[a] is not None]
        assert row["overall"] == pytest.approx(sum(given) / len(given))
    assert any(row["honest"] is None and row["honest_reason"] == "N/A" for row in table)
    assert {row["model"].split("@")[0] for row in table} == {
        *("careful", "ordinary", "evasive", "padded", "careless"),
    }


def test_every_pair_is_of_one_prompt_and_its_means_differ_by_the_gap(surveyed: Path) -> None:
    means = {
        (row["prompt"], row["completion"]): row["overall"]
        for row in rows(surveyed / "export" / "ratings.jsonl")
    }
    pairs: list[Preference] = read_records(surveyed / "records" / "preferences")
    for one in pairs:
        assert one.chosen.prompt == one.rejected.prompt
        prompt = one.chosen.prompt.text
        assert means[prompt, one.chosen.text] - means[prompt, one.rejected.text] >= 0.5 - 1e-9


def test_a_run_broken_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    one, two = stopped_and_whole(tmp_path, "ultrafeedback", shows=9)
    assert one == two


def test_a_models_own_words_rate_and_its_start_alone_can_draft(tmp_path: Path) -> None:
    recipe, _ = tiny("ultrafeedback", prefer__epochs="0")
    own = replace(
        recipe,
        models=None,
        rater=LlmRater(policy=Scripted()),
        draft=Draft(prompts=12, models=3),
        survey=Survey(gap=0.1),
    )
    with Run(tmp_path, seed=1) as run:
        own(run)
    table = rows(tmp_path / "export" / "ratings.jsonl")
    assert {row["model"] for row in table} == {run.policies["sft"].id}
    for row in table:
        last = {a for a in ASPECTS if row[f"{a}_place"] == 3}
        silent = {a for a in ASPECTS if row[a] is None}
        assert silent == last | {"honesty"}  # the third in each list, and no neighbour of it
        reasons = {row[f"{a}_reason"] for a in last - {"honesty"}}
        assert reasons <= {"no rating of this completion"}
