"""What a labelling refuses before anything is paid: other people's folders, secrets, odd tables."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solon.bench.labelling import Labelling, Rows, label_file
from solon.bench.labelling.surveying import survey
from solon.cli import main
from solon.errors import DataError, RunError
from solon.lab.judges import Dials, PlantedPair
from solon.run.run import Run
from solon.run.shards import read_records

JUDGE = PlantedPair(dials=Dials(discernment=0.0, length=1.0))


def written(path: Path, count: int = 3) -> Rows:
    rows = [{"prompt": f"say {i}", "first": "aa", "second": "b"} for i in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Rows(path=path)


def label(folder: Path, rows: Rows, judge: Any = JUDGE) -> Path:
    with Run(folder) as run:
        return label_file(rows, Labelling(judge=judge), run)


def held(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, but for the lock and what is said to the user."""
    files = (one for one in folder.rglob("*") if one.is_file())
    found = {str(one.relative_to(folder)): one.read_bytes() for one in files}
    return {name: kept for name, kept in found.items() if name not in {".lock", "notes.jsonl"}}


# -- a folder that is not ours

ANOTHER = r"out holds another run: give another --out$"
NOT_OURS = r"out/{0}: expected what solon label keeps there, got .*: give another --out$"
MANIFEST = orjson.dumps({"recipe": "canonical"})
FOREIGN = [
    ({"manifest.json": MANIFEST, "records/judgements/00000.parquet": b"precious"}, ANOTHER),
    ({"manifest.json": MANIFEST}, ANOTHER),
    ({"records/judgements/00000.parquet": b"precious"}, ANOTHER),
    ({"labels/00000.parquet": b"precious"}, ANOTHER),
    ({"manifest.json": b'["an app"]'}, NOT_OURS.format("manifest.json")),
    ({"manifest.json": b""}, NOT_OURS.format("manifest.json")),
    ({"labels.json": b'{"cat": 0}'}, NOT_OURS.format("labels.json")),
    ({"input.json": b"{"}, NOT_OURS.format("input.json")),
    ({"input.json": b'{"mine": 1}'}, NOT_OURS.format("input.json")),
    ({"labelled.jsonl": b"mine\n"}, NOT_OURS.format("labelled.jsonl")),
    ({"labelled.jsonl": b'{"mine": 1}\n'}, NOT_OURS.format("labelled.jsonl")),
]


@pytest.mark.parametrize(("files", "says"), FOREIGN)
def test_a_folder_that_holds_something_else_is_refused_and_left_as_it_was(
    files: dict[str, bytes], says: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(content)
    with pytest.raises(RunError, match=says):
        label(tmp_path / "out", written(tmp_path / "rows.jsonl"))
    assert held(tmp_path / "out") == files


@dataclass(frozen=True)
class Killed:
    """Asked once, and gone."""

    id: str = "killed"

    def open(self, run: Run, /) -> Killed:
        return self

    def __call__(self, questions: Sequence[Any], /) -> list[Any]:
        raise KeyboardInterrupt


@pytest.mark.parametrize("lost", ["", "manifest.json"])
def test_a_shard_that_was_written_without_its_line_is_no_other_run(
    lost: str, tmp_path: Path
) -> None:
    rows = written(tmp_path / "rows.jsonl")
    with pytest.raises(KeyboardInterrupt):
        label(tmp_path / "out", rows, Killed())
    (tmp_path / "out/records/judgements").mkdir(parents=True)
    (tmp_path / "out/records/judgements/00000.parquet").write_bytes(b"torn")
    if lost:
        (tmp_path / "out" / lost).unlink()
    label(tmp_path / "out", rows)
    assert len(read_records(tmp_path / "out/records/judgements")) == 3
    told = json.loads((tmp_path / "out/manifest.json").read_text())
    assert told["settings"]["judge"]["kind"].endswith(".PlantedPair")


def test_labels_without_the_file_that_says_whose_they_are_are_not_added_to(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl")
    label(tmp_path / "out", rows)
    (tmp_path / "out/labels.json").unlink()
    with pytest.raises(RunError, match=NOT_OURS.format(r"labels\.json")):
        label(tmp_path / "out", rows)


# -- a secret


@pytest.mark.parametrize("url", ["https://me:s3cretpw@127.0.0.1/v1", "http://h/v1?key=s3cretpw"])
def test_credentials_in_an_address_are_refused_and_written_nowhere(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["label", str(written(tmp_path / "rows.jsonl").path), "--out", str(tmp_path / "out")]
    words += ["--on", "endpoint", "judge.model=m", f"judge.base_url={url}"]
    monkeypatch.setattr("sys.argv", ["solon", *words])
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    with pytest.raises(SystemExit) as stopped:
        main(words)
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "base_url: expected no credentials in it" in said.splitlines()[-1]
    assert "s3cretpw" not in said
    kept = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert not [one for one in kept if b"s3cretpw" in one.read_bytes()]


# -- tables


def unreadable_text() -> pa.Array:
    cells = pa.array([b"fine", b"\xff\xfe"] * 2, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(cells), cells.buffers())


def late_time() -> pa.Array:
    return pa.array([1, 2**62] * 2, pa.timestamp("us"))


def late_date() -> pa.Array:
    return pa.array([1, 10**8] * 2, pa.date32())


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
@pytest.mark.parametrize("make", [unreadable_text, late_time, late_date])
def test_a_cell_that_python_cannot_hold_is_named_by_its_row_and_field(
    make: Callable[[], pa.Array], ending: str, tmp_path: Path
) -> None:
    texts = {name: [f"{name} {i}" for i in range(4)] for name in ("prompt", "first", "second")}
    table, path = pa.table({**texts, "more": make()}), tmp_path / f"x.{ending}"
    if ending == "parquet":
        pq.write_table(table.slice(2), path, row_group_size=1)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table.slice(2))
    rows = Rows(path=path)
    with pytest.raises(DataError, match=rf"x\.{ending}, row 2, field 'more': expected a cell that"):
        survey(rows, rows.files())


def test_a_date_of_our_time_is_no_reason_to_refuse_a_table(tmp_path: Path) -> None:
    table = {"prompt": ["q"], "first": ["a"], "second": ["b"], "day": [datetime.date(2024, 2, 29)]}
    pq.write_table(pa.table(table), tmp_path / "x.parquet")
    rows = Rows(path=tmp_path / "x.parquet")
    assert survey(rows, rows.files()).questions == 1


def test_a_shard_of_records_that_are_none_names_its_file(tmp_path: Path) -> None:
    table = pa.table({"prompt": ["a"]}).replace_schema_metadata({b"solon.record": b"Preference"})
    pq.write_table(table, tmp_path / "00000.parquet")
    rows = Rows(path=tmp_path)
    with pytest.raises(DataError, match=r"00000\.parquet, row 1: expected a Preference, got"):
        survey(rows, rows.files())


# -- rows

DEEP = "[" * 1000 + "]" * 1000


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (
            "x.json",
            '[{"prompt": "q", "completion": "b", "reference": "\\ud800"}]',
            r"x\.json, row 1, field 'reference': expected text without lone surrogates",
        ),
        (
            "x.jsonl",
            '{"messages": [{"role": ["x"], "content": "a"}]}',
            r"x\.jsonl, row 1, field 'messages': expected messages with a role",
        ),
        ("x.jsonl", DEEP, r"row 1: expected a JSON object, got something nested too deep to show"),
        (
            "x.jsonl",
            f'{{"prompt": {DEEP}, "completion": "b"}}',
            r"row 1, field 'prompt': expected .*, got something nested too deep to show",
        ),
    ],
)
def test_an_odd_row_is_told_in_the_survey(file: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    rows = Rows(path=tmp_path / file, ask="score")
    with pytest.raises(DataError, match=says):
        survey(rows, rows.files())
