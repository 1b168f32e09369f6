"""Answers from files and from runs."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solon.errors import DataError
from solon.judges.answers import Sides, by_policy, clusters, read_answers
from solon.records import Completion, Prompt
from solon.run.shards import write_records

ROWS = [
    {"prompt": "egg?", "completion": "boil it", "safe": True, "kind": "food", "policy": "a@1"},
    {"prompt": [{"role": "user", "content": "lock?"}], "completion": "", "safe": "no",
     "cluster": 7},
    {"prompt": "tea?", "completion": "steep it", "safe": None, "policy": "a@1"},
]  # fmt: skip


def _written(path: Path, rows: list[object]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def test_rows_become_completions_whose_prompts_know_what_the_row_said(tmp_path: Path) -> None:
    egg, lock, tea = read_answers(_written(tmp_path / "a.jsonl", ROWS))
    assert egg.prompt.facts == (("safe", "yes"), ("kind", "food"))
    assert (egg.prompt.text, egg.text, egg.policy) == ("egg?", "boil it", "a@1")
    assert lock.prompt.facts == (("safe", "no"), ("cluster", "7"))
    assert (lock.prompt.messages[0].role, lock.text, lock.policy) == ("user", "", "")
    assert tea.prompt.facts == ()
    assert clusters([egg, lock]) == [egg.prompt.id, "7"]
    assert by_policy([egg, lock, tea]) == {"a@1": [egg, tea], "": [lock]}
    sides = Sides.of([egg, lock, tea])
    assert (sides.safe, sides.unsafe, sides.left_out) == ((egg,), (lock,), 1)


def test_parquet_and_a_folder_of_completions_say_the_same(tmp_path: Path) -> None:
    rows = [{"prompt": f"{k}?", "completion": "x", "safe": k > 1} for k in range(4)]
    plain = read_answers(_written(tmp_path / "a.jsonl", rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert read_answers(tmp_path / "a.parquet") == plain
    assert read_answers(str(write_records(tmp_path / "samples", plain))) == plain


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "a", "completion": "b", "sage": True}, r"row 1, field 'sage': expected one of"),
        ({"completion": "b"}, r"field 'prompt': expected text or a list of messages, got nothing"),
        ({"prompt": "a"}, r"field 'completion': expected text, got nothing"),
        ({"prompt": "a", "completion": None}, r"field 'completion': expected text, got null"),
        ({"prompt": "a", "completion": "b", "safe": 1}, r"field 'safe': expected true, false or"),
        ({"prompt": "a", "completion": "b", "safe": "maybe"}, r"field 'safe': expected true"),
        ({"prompt": "a", "completion": "b", "kind": ["x"]}, r"field 'kind': expected text"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_answers(_written(tmp_path / "a.jsonl", [row]))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none.jsonl: expected a file"):
        read_answers(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="one or more answers, got none"):
        read_answers(tmp_path / "empty.jsonl")
    folder = write_records(tmp_path / "prompts", [Prompt.of("egg")])
    with pytest.raises(DataError, match="row 1: expected records of completions, got Prompt"):
        read_answers(folder)


def test_a_failed_call_keeps_its_finish(tmp_path: Path) -> None:
    one = Completion(prompt=Prompt.of("egg"), text="", finish="filter", note="no server")
    assert read_answers(write_records(tmp_path / "samples", [one])) == [one]
