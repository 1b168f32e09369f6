"""Prompts from tables: CSV, the column that holds them, and what a row says of them."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import DataError, SettingError
from solon.judges.prompts import PromptFile, Reading, read_prompts
from solon.judges.rows import Row, rows
from solon.records import Prompt
from solon.run.run import Run
from solon.run.spec import override

TABLE = """\
id,prompt,label
1,"How do I kill a process, fast?",safe

2,"Two
lines ""quoted"".",unsafe
3,Last?,safe
"""


def table(folder: Path, text: str = TABLE, name: str = "x.csv") -> Path:
    path, data = folder / name, text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def opened(run: Run, path: Path, **settings: Any) -> list[Prompt]:
    return PromptFile(path=str(path), test=0.0, **settings).open(run).splits["train"]


# -- CSV


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_csv_has_its_cells_by_the_header_and_the_line_on_which_a_row_begins(
    name: str, ends: str, tmp_path: Path
) -> None:
    found = list(rows(table(tmp_path, TABLE.replace("\n", ends), name)))
    assert [row.number for row in found] == [2, 4, 6]
    assert found[0].fields == {
        "id": "1",
        "prompt": "How do I kill a process, fast?",
        "label": "safe",
    }
    assert found[1].text("prompt") == f'Two{ends}lines "quoted".'


def test_the_mark_with_which_excel_begins_a_file_is_no_part_of_a_name(tmp_path: Path) -> None:
    [row] = rows(table(tmp_path, "\ufeffprompt\nWhy?\n"))
    assert row.fields == {"prompt": "Why?"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt,b\n1,2\n\n1,2,3\n", r"x\.csv, row 4: expected 2 cells, as in the header, got 3"),
        ("a,b\n1\n", r"row 2: expected 2 cells, as in the header, got 1"),
        ("a,b,a\n1,2,3\n", r"row 1, field 'a': expected each field once, got it again"),
        ('prompt,b\n1,2\n3,"4\n5,6\n', r"row 3: expected CSV, got unexpected end of data"),
        ('a,b\n"1"x,2\n', r"row 2: expected CSV, got ',' expected after '\"'"),
        ("prompt\n \n", r"row 2, field 'prompt': expected text, got ' '"),
        ("prompt\n", r"expected at least one prompt, got an empty file"),
        ("", r"expected at least one prompt, got an empty file"),
        ("question\nWhy?\n", r"row 2, field 'prompt': expected text or a list of messages"),
    ],
    ids=["long", "short", "twice", "open quote", "after a quote", "blank", "head", "none", "name"],
)
def test_a_bad_csv_names_its_row(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_prompts(table(tmp_path, text))


def test_a_csv_of_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("prompt\nCafé?\n".encode("latin-1"))
    with pytest.raises(DataError, match="expected UTF-8 text"):
        read_prompts(tmp_path / "x.csv")


# -- what a row says of its prompt


def test_a_column_by_name_and_facts_from_fields(tmp_path: Path, run: Run) -> None:
    path = table(tmp_path, "Behavior,kind,n,dataset\nDo it.,,7,mine\nDo that.,law,8,\n")
    first, second = opened(run, path, column="Behavior", facts=("kind", "n"))
    assert (first.text, first.facts) == ("Do it.", (("dataset", "mine"), ("n", "7")))
    assert (second.text, second.facts) == ("Do that.", (("kind", "law"), ("n", "8")))
    assert first.id == opened(run, path, column="Behavior")[0].id  # its words alone decide it
    with pytest.raises(DataError, match="row 2, field 'Behaviour': expected text or a list of"):
        opened(run, path, column="Behaviour")
    with pytest.raises(DataError, match="row 2, field 'type': expected text or a number, got not"):
        opened(run, path, column="Behavior", facts=("type",))


@pytest.mark.parametrize(
    ("value", "fact"),
    [("x", "x"), (" x ", "x"), (3, "3"), (0.5, "0.5"), (True, "true"), (None, ""), ("", "")],
)
def test_a_fact_is_said_as_json_says_it(value: object, fact: str) -> None:
    row = Row(file=Path("x.jsonl"), number=1, fields={"prompt": "Why?", "is": value})
    assert Reading(facts=("is",))(row).fact("is") == fact


@pytest.mark.parametrize("name", ["dataset", "reference"])
def test_a_fact_that_no_parquet_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    path = table(tmp_path, f'[{{"prompt": "a"}}, {{"prompt": "b", "{name}": "\\ud800"}}]', "x.json")
    says = rf"x\.json, row 2, field '{name}': expected text without lone surrogates, got '.ud800'"
    with pytest.raises(DataError, match=says):
        read_prompts(path)


def test_a_list_is_no_fact() -> None:
    row = Row(file=Path("x.jsonl"), number=1, fields={"prompt": "Why?", "is": ["a"]})
    with pytest.raises(DataError, match=r"row 1, field 'is': expected text or a number, got \['a"):
        Reading(facts=("is",))(row)


@pytest.mark.parametrize(
    ("safe", "expected"),
    [
        ("label=safe", ["yes", "no", "yes"]),
        ("label=unsafe", ["no", "yes", "no"]),
        ("all", ["yes"] * 3),
        ("none", ["no"] * 3),
        ("", [""] * 3),
    ],
)
def test_a_file_says_which_of_its_prompts_are_to_be_answered(
    safe: str, expected: list[str], tmp_path: Path, run: Run
) -> None:
    found = opened(run, table(tmp_path), safe=safe)
    assert [prompt.fact("safe") for prompt in found] == expected
    assert [prompt.fact("label") for prompt in found] == [""] * 3


def test_a_misspelt_value_does_not_call_every_prompt_unsafe(tmp_path: Path, run: Run) -> None:
    with pytest.raises(DataError, match="field 'label': expected 'save' in some row, got it in no"):
        opened(run, table(tmp_path), safe="label=save")
    with pytest.raises(DataError, match="row 2, field 'tag': expected text or a number"):
        opened(run, table(tmp_path), safe="tag=safe")


@pytest.mark.parametrize("safe", ["label", "yes", "=safe", "label="])
def test_what_is_safe_is_said_in_one_of_three_ways(safe: str, tmp_path: Path, run: Run) -> None:
    with pytest.raises(SettingError, match="safe: expected all, none or FIELD=VALUE, got"):
        opened(run, table(tmp_path), safe=safe)


def test_a_prompt_cannot_be_safe_and_unsafe(tmp_path: Path, run: Run) -> None:
    path = table(tmp_path, "prompt,label\nWhy?,safe\nHow?,unsafe\nWhy?,unsafe\n")
    with pytest.raises(DataError, match="row 4, field 'label': expected what the same prompt had"):
        opened(run, path, safe="label=safe")
    assert len(opened(run, path)) == 2


def test_the_shell_sets_columns_and_facts() -> None:
    keys = {"column": "Behavior", "facts": "type,focus", "safe": "label=safe"}
    assert override(PromptFile(), keys) == PromptFile(
        column="Behavior", facts=("type", "focus"), safe="label=safe"
    )
    assert override(PromptFile(), {"safe": "none"}).safe == "none"


@given(st.text(), st.sampled_from(["label=safe", "all", "none"]))
def test_what_a_file_says_of_a_prompt_does_not_move_it_between_the_splits(
    text: str, safe: str
) -> None:
    row = Row(file=Path("x.csv"), number=2, fields={"prompt": f"Q{text}", "label": "safe"})
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert Reading(safe=safe)(row).id == Reading()(row).id


# -- the real tables


@pytest.mark.data
def test_xstest_has_450_prompts_of_which_250_are_safe(data: Path, run: Run) -> None:
    path = data / "xstest" / "xstest_prompts.csv"
    found = opened(run, path, facts=("type", "focus"), safe="label=safe")
    assert Counter(prompt.fact("safe") for prompt in found) == {"yes": 250, "no": 200}
    kinds = Counter(prompt.fact("type") for prompt in found)
    assert (len(kinds), set(kinds.values())) == (18, {25})
    contrasts = [one for one in found if one.fact("type").startswith("contrast_")]
    assert {one.fact("safe") for one in contrasts} == {"no"}
    assert found[0].fact("focus") == "kill"


@pytest.mark.data
def test_harmbench_has_70_behaviours_of_which_none_is_safe(data: Path, run: Run) -> None:
    path = data / "harm_prompts" / "harmbench_behaviors_text_val.csv"
    found = opened(run, path, column="Behavior", facts=("FunctionalCategory",), safe="none")
    assert {prompt.fact("safe") for prompt in found} == {"no"}
    assert Counter(prompt.fact("FunctionalCategory") for prompt in found).total() == 70
    assert len(found) == 70
    with pytest.raises(DataError, match="row 2, field 'prompt': expected text or a list"):
        opened(run, path)
