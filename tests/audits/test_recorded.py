"""Verdicts from files, from judgements and from live judges."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated import DialJudge, gold, pairs

from solon.errors import DataError, InputError
from solon.judges.recorded import ask, ask_gold, by_judge, from_judgements, read_verdicts
from solon.records import Abstains, Judgement, Prefers, Prompt, Rate
from solon.run.shards import write_records

ROWS = [
    {"id": 1, "prompt": "boil an egg", "first": "In water.", "second": "No.", "winner": "first",
     "winner_swapped": "second", "gold": "tie", "judge": "gpt-4"},
    {"id": "2", "cluster": "egg", "p_first": 0.25, "len_first": 10, "len_second": 12,
     "gold": 1, "gold_gap": -0.5},
    {"id": "3", "winner": None, "p_first_swapped": 1.0},
]  # fmt: skip


def _written(path: Path, rows: list[object]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def test_rows_become_verdicts_and_abstentions_stay(tmp_path: Path) -> None:
    one, two, three = read_verdicts(_written(tmp_path / "v.jsonl", ROWS))
    assert (one.orders, one.p, one.gold, one.judge) == ((1.0, 0.0), 0.5, 0.5, "gpt-4")
    assert (one.id, one.cluster, one.len_first, one.len_second) == ("1", "boil an egg", 9, 3)
    assert (two.orders, two.p, two.cluster) == ((0.25,), 0.25, "egg")
    assert (two.gold, two.gold_gap, two.len_second) == (1.0, -0.5, 12)
    assert (three.orders, three.p, three.cluster) == ((None, 1.0), None, "3")
    assert by_judge([one, two, three]) == {"gpt-4": [one], "": [two, three]}


def test_gzip_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"id": str(k), "p_first": k / 4, "len_first": k, "len_second": 3} for k in range(4)]
    plain = read_verdicts(_written(tmp_path / "v.jsonl", rows))
    packed = tmp_path / "v.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "v.jsonl").read_bytes()))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "v.parquet")
    assert read_verdicts(packed) == plain == read_verdicts(str(tmp_path / "v.parquet"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "1", "winer": "first"}, r"row 1, field 'winer': expected one of id, judge"),
        ({"winner": "first"}, r"field 'id': expected a name for the row, got None"),
        ({"id": "1"}, r"field 'winner': expected winner or p_first .*, got neither"),
        ({"id": "1", "winner": "A"}, r"field 'winner': expected first, second, tie.* got 'A'"),
        ({"id": "1", "p_first": 1.2}, r"field 'p_first': expected .* a share from 0 to 1, got 1.2"),
        ({"id": "1", "p_first": True}, r"field 'p_first': expected a finite number, got True"),
        ({"id": "1", "p_first": 0.2, "winner": "tie"}, r"field 'winner': expected null beside"),
        ({"id": "1", "winner": None, "first": 3}, r"field 'first': expected text, got 3"),
        ({"id": "1", "winner": None, "len_first": -1}, r"field 'len_first': expected a whole"),
        ({"id": "1", "winner": None, "first": "ab", "len_first": 3}, r"expected 2, the length of"),
        ({"id": "1", "winner": None, "gold_gap": "big"}, r"field 'gold_gap': expected a finite"),
        ([1], r"row 1: expected one JSON object, got list"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_verdicts(_written(tmp_path / "v.jsonl", [row]))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="expected a file .JSON lines or parquet. or a folder, got none"
    ):
        read_verdicts(tmp_path / "none.jsonl")
    (tmp_path / "v.jsonl").write_text('\n{"id": "1", "winner": null}\n{"id"')
    with pytest.raises(DataError, match="row 3: expected one JSON object"):
        read_verdicts(tmp_path / "v.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="one or more verdicts"):
        read_verdicts(tmp_path / "empty.jsonl")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"x" * 999)[:20])
    with pytest.raises(DataError, match="a whole gzip file"):
        read_verdicts(tmp_path / "cut.jsonl.gz")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="a parquet file"):
        read_verdicts(tmp_path / "bad.parquet")


def test_a_runs_judgements_are_verdicts(tmp_path: Path) -> None:
    questions = pairs(3)
    judgements = [
        Judgement(question=questions[0], answer=Prefers(p_first=0.7, orders=(0.9, 0.5)), judge="j"),
        Judgement(question=questions[1], answer=Prefers(p_first=0.2), judge="j", digest="d"),
        Judgement(question=questions[2], answer=Abstains(reason="mumbles"), judge="j"),
    ]
    folder = write_records(tmp_path / "records" / "judgements", judgements)
    found = read_verdicts(folder)
    assert read_verdicts(tmp_path) == found  # a run's folder stands for what its judge said
    assert [v.orders for v in found] == [(0.9, 0.5), (0.2,), (None,)]
    assert [v.id for v in found] == ["p0", "d", "p2"]
    assert found[0].len_first == len(questions[0].first.text)
    assert found[0].first == questions[0].first.text
    graded = from_judgements(judgements, gold)
    gap = gold([questions[0].first])[0] - gold([questions[0].second])[0]
    assert (graded[0].gold_gap, graded[0].gold) == (gap, float(gap > 0))


def test_other_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a run, or parquet shards of judgements, got none"):
        read_verdicts(tmp_path)
    folder = write_records(tmp_path / "prompts", [Prompt.of("egg")])
    with pytest.raises(DataError, match="row 1: expected judgements of pairs .*, got Prompt"):
        read_verdicts(folder)
    with pytest.raises(DataError, match="the shard's folder"):
        read_verdicts(folder / "00000.parquet")
    rate = Judgement(
        question=Rate(completion=pairs(1)[0].first), answer=Abstains(reason="mumbles"), judge="j"
    )
    with pytest.raises(DataError, match="judgements of pairs"):
        read_verdicts(write_records(tmp_path / "rates", [rate]))


def test_a_live_judge_is_asked_in_both_orders_and_turned_back() -> None:
    questions = pairs(20)
    for verdict, question in zip(
        ask(DialJudge(a=1.0, b=0.4, soft=True), questions, gold), questions, strict=True
    ):
        logits = [float(_logit(p)) for p in verdict.orders if p is not None]
        gap = gold([question.first])[0] - gold([question.second])[0]
        assert logits == pytest.approx([gap + 0.4, gap - 0.4], abs=1e-9)
        assert verdict.gold_gap == pytest.approx(gap)
    told = ask_gold(gold, questions)
    assert [v.orders for v in told] == [(v.gold,) for v in told]
    assert {v.gold for v in told} == {0.0, 1.0}
    with pytest.raises(InputError, match="needs questions"):
        ask(DialJudge(), [])


def _logit(p: float) -> float:
    from scipy import special

    return special.logit(p)
