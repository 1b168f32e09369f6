"""Rows in, labels out: what is read, what is refused, what is written, and how it goes on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solon.bench.labelling import Labelling, Rows, label_file, labelling
from solon.bench.labelling.candidates import turned
from solon.bench.labelling.kinds import KINDS, Ask
from solon.bench.labelling.labelling import _Turns
from solon.bench.labelling.reading import Place, input_files, read
from solon.bench.labelling.showing import duration
from solon.bench.labelling.surveying import survey
from solon.bench.labelling.writing import Progress
from solon.cli import main
from solon.errors import DataError, EndpointError, RunError, SettingError, TooManyFailures
from solon.judges.human import HumanLabels
from solon.lab.judges import Dials, PlantedPair
from solon.records import (
    Abstains,
    Completion,
    Critique,
    Judgement,
    Preference,
    Prefers,
    Prompt,
    Ranks,
    Rating,
    Ratings,
    Scores,
)
from solon.run.lines import read as read_lines
from solon.run.run import Run
from solon.run.shards import read_records, write_records

ASKED: list[str] = []  # every text that the judge below was shown


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    ASKED.clear()


@dataclass(frozen=True)
class Longer:
    """Prefers, scores and ranks by length; a text that begins with "?" makes it abstain."""

    id: str = "longer"

    def open(self, run: Run, /) -> Longer:
        return self

    def __call__(self, questions: Sequence[Any], /) -> list[Any]:
        return [self.said(one) for one in questions]

    def refine(self, completions: Sequence[Completion], /) -> list[Any]:
        better = [Completion(prompt=one.prompt, text=one.text + "!") for one in completions]
        return [
            Critique(completion=one, principle="p", text="longer", revision=two)
            for one, two in zip(completions, better, strict=True)
        ]

    def said(self, one: Any) -> Any:
        if isinstance(one, Completion):
            ASKED.append(one.text)
            if one.text.startswith("?"):
                return Abstains(reason="cannot say")
            return Critique(completion=one, principle="p", text=f"{len(one.text)} letters")
        texts = [c.text for c in answers(one)]
        ASKED.extend(texts)
        silent = any(text.startswith("?") for text in texts)
        answer = Abstains(reason="cannot say") if silent else self.answer(one, texts)
        return Judgement(question=one, answer=answer, judge=self.id, principle="p")

    def answer(self, one: Any, texts: list[str]) -> Any:
        if hasattr(one, "first"):
            return Prefers(p_first=0.9 if len(texts[0]) > len(texts[1]) else 0.2)
        if hasattr(one, "aspect"):
            rated = [Rating(answer=Scores(value=float(len(t))), rationale="len") for t in texts]
            rated[-1] = Rating(answer=Abstains(reason="N/A"))
            return Ratings(ratings=tuple(rated))
        if hasattr(one, "completions"):
            return Ranks(order=tuple(sorted(range(len(texts)), key=lambda i: -len(texts[i]))))
        return Scores(value=float(len(texts[0])), distribution=(0.5, 0.5))


def answers(one: Any) -> Sequence[Completion]:
    if hasattr(one, "first"):
        return one.first, one.second
    return getattr(one, "completions", None) or (one.completion,)


def pairs(count: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"say {i}", "first": "a" * (i % 7 + 2), "second": "b" * (i % 5 + 1)}
        for i in range(count)
    ]


def jsonl(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def label(folder: Path, rows: Rows, judge: Any = Longer(), *, seed: int = 0) -> Path:
    with Run(folder, seed=seed) as run:
        return label_file(rows, Labelling(judge=judge), run)


def table(folder: Path) -> list[dict[str, Any]]:
    return [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def rows_of(labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the provenance, which names the class of the judge."""
    return [{key: row[key] for key in row if key != "provenance"} for row in labels]


# -- reading


def saved(folder: Path, rows: list[dict[str, Any]]) -> Path:
    datasets.Dataset.from_list(rows).save_to_disk(folder / "saved", num_shards=3)
    return folder / "saved"


def hub(folder: Path, rows: list[dict[str, Any]]) -> Path:
    (folder / "hub/data").mkdir(parents=True)
    for number, start in enumerate(range(0, len(rows), 40)):
        part = pa.Table.from_pylist(rows[start : start + 40])
        pq.write_table(
            part, folder / f"hub/data/train-{number:05d}-of-00003.parquet", row_group_size=16
        )
    return folder / "hub"


def lines(folder: Path, rows: list[dict[str, Any]]) -> Path:
    text = "\n\n".join(json.dumps(row) for row in rows)  # blank lines, none at the end
    (folder / "a.jsonl").write_text(text)
    return folder / "a.jsonl"


def zipped(folder: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder / "a.jsonl.gz"


def listed(folder: Path, rows: list[dict[str, Any]]) -> Path:
    (folder / "a.json").write_text(json.dumps(rows))
    return folder / "a.json"


@pytest.mark.parametrize("form", [saved, hub, lines, zipped, listed])
def test_reading_goes_on_from_any_place_with_exactly_the_rest(
    form: Callable[[Path, list[dict[str, Any]]], Path], tmp_path: Path
) -> None:
    rows = pairs(100)
    files = input_files(form(tmp_path, rows))
    whole = list(read(files))
    assert [dict(row.fields) for row, _ in whole] == rows
    for done in (0, 1, 15, 16, 39, 40, 41, 99):
        rest = list(read(files, whole[done][1]))
        assert [(r.file, r.number) for r, _ in rest] == [
            (r.file, r.number) for r, _ in whole[done + 1 :]
        ]
        assert [dict(row.fields) for row, _ in rest] == rows[done + 1 :]


def test_a_data_set_of_several_splits_asks_for_one(tmp_path: Path) -> None:
    parts = {name: datasets.Dataset.from_list(pairs(n)) for name, n in (("train", 9), ("test", 4))}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "dict")
    (tmp_path / "hub").mkdir()
    for name, part in parts.items():
        part.to_parquet(tmp_path / f"hub/{name}-00000-of-00001.parquet")
    for folder in (tmp_path / "dict", tmp_path / "hub"):
        with pytest.raises(
            SettingError, match=r"split: expected one of .*\(test, train\), got 'none'"
        ):
            input_files(folder)
        assert sum(1 for _ in read(input_files(folder, "test"))) == 4
    with pytest.raises(SettingError, match="got 'dev'"):
        input_files(tmp_path / "dict", "dev")


ROWS = [
    ({"prompt": "q", "chosen": "aa", "rejected": "b"}, {"aa", "b"}),
    (
        {"chosen": "\n\nHuman: q\n\nAssistant: aa", "rejected": "\n\nHuman: q\n\nAssistant: b"},
        {"aa", "b"},
    ),
    ({"instruction": "q", "output_1": "aa", "output_2": "b"}, {"aa", "b"}),
    ({"prompt": "q", "response_0": "aa", "response_1": "b"}, {"aa", "b"}),
    ({"prompt": "q", "completions": ["aa", "b", "c"]}, {"aa", "b", "c"}),
]


@pytest.mark.parametrize(("row", "texts"), ROWS)
def test_each_form_of_a_row_gives_its_answers_and_prompt(
    row: dict[str, Any], texts: set[str], tmp_path: Path
) -> None:
    rows = Rows(path=jsonl(tmp_path / "a.jsonl", [row]))
    (asked,) = rows.asked(rows.files())
    found = [c for question in asked.questions for c in (question.first, question.second)]
    assert {one.text for one in found} == texts
    assert {one.prompt.text for one in found} == {"q"}
    assert len(asked.questions) == len(texts) * (len(texts) - 1) // 2


def test_the_chosen_one_stands_first_in_half_of_the_questions() -> None:
    prompt = Prompt.of("q")
    rng = [
        (Completion(prompt=prompt, text=f"a{i}"), Completion(prompt=prompt, text=f"b{i}"))
        for i in range(400)
    ]
    first = sum(turned(pair)[0] is pair[0] for pair in rng)
    assert 160 < first < 240
    assert all(turned(pair) == turned(pair[::-1]) for pair in rng)  # whichever was chosen


BAD = [
    (
        '{"prompt": "q", "first": "a", "second": 3}',
        r"rows\.jsonl, row 3, field 'second': expected text, got 3",
    ),
    ('{"prompt": "q", "first": "a"}', r"row 3, field 'second': expected text, got nothing"),
    ('{"prompt": "q"}', r"row 3, field 'completion': expected prompt with chosen"),
    ('{"prompt": "q", "completion": "a"}', r"row 3: expected at least 2 answers to compare, got 1"),
    ('{"prompt": "\\ud800", "first": "a", "second": "b"}', r"row 3: expected a JSON object"),
    ("[1]", r"row 3: expected a JSON object, got \[1\]"),
    ("{", r"row 3: expected a JSON object"),
]


@pytest.mark.parametrize(("bad", "says"), BAD)
def test_a_bad_row_is_told_before_anything_is_asked(bad: str, says: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "rows.jsonl", pairs(2))
    path.write_text(path.read_text() + bad + "\n")
    with pytest.raises(DataError, match=says):
        label(tmp_path / "out", Rows(path=path))
    assert ASKED == []
    assert not (tmp_path / "out/labels").exists()


# -- what is written


def test_pairs_become_rows_that_datasets_reads_and_our_recipes_learn_from(tmp_path: Path) -> None:
    rows = [
        *pairs(150),
        {"prompt": "x", "first": "?", "second": "b"},
        {"prompt": "x", "first": "c", "second": "c"},
    ]
    folder = label(tmp_path / "out", Rows(path=jsonl(tmp_path / "a.jsonl", rows)))
    found = datasets.load_dataset(
        "parquet",
        data_files=str(folder / "*.parquet"),
        split="train",
        cache_dir=str(tmp_path / "hf"),
    )
    assert found["row"][:] == list(range(1, 151))  # the silent one and the equal ones are left out
    for row, one in zip(found, rows, strict=False):
        texts = [one["first"], one["second"]]
        longer = len(texts[0]) > len(texts[1])
        assert row["p_first"] == (0.9 if longer else 0.2)
        assert row["p"] == (0.9 if longer else 0.8)
        assert row["prompt"] == [{"role": "user", "content": one["prompt"]}]
        assert row["chosen"] == [{"role": "assistant", "content": texts[0 if longer else 1]}]
        assert (row["judge"], row["principle"], row["file"]) == ("longer", "p", "a.jsonl")
    assert len(set(found["provenance"])) == 150
    said = read_records(tmp_path / "out/records/judgements")
    assert [isinstance(one.answer, Abstains) for one in said] == [False] * 150 + [True]
    with Run(tmp_path / "learn") as run:
        learnt = HumanLabels(path=str(tmp_path / "out/records/preferences")).open(run)
    assert [one.p for one in learnt.labels] == found["p"][:]
    notes = [line["note"] for line in read_lines(tmp_path / "out/notes.jsonl")]
    assert any("1 of 152 rows left out (all answers are the same: 1)" in note for note in notes)
    assert notes[-1].startswith("150 answers, 1 abstained, no calls")


EXPECTED: dict[Ask, list[dict[str, Any]]] = {
    "score": [{"score": 2.0}, {"score": 3.0}],
    "rank": [{"completions": ["bbb", "aa"], "order": [1, 0]}],
    "rate": [{"aspect": "clarity", "rating": 2.0}, {"aspect": "tact", "rating": 2.0}],
    "critique": [{"critique": "2 letters"}, {"critique": "3 letters"}],
    "revise": [
        {
            "chosen": [{"role": "assistant", "content": "aa!"}],
            "rejected": [{"role": "assistant", "content": "aa"}],
        },
        {
            "chosen": [{"role": "assistant", "content": "bbb!"}],
            "rejected": [{"role": "assistant", "content": "bbb"}],
        },
    ],
}


@pytest.mark.parametrize(("ask", "expected"), EXPECTED.items())
def test_each_kind_of_question_has_its_columns(
    ask: Ask, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"prompt": "q", "first": "aa", "second": "bbb"}])
    rows = Rows(path=path, ask=ask, aspects=("clarity", "tact"))
    found = table(label(tmp_path / "out", rows))
    assert [
        {key: row[key] for key in want} for row, want in zip(found, expected, strict=True)
    ] == expected
    assert {"file", "row", "prompt", "judge", "principle", "provenance"} < set(found[0])
    assert len(read_records(tmp_path / "out/records" / KINDS[ask].records)) == len(expected)


def test_a_shard_of_silence_has_the_same_columns_and_a_critic_may_abstain(tmp_path: Path) -> None:
    quiet = [{"prompt": "q", "completion": f"?{i}"} for i in range(64)]
    path = jsonl(tmp_path / "a.jsonl", [*quiet, {"prompt": "q", "completion": "said"}])
    with Run(tmp_path / "out") as run:
        labelled = Labelling(judge=Longer(), abstain=1.0)
        folder = label_file(Rows(path=path, ask="critique"), labelled, run)
    first, second = sorted(folder.glob("*.parquet"))
    assert pq.read_schema(first).equals(pq.read_schema(second))
    assert pq.read_metadata(first).num_rows == 0
    assert [row["critique"] for row in table(folder)] == ["4 letters"]
    assert Progress.of(tmp_path / "out").abstained == {"cannot say": 64}


def test_records_of_a_run_are_rows_too_and_keep_their_facts(tmp_path: Path) -> None:
    prompt = Prompt(id="p", messages=Prompt.of("q").messages, facts=(("kind", "benign"),))
    pair = [Completion(prompt=prompt, text=text, policy="me@3") for text in ("aaa", "b")]
    write_records(tmp_path / "given", [Preference(chosen=pair[0], rejected=pair[1])])
    label(tmp_path / "out", Rows(path=tmp_path / "given"))
    (said,) = read_records(tmp_path / "out/records/judgements")
    assert {said.question.first, said.question.second} == set(pair)


# -- going on


def test_a_labelling_that_broke_off_goes_on_and_ends_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(path=jsonl(tmp_path / "a.jsonl", pairs(500)))
    whole = table(label(tmp_path / "whole", rows))

    @dataclass(frozen=True)
    class Breaks(Longer):
        def __call__(self, questions: Sequence[Any], /) -> list[Any]:
            if len(ASKED) > 2 * 200:
                raise KeyboardInterrupt
            return Longer.__call__(self, questions)

    ASKED.clear()
    with pytest.raises(KeyboardInterrupt):
        label(tmp_path / "out", rows, Breaks())
    done = Progress.of(tmp_path / "out")
    assert 100 <= done.rows < 500
    (tmp_path / f"out/labels/{done.shards:05d}.parquet").write_bytes(b"torn")
    ASKED.clear()
    monkeypatch.setattr(Breaks, "__call__", Longer.__call__)
    assert rows_of(table(label(tmp_path / "out", rows, Breaks()))) == rows_of(whole)
    assert len(ASKED) == 2 * (500 - done.rows)
    ASKED.clear()
    label(tmp_path / "out", rows, Breaks())
    assert ASKED == []


def test_labels_of_other_rows_or_another_judge_are_never_mixed(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", pairs(20))
    rows = Rows(path=path)
    judge = PlantedPair(dials=Dials(discernment=0.0, length=1.0))
    label(tmp_path / "out", rows, judge)
    label(tmp_path / "out", rows, judge)
    with pytest.raises(RunError, match="labels by another judge .*give another --out"):
        label(tmp_path / "out", rows, Longer())
    label(tmp_path / "seeds", rows)
    with pytest.raises(RunError, match="labels by other settings, files or another seed"):
        label(tmp_path / "seeds", rows, seed=1)
    with pytest.raises(RunError, match="asked with another --ask .compare, not score.: give"):
        label(tmp_path / "out", Rows(path=path, ask="score"), judge)
    text = path.read_text()
    path.write_text(text)  # touched, and the same
    label(tmp_path / "out", rows, judge)
    path.write_text(text.replace("say 7", "say 8"))
    with pytest.raises(RunError, match="labels of other rows"):
        label(tmp_path / "out", rows, judge)


def test_a_command_that_labelled_nothing_binds_nobody(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"prompt": "q", "first": "a"}])
    with pytest.raises(DataError):
        label(tmp_path / "out", Rows(path=path))
    jsonl(path, pairs(3))

    @dataclass(frozen=True)
    class Refused(Longer):
        def __call__(self, questions: Sequence[Any], /) -> list[Any]:
            raise EndpointError("no such model")

    with pytest.raises(EndpointError):
        label(tmp_path / "out", Rows(path=path), Refused())
    jsonl(path, pairs(4))
    assert len(table(label(tmp_path / "out", Rows(path=path)))) == 4
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["settings"]["judge"]["kind"].endswith(".Longer")


def test_a_judge_that_mostly_abstains_is_stopped_before_the_shard_is_written(
    tmp_path: Path,
) -> None:
    rows = [{"prompt": "q", "first": f"?{i}", "second": "b"} for i in range(300)]
    path = jsonl(tmp_path / "a.jsonl", rows)
    with pytest.raises(TooManyFailures, match=r"labels: 101 of the newest \d+ failed \(cannot say"):
        label(tmp_path / "out", Rows(path=path))
    assert Progress.of(tmp_path / "out").rows == 64
    with pytest.raises(TooManyFailures, match="none of 10 questions was answered.*cannot say"):
        label(tmp_path / "few", Rows(path=jsonl(tmp_path / "b.jsonl", rows[:10])))


def test_chunks_grow_while_they_are_quick_and_shrink_where_they_are_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(labelling.time, "monotonic", lambda: now[0])
    sizes = []
    for chunk in _Turns(iter([None] * 20_000)):  # type: ignore[arg-type]
        sizes.append(len(chunk))
        now[0] += 0.05 * len(chunk) if len(sizes) > 6 else 0.0
    assert sizes[:7] == [64, 128, 256, 512, 1024, 2048, 2048]
    assert sizes[7:12] == [1024, 512, 512, 512, 512]  # 20 rows a second: 25 s, within the bounds


def test_a_survey_keeps_a_fair_sample_of_the_rows_that_ask(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}", "first": "a", "second": "a" if i % 2 else "b"} for i in range(1000)]
    asked = Rows(path=jsonl(tmp_path / "a.jsonl", rows))
    counts = [0, 0]
    for seed in range(40):
        found = survey(asked, asked.files(), keep=50, seed=seed)
        assert (found.rows, found.questions, found.asking) == (1000, 500, 500)
        assert len({one.row for one in found.sample}) == 50
        for one in found.sample:
            counts[one.row > 500] += 1
    assert abs(counts[0] - counts[1]) < 4 * (sum(counts) ** 0.5)


def test_time_left_is_said_as_one_would_say_it() -> None:
    told = [duration(s) for s in (4.4, 119, 240, 7_300, 48 * 3600)]
    assert told == ["4 s", "119 s", "4 min", "2 h 2 min", "2 d 0 h"]


# -- from the shell

BENCH = """
from solon.bench.bench import Bench
from solon.lab.judges import Dials, PlantedPair
bench = Bench(name="mine", judge=PlantedPair(dials=Dials(discernment=0.0, length=1.0)))
"""


def test_the_command_labels_refuses_a_second_one_and_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, bench = jsonl(tmp_path / "a.jsonl", pairs(30)), tmp_path / "mine.py"
    bench.write_text(BENCH)
    words = ["label", str(path), "--on", str(bench)]
    out = ["--out", str(tmp_path / "out")]

    def fails(*more: str, code: int) -> str:
        with pytest.raises(SystemExit) as stopped:
            main([*words, *more])
        assert stopped.value.code == code
        line = capsys.readouterr().err.strip().splitlines()[-1]
        assert line.startswith("solon: ")
        return line

    with Run(tmp_path / "out"):
        assert "another process is working in this run" in fails(*out, code=1)
    main([*words, *out])
    assert len(table(tmp_path / "out/labels")) == 30
    assert Place(offset=path.stat().st_size, row=30) == Progress.of(tmp_path / "out").place
    assert "expected --out FOLDER, or --dry-run" in fails(code=2)
    assert "has no scorer to score" in fails(*out, "--ask", "score", code=2)
    path.write_text('{"prompt": "q", "first": "a"}\n')
    assert "a.jsonl, row 1, field 'second': expected text, got nothing" in fails(
        "--out", str(tmp_path / "new"), code=2
    )
    capsys.readouterr()
    path.write_text(json.dumps(pairs(1)[0]))
    main([*words, "--dry-run"])
    assert "1 questions; nothing was sent\nno call leaves this machine" in capsys.readouterr().out
