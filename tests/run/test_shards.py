from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import DataError
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Critique,
    Group,
    Judgement,
    Preference,
    Prefers,
    Prompt,
    Rank,
    Ranks,
    Rate,
    Rollout,
    Scores,
)
from solon.run.shards import read_records, shards, write_records

PROMPT = Prompt.of("how do i bake the bread ?")
A = Completion(prompt=PROMPT, text="mix it", policy="tiny@1", tokens=(1, 2), logps=(-0.1, -1 / 3))
B = Completion(prompt=PROMPT, text="no", finish="length")
PAIR = Compare(first=A, second=B)

EVERY_KIND = [
    [PROMPT],
    [A, B],
    [Group(completions=(A, B))],
    [PAIR],
    [Preference(chosen=A, rejected=B, p=0.7, source="judge")],
    [
        Critique(completion=A, principle="p", text="t"),
        Critique(completion=A, principle="p", text="t", revision=B),
    ],
    [Rollout(completion=A, reward=0.1, group=3)],
    [
        Judgement(question=PAIR, answer=Prefers(p_first=0.3, orders=(0.1, 0.5)), judge="j"),
        Judgement(question=PAIR, answer=Abstains(reason="no verdict"), judge="j"),
    ],
    [
        Judgement(
            question=Rate(completion=A),
            answer=Scores(value=7.4, distribution=(0.6, 0.4)),
            judge="j",
        )
    ],
    [Judgement(question=Rank(completions=(A, B)), answer=Ranks(order=(1, 0)), judge="j")],
    [],
]


@pytest.mark.parametrize("records", EVERY_KIND)
def test_every_record_comes_back_as_it_was(records: list[object], tmp_path: Path) -> None:
    assert read_records(write_records(tmp_path, records)) == records


@given(text=st.text(), p=st.floats(0, 1), logps=st.lists(st.floats(-1e6, 0), max_size=4))
def test_floats_and_any_text_come_back_exactly(
    text: str, p: float, logps: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = Completion(prompt=Prompt.of(text), text=text, logps=tuple(logps))
    records = [Preference(chosen=one, rejected=B, p=p)]
    assert read_records(write_records(tmp_path_factory.mktemp("s"), records)) == records


def test_other_tools_read_the_answer_by_its_type(tmp_path: Path) -> None:
    write_records(tmp_path, EVERY_KIND[7])
    rows = pq.read_table(shards(tmp_path)[0]).to_pylist()
    assert rows[0]["answer"]["Prefers"]["p_first"] == 0.3
    assert rows[1]["answer"]["Abstains"]["reason"] == "no verdict"


def test_a_shard_that_names_something_else_than_a_record_is_refused(tmp_path: Path) -> None:
    table = pa.table({"x": [1]}).replace_schema_metadata({b"solon.record": b"os.system"})
    pq.write_table(table, tmp_path / "00000.parquet")
    with pytest.raises(DataError, match=r"00000\.parquet.*the name of a record, got os\.system"):
        read_records(tmp_path)


def test_a_broken_shard_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "00000.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match=r"00000\.parquet: expected a parquet shard"):
        read_records(tmp_path)


def shard(folder: Path, columns: dict[str, Any], name: bytes) -> Path:
    table = pa.table(columns).replace_schema_metadata({b"solon.record": name})
    pq.write_table(table, folder / "00000.parquet")
    return folder


@pytest.mark.parametrize(
    "name", [b"\xff", b"Judgement", b"Preference[Compare]", b"Judgement[Prompt]"]
)
def test_a_name_that_no_record_has_is_refused(name: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'solon\.record': expected the name of a record, got"):
        read_records(shard(tmp_path, {"x": ["a"]}, name))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"prompt": ["a"]}, r"row 1: expected a Preference, got .*missing.*'chosen'"),
        ({"chosen": ["a"], "rejected": ["b"]}, r"field 'chosen': expected struct, got string"),
        (
            {"chosen": [None], "rejected": [None]},
            r"row 1: expected a Preference, got null for a Com",
        ),
        (
            {"chosen": [{"prompt": {"id": 3}, "text": "a"}]},
            r"field 'chosen\.prompt\.id': expected string, got int64",
        ),
    ],
)
def test_a_shard_whose_columns_hold_no_such_record_is_refused(
    columns: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"00000\.parquet, {says}"):
        read_records(shard(tmp_path, columns, b"Preference"))


def test_an_answer_of_no_type_is_no_judgement(tmp_path: Path) -> None:
    prompt = Prompt.of("q")
    asked = Rate(completion=Completion(prompt=prompt, text="a"))
    said = Judgement(question=asked, answer=Scores(value=1.0), judge="j")
    (path,) = write_records(tmp_path, [said]).glob("*.parquet")
    table = pq.read_table(path)
    (row,) = table.to_pylist()
    row["answer"] = dict.fromkeys(row["answer"])
    pq.write_table(pa.Table.from_pylist([row], schema=table.schema), path)
    with pytest.raises(DataError, match=r"row 1: expected a Judgement\[Rate\], got nothing as"):
        read_records(tmp_path)
