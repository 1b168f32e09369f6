from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from solon.audits.leakage import Leakage
from solon.errors import DataError, InputError
from solon.judges.provenance import Source, read_sources
from solon.records import Completion, Finding, Prompt
from solon.run.shards import write_records

WORDS = [f"word{k}" for k in range(2000)]


def sources(*, exact: int = 0, runs: int = 0, tests: int = 400, seed: int = 0) -> list[Source]:
    """Prompts of 30 random words; some tests repeat a trained one, some hold 13 words of one."""
    rng = np.random.default_rng(seed)
    trained = [" ".join(rng.choice(WORDS, 30)) for _ in range(500)]
    tested = [" ".join(rng.choice(WORDS, 30)) for _ in range(tests)]
    for k in range(exact):
        tested[k] = f"{trained[k].title()} !?"
    for k in range(exact, exact + runs):
        tested[k] = f"{tested[k]} {' '.join(trained[k].split()[5:18])}"
    parts = [("train", text) for text in trained] + [("test", text) for text in tested]
    return [Source(part=part, text=text) for part, text in parts]


def models(**roles: str) -> list[Source]:
    return [Source(role=role, model=model) for role, model in roles.items()]


def by_name(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def test_a_clean_test_passes() -> None:
    found = by_name(Leakage().recorded(sources()))
    assert {name: one.verdict for name, one in found.items()} == {"exact": "pass", "ngrams": "pass"}


def test_repeated_prompts_are_found_whatever_their_case_and_marks() -> None:
    found = by_name(Leakage().recorded(sources(exact=60)))
    assert found["exact"].estimate == 0.15
    assert found["exact"].verdict == found["ngrams"].verdict == "warn"


def test_shared_runs_are_found_and_are_no_exact_copies() -> None:
    found = by_name(Leakage().recorded(sources(runs=80)))
    assert found["exact"].verdict == "pass"
    assert found["ngrams"].estimate == 0.2
    assert found["ngrams"].verdict == "warn"
    assert found["ngrams"].note.startswith("for example: word")


def test_a_run_one_word_short_is_no_run() -> None:
    assert by_name(Leakage(words=14).recorded(sources(runs=80)))["ngrams"].estimate == 0.0


@pytest.mark.parametrize(
    ("evaluator", "model", "family"),
    [
        ("openai/gpt-4o-2024-08-06", 1.0, 1.0),
        ("gpt-4.1-mini", 0.0, 1.0),
        ("o3-mini", 0.0, 1.0),
        ("meta-llama/Llama-3.1-8B-Instruct", 0.0, 0.0),
    ],
)
def test_an_evaluator_that_is_kin_to_the_labeler_warns(
    evaluator: str, model: float, family: float
) -> None:
    rows = models(labeler="gpt-4o-2024-08-06", evaluator=evaluator)
    found = by_name(Leakage().recorded(rows))
    assert found["model/labeler~evaluator"].estimate == model
    assert found["family/labeler~evaluator"].estimate == family
    assert found["family/labeler~evaluator"].verdict == ("warn" if family else "pass")


def test_a_policy_that_labels_for_itself_is_measured_only() -> None:
    found = by_name(Leakage().recorded(models(policy="qwen3-4b", labeler="qwen3-4b")))
    assert found["model/policy~labeler"].estimate == 1.0
    assert found["model/policy~labeler"].verdict == "measured"


def test_rows_without_two_sides_are_an_error() -> None:
    with pytest.raises(InputError, match="1 rows without either"):
        Leakage().recorded(models(policy="a"))


def test_a_runs_folder_is_read_by_its_records_and_its_manifest(tmp_path: Path) -> None:
    def completions(*texts: str) -> list[Completion]:
        return [Completion(prompt=Prompt.of(one), text="yes", policy="p@0") for one in texts]

    write_records(tmp_path / "records" / "completions", completions("Boil it ?", "Fry it"))
    write_records(tmp_path / "records" / "samples", completions("boil it", "bake it"))
    settings = {
        "policy": {"model": "org/qwen3-4b"},
        "judge": {"judges": [{"policy": {"model": "gpt-4o"}}, {"policy": {"model": "qwen3-8b"}}]},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"settings": settings}))
    found = by_name(Leakage().recorded(read_sources(tmp_path)))
    assert found["exact"].estimate == 0.5
    assert found["family/policy~labeler"].note == "org/qwen3-4b and qwen3-8b"
    assert found["model/policy~labeler"].estimate == 0.0


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no records in it"):
        read_sources(tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"part": "dev", "text": "x"}, "part.*train, test"),
        ({"part": "test"}, "text"),
        ({"role": "king", "model": "x"}, "role.*labeler"),
        ({"role": "policy"}, "model"),
    ],
)
def test_a_bad_source_names_its_field(tmp_path: Path, row: dict[str, str], said: str) -> None:
    path = tmp_path / "sources.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(DataError, match=rf"row 1.*{said}"):
        read_sources(path)
