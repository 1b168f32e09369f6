"""The trace: a row that was changed, taken out or moved is named."""

from __future__ import annotations

import json
import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from solon.errors import DataError
from solon.researchers.trace import Trace, digest, verify


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "trace.jsonl"
    for step in range(6):
        Trace(file).append("ada", "shell", {"command": f"ls {step}"})
    return file


def rows(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def test_a_whole_chain_is_counted_and_private(path: Path) -> None:
    assert verify(path) == 6
    assert path.stat().st_mode & 0o777 == 0o600
    first, second = (json.loads(row) for row in rows(path)[:2])
    assert first["detail"] == {"command": "ls 0"}
    assert second["before"] == first["hash"]


def test_an_empty_trace_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    assert verify(tmp_path / "none") == 0


@pytest.mark.parametrize("row", range(6))
def test_a_changed_row_is_named(path: Path, row: int) -> None:
    changed = rows(path)
    changed[row] = changed[row].replace("ls", "rm")
    path.write_text("".join(changed))
    with pytest.raises(DataError, match=f"row {row + 1}, field 'hash'"):
        verify(path)


def test_a_changed_row_with_its_hash_made_anew_breaks_the_next(path: Path) -> None:
    changed = rows(path)
    row: dict[str, Any] = json.loads(changed[2])
    row["agent"] = "eve"
    row["hash"] = digest(row)
    changed[2] = json.dumps(row) + "\n"
    path.write_text("".join(changed))
    with pytest.raises(DataError, match="row 4, field 'before'"):
        verify(path)


def test_a_removed_row_is_named(path: Path) -> None:
    left = rows(path)
    path.write_text("".join(left[:2] + left[3:]))
    with pytest.raises(DataError, match="row 3, field 'row'"):
        verify(path)


def test_reordered_and_repeated_rows_are_named(path: Path) -> None:
    had = rows(path)
    path.write_text("".join([had[0], had[2], had[1], *had[3:]]))
    with pytest.raises(DataError, match="row 2"):
        verify(path)
    path.write_text("".join([had[0], had[0], *had[1:]]))
    with pytest.raises(DataError, match="row 2"):
        verify(path)


def test_a_chain_that_was_cut_short_is_found_by_its_head(path: Path) -> None:
    head = Trace(path).append("ada", "shell", {})
    assert verify(path, head=head) == 7
    path.write_text("".join(rows(path)[:-1]))
    assert verify(path) == 6
    with pytest.raises(DataError, match="the head"):
        verify(path, head=head)


def test_a_torn_last_row_is_neither_whole_nor_written_after(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="row 6: expected a whole last row"):
        verify(path)
    with pytest.raises(DataError, match="whole last row"):
        Trace(path).append("ada", "shell", {})


@pytest.mark.parametrize("row", ["not json", "[1]", '{"row": 7}', '{"hash": NaN}', "\udcff", ""])
def test_rows_that_are_none_are_named(path: Path, row: str) -> None:
    with path.open("a", errors="surrogateescape") as file:
        file.write(row + "\n")
    with pytest.raises(DataError, match="row 7"):
        verify(path)


def test_long_and_strange_details_are_clipped_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    strange = {"text": "x" * 10_000, "list": list(range(999)), "nan": float("nan"), "deep": deep}
    Trace(file).append("a\nda", "tool\ud800", strange | {"big": 10**400, "path": tmp_path})
    Trace(file).append("ada", "shell", {str(n): "y" * 5000 for n in range(100)})
    Trace(file).append("ada", "shell", {})
    assert verify(file) == 3
    detail = json.loads(rows(file)[0])["detail"]
    assert detail["text"] == "x" * 4096 + "... 5904 more"
    assert detail["list"][-1] == "... 935 more"
    assert detail["nan"] == "nan"
    assert len(rows(file)[0]) < 30_000


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "trace.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Trace(tmp_path / "trace.jsonl").append("ada", "shell", {})
    assert not (tmp_path / "elsewhere").exists()


def write(path: Path, agent: str) -> None:
    for step in range(40):
        Trace(path).append(agent, "shell", {"step": step, "text": "z" * 3000})


def test_processes_and_threads_append_together_without_a_break(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    fresh = multiprocessing.get_context("spawn")
    writers = [fresh.Process(target=write, args=(file, name)) for name in ("ada", "bob")]
    threads = [threading.Thread(target=write, args=(file, name)) for name in ("cyd", "dee")]
    for one in (*writers, *threads):
        one.start()
    for one in (*writers, *threads):
        one.join()
    assert [one.exitcode for one in writers] == [0, 0]
    assert verify(file) == 160
    found = [json.loads(row) for row in rows(file)]
    for name in ("ada", "bob", "cyd", "dee"):
        assert [row["detail"]["step"] for row in found if row["agent"] == name] == [*range(40)]
