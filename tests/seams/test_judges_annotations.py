"""Soft labels and marks from files: AlpacaEval's annotations, probabilities, unpaired rows."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from solon.errors import DataError, SettingError
from solon.judges.human import HumanLabels, read_preferences, read_prompts
from solon.judges.marks import MarkFile, marks_of, read_marks
from solon.records import Completion, Mark, Message, Preference, Prompt
from solon.run.export import export_marks, export_preferences
from solon.run.run import Run
from solon.run.shards import write_records

ROOT = Path(__file__).resolve().parents[2]
ASKED = {"instruction": "Why?", "output_1": "No.", "output_2": "Because."}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("preference", "chosen", "p"),
    [
        (2, "Because.", 1.0),
        (1.75, "Because.", 0.75),
        (1, "No.", 1.0),
        (1.2, "No.", 0.8),
        (1.5, "No.", 0.5),
        (0, "No.", 0.5),
    ],
)
def test_an_annotation_is_a_soft_label_of_the_likelier_output(
    preference: float, chosen: str, p: float, tmp_path: Path
) -> None:
    path = lines(tmp_path / "a.jsonl", {**ASKED, "preference": preference})
    [label], dropped = read_preferences(path, source="gpt-4")
    assert (label.chosen.text, label.p, dropped) == (chosen, pytest.approx(p), {})
    assert label.chosen.prompt.messages == (Message(role="user", text="Why?"),)


def test_upstreams_file_is_one_json_list_and_its_rows_are_prompts_too(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    rows = [{**ASKED, "preference": 1.9}, {**ASKED, "preference": None}]
    rows += [
        {**ASKED, "output_2": "No.", "preference": 1.0},
        {**ASKED, "output_2": "", "preference": 1},
    ]
    path.write_text(json.dumps(rows, indent=1))
    labels, dropped = read_preferences(path, source="gpt-4")
    assert [one.p for one in labels] == pytest.approx([0.9])
    assert dropped == {
        "no preference given": 1,
        "both answers are the same": 1,
        "an answer is blank": 1,
    }
    assert [one.text for one in read_prompts(path)] == ["Why?"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**ASKED, "preference": 2.5}, r"row 1, field 'preference': expected a number from 0 to 2"),
        ({**ASKED, "preference": 0.5}, r"expected 0 \(a tie\) or a number from 1 to 2, got 0.5"),
        ({**ASKED, "preference": True}, "expected a number from 0 to 2, got True"),
        (
            {"prompt": "a", "chosen": "b", "rejected": "c", "p": 0.2},
            "expected a number from 0.5 to 1",
        ),
    ],
)
def test_a_label_that_is_none_is_named(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_preferences(lines(tmp_path / "a.jsonl", row), source="x")


def test_a_json_file_that_is_no_list_of_objects_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text, expected in (
        ("{}", "a JSON list of objects"),
        ("[1]", "a JSON object"),
        ("[", "list"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=expected):
            read_preferences(path, source="x")


def test_what_a_row_says_of_its_data_set_and_reference_becomes_facts(tmp_path: Path) -> None:
    row = {"prompt": "Why?", "dataset": "flan", "reference": "Because.", "other": "x"}
    [prompt] = read_prompts(lines(tmp_path / "p.jsonl", row))
    assert dict(prompt.facts) == {"dataset": "flan", "reference": "Because."}
    assert prompt.id == read_prompts(lines(tmp_path / "q.jsonl", {"prompt": "Why?"}))[0].id


# -- marks


def test_marks_are_read_from_trls_unpaired_rows_and_from_our_own(tmp_path: Path, run: Run) -> None:
    turns = {
        "prompt": [{"role": "user", "content": "Why?"}],
        "completion": [{"role": "assistant", "content": "Because."}],
        "label": False,
    }
    path = lines(
        tmp_path / "m.jsonl", {"prompt": "Why?", "completion": "No.", "label": True}, turns
    )
    found = MarkFile(path=str(path)).open(run)
    assert [(one.completion.text, one.desirable) for one in found] == [
        ("No.", True),
        ("Because.", False),
    ]
    folder = write_records(tmp_path / "kept", found)
    assert read_marks(folder, source="") == found


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"prompt": "a", "completion": "b", "label": 1},
            "field 'label': expected true or false, got 1",
        ),
        ({"prompt": "a", "label": True}, "field 'completion': expected text, got nothing"),
    ],
)
def test_a_bad_mark_is_named(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_marks(lines(tmp_path / "m.jsonl", row), source="x")


def test_marks_of_test_prompts_stay_unread_and_no_file_is_said(tmp_path: Path, run: Run) -> None:
    rows = [{"prompt": f"ask {i}", "completion": "b", "label": i % 2 == 0} for i in range(200)]
    path = lines(tmp_path / "m.jsonl", *rows)
    assert 140 < len(MarkFile(path=str(path), test=0.2).open(run)) < 180
    with pytest.raises(SettingError, match="marks.path: expected a file"):
        MarkFile().open(run)


def test_a_pair_is_two_marks_and_a_tie_none() -> None:
    prompt = Prompt.of("Why?")
    a, b = (Completion(prompt=prompt, text=text) for text in "ab")
    data = [
        Preference(chosen=a, rejected=b, p=0.8, source="j"),
        Preference(chosen=b, rejected=a, p=0.5),
    ]
    assert marks_of(data) == [
        Mark(completion=a, desirable=True, source="j"),
        Mark(completion=b, desirable=False, source="j"),
    ]


# -- there and back


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("role", ["user", "text"])
def test_what_is_exported_is_read_back(kind: str, role: Any, tmp_path: Path) -> None:
    prompt = Prompt.of("Why?", role=role)
    a, b = (Completion(prompt=prompt, text=text) for text in ("Because.", "No."))
    export_preferences(tmp_path, [Preference(chosen=a, rejected=b, p=0.75, source="j")])
    export_marks(
        tmp_path, [Mark(completion=a, desirable=True), Mark(completion=b, desirable=False)]
    )
    [label], _ = read_preferences(tmp_path / f"preferences.{kind}", source="j")
    assert (label.chosen.text, label.rejected.text, label.p) == ("Because.", "No.", 0.75)
    assert label.chosen.prompt.text == "Why?"
    marks = read_marks(tmp_path / f"marks.{kind}", source="")
    assert [(one.completion.text, one.desirable) for one in marks] == [
        ("Because.", True),
        ("No.", False),
    ]


# -- the real annotations


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
def test_the_real_annotations_keep_the_published_win_rate(
    data: Path, tmp_path: Path, run: Run
) -> None:
    model = "FuseChat-Llama-3.2-1B-Instruct"
    made = list(script("alpaca_pairs").rows(data / "alpaca_eval", [model]))
    people = HumanLabels(path=str(lines(tmp_path / "a.jsonl", *made)), source="gpt-4").open(run)
    assert (len(people.labels), people.dropped) == (803, {"both answers are the same": 2})
    second = {one["output_2"] for one in made}
    wins = [p.p if p.chosen.text in second else 1 - p.p for p in people.labels]
    # 29.922 % over 805 rows on the leaderboard; the two equal pairs count a half there
    assert 100 * (sum(wins) + 2 * 0.5) / 805 == pytest.approx(29.922, abs=0.05)
