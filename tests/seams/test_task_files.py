"""Tasks from files: three parts that share nothing, classes by name, errors that say where."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.errors import DataError, SettingError
from solon.judges.tasks import TaskFiles
from solon.run.run import Run


def opened(folder: Path, **settings: Any) -> Any:
    with Run(folder / "run") as run:
        return TaskFiles(**settings).open(run)


def csv(folder: Path, n: int = 300) -> str:
    path = folder / "mail.csv"
    words = ("parcel", "invoice", "password")
    lines = [f"{words[k % 3]} number {k},{words[k % 3]}" for k in range(n)]
    path.write_text("text,label\n" + "\n".join(lines) + "\n")
    return str(path)


def test_three_parts_share_no_text_and_hold_all(tmp_path: Path) -> None:
    (task,) = opened(tmp_path, path=(csv(tmp_path),))
    parts = [set(one.seen("text")) for one in (task.supervise, task.transfer, task.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 300
    assert (task.name, task.classes) == ("mail", 3)
    assert 60 < len(task.test) < 120
    words = ["invoice", "parcel", "password"]  # sorted
    for one in (task.supervise, task.transfer, task.test):
        found = [text.split()[0] for text in one.seen("text")]
        assert found == [words[k] for k in one.labels]


def test_the_split_hangs_on_the_words_alone(tmp_path: Path) -> None:
    (task,) = opened(tmp_path, path=(csv(tmp_path),))
    (more,) = opened(tmp_path, path=(csv(tmp_path, 200),))
    assert set(more.test.seen("text")) <= set(task.test.seen("text"))


def test_classes_are_kept_in_their_order_and_balanced(tmp_path: Path) -> None:
    path = tmp_path / "mail.jsonl"
    rows = [{"text": f"{k} words", "kind": "spam" if k % 4 == 0 else "ham"} for k in range(400)]
    path.write_text("\n".join(map(json.dumps, rows)))
    (task,) = opened(
        tmp_path, path=(str(path),), label="kind", classes=("spam", "ham"), balance=True
    )
    for part in (task.supervise, task.transfer, task.test):
        assert np.bincount(part.labels).tolist() == [len(part) // 2] * 2


def test_lines_have_their_classes_in_the_file_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "irony"
    folder.mkdir()
    with gzip.open(folder / "train_text.txt.gz", "wt") as file:
        file.write("".join(f"tweet {k}\n" for k in range(100)))
    (folder / "train_labels.txt").write_text("".join(f"{k % 2}\n" for k in range(100)))
    (task,) = opened(tmp_path, path=(str(folder / "train_text.txt.gz"),))
    assert task.name == "irony"
    for text, label in zip(task.test.seen("text"), task.test.labels, strict=True):
        assert int(text.split()[1]) % 2 == label
    (folder / "train_labels.txt").write_text("0\n1\n")
    with pytest.raises(DataError, match=r"row 3.*no more lines than train_labels"):
        opened(tmp_path, path=(str(folder / "train_text.txt.gz"),))


def test_a_pair_shows_one_of_its_two_by_a_fair_coin(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [
        {
            "chosen": f"\n\nHuman: question {k // 2}\n\nAssistant: good {k}",
            "rejected": f"\n\nHuman: question {k // 2}\n\nAssistant: bad {k}",
        }
        for k in range(600)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    (task,) = opened(tmp_path, path=(str(path),))
    texts = [
        text for part in (task.supervise, task.transfer, task.test) for text in part.seen("text")
    ]
    assert 250 < sum("good" in text for text in texts) < 350
    for part in (task.supervise, task.transfer, task.test):
        for text, label in zip(part.seen("text"), part.labels, strict=True):
            assert ("good" in text) == (label == 0)  # chosen comes before rejected
    asked = [
        {text.split("Assistant")[0] for text in part.seen("text")}
        for part in (task.supervise, task.transfer, task.test)
    ]
    assert not asked[0] & asked[1]
    assert not asked[1] & asked[2]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "x"}, "row 1.*label"),
        ({"text": "", "label": "a"}, "row 1.*text"),
        ({"text": "x", "label": "a"}, "label.*two classes or more"),
        ({"chosen": "x", "rejected": "x"}, "row 1.*rejected.*another text"),
    ],
)
def test_a_bad_row_says_where(tmp_path: Path, row: dict[str, str], said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(DataError, match=said):
        opened(tmp_path, path=(str(path),))


def test_settings_that_leave_nothing_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"tasks\.path"):
        opened(tmp_path)
    with pytest.raises(SettingError, match="leave something to transfer"):
        opened(tmp_path, path=("x.csv",), supervise=0.5, test=0.5)
    with pytest.raises(DataError, match="class 'fish'"):
        opened(tmp_path, path=(csv(tmp_path),), classes=("fish", "parcel"))


@pytest.mark.data
def test_real_tasks_are_read(data: Path, tmp_path: Path) -> None:
    (banking,) = opened(tmp_path, path=(str(data / "banking77/train.csv.gz"),), label="category")
    assert banking.classes == 77
    assert sum(map(len, (banking.supervise, banking.transfer, banking.test))) == 9978
    tweets = opened(
        tmp_path,
        path=tuple(
            str(data / f"tweeteval/datasets/{k}/train_text.txt.gz") for k in ("irony", "hate")
        ),
    )
    assert [(one.name, one.classes) for one in tweets] == [("irony", 2), ("hate", 2)]
    (pairs,) = opened(
        tmp_path, path=(str(data / "hh_rlhf_harmless_test/harmless-base_test.jsonl.gz"),)
    )
    assert pairs.classes == 2
    assert 0.4 < float(pairs.test.labels.mean()) < 0.6
