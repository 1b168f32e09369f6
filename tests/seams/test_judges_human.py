"""Labels and prompts from files: every format, every fault, and the real pairs."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solon.errors import DataError, SettingError
from solon.judges.human import HumanLabels, PromptFile, read_preferences, read_prompts
from solon.records import Abstains, Compare, Completion, Message, Preference, Prompt
from solon.run.run import Run
from solon.run.shards import write_records
from solon.seams.feedback import Labels

USER = {"role": "user", "content": "Why?"}
PLAIN = {"prompt": "Why?", "chosen": "Because.", "rejected": "No."}
TURNS = {
    "prompt": [USER],
    "chosen": [{"role": "assistant", "content": "Because."}],
    "rejected": [{"role": "assistant", "content": "No."}],
}
WHOLE = {name: [USER, *TURNS[name]] for name in ("chosen", "rejected")}
BINARIZED = {**WHOLE, "prompt": "Why?"}
TRANSCRIPT = {
    "chosen": "\n\nHuman: Why?\n\nAssistant: Because.",
    "rejected": "\n\nHuman: Why?\n\nAssistant: No.",
}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [PLAIN, TURNS, WHOLE, BINARIZED, TRANSCRIPT],
    ids=["plain", "turns", "whole", "binarized", "hh"],
)
@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet"])
def test_every_schema_in_every_kind_of_file_gives_the_same_pair(
    row: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    path = tmp_path / f"labels.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist([row]), path)
    elif kind == "jsonl.gz":
        path.write_bytes(gzip.compress(json.dumps(row).encode()))
    else:
        lines(path, row)
    [label], dropped = read_preferences(path, source="people")
    assert label.chosen.prompt.messages == (Message(role="user", text="Why?"),)
    assert (label.chosen.text, label.rejected.text, label.p) == ("Because.", "No.", 1.0)
    assert dropped == {}


def test_a_dialogue_keeps_its_earlier_turns_as_the_prompt(tmp_path: Path) -> None:
    before = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?"
    row = {"chosen": f"{before}\n\nAssistant: A", "rejected": f"{before}\n\nAssistant: B"}
    [label], _ = read_preferences(lines(tmp_path / "x.jsonl", row), source="people")
    assert [m.role for m in label.chosen.prompt.messages] == ["user", "assistant", "user"]
    assert (label.chosen.text, label.rejected.text) == ("A", "B")


def test_our_own_preference_records_are_labels_too(tmp_path: Path, run: Run) -> None:
    prompt = Prompt.of("Why?")
    chosen, rejected = (Completion(prompt=prompt, text=text) for text in ("yes", "no"))
    label = Preference(chosen=chosen, rejected=rejected, p=0.8)
    folder = write_records(tmp_path / "kept", [label])
    [judgement] = HumanLabels(path=str(folder)).open(run)([Compare(first=rejected, second=chosen)])
    assert judgement.answer.p_first == pytest.approx(0.2)
    write_records(tmp_path / "other", [prompt])
    with pytest.raises(DataError, match="row 1: expected Preference records, got Prompt"):
        HumanLabels(path=str(tmp_path / "other")).open(run)


def test_labels_answer_in_either_order_average_and_abstain_from_the_unknown(
    tmp_path: Path, run: Run
) -> None:
    other = {**PLAIN, "chosen": "No.", "rejected": "Because."}
    again = [PLAIN, PLAIN, PLAIN, other]
    people = HumanLabels(path=str(lines(tmp_path / "x.jsonl", *again))).open(run)
    assert isinstance(people, Labels)
    asked = Prompt.of("Why?", id="another id")
    yes, no, new = (Completion(prompt=asked, text=t) for t in ("Because.", "No.", "Perhaps."))
    questions = [Compare(first=a, second=b) for a, b in ((yes, no), (no, yes), (yes, new))]
    answers = [judgement.answer for judgement in people(questions)]
    assert [a.p_first for a in answers[:2]] == [0.75, 0.25]
    assert answers[2] == Abstains(reason="nobody labelled this pair")


def test_questions_do_not_give_the_label_away_by_their_order(tmp_path: Path, run: Run) -> None:
    rows = [{"prompt": "Why?", "chosen": f"a{i}", "rejected": f"b{i}"} for i in range(1000)]
    turned = [{"prompt": "Why?", "chosen": f"b{i}", "rejected": f"a{i}"} for i in range(1000)]
    people = HumanLabels(path=str(lines(tmp_path / "x.jsonl", *rows))).open(run)
    others = HumanLabels(path=str(lines(tmp_path / "y.jsonl", *turned))).open(run)
    asked = people.questions()
    first = [judgement.answer.p_first for judgement in people(asked)]
    assert 450 < sum(first) < 550
    assert asked == others.questions()


def test_rows_that_hold_no_pair_are_counted_and_said(tmp_path: Path, run: Run) -> None:
    rows = [
        PLAIN,
        {**PLAIN, "rejected": "Because."},
        {"chosen": TRANSCRIPT["chosen"], "rejected": TRANSCRIPT["chosen"]},
        {"chosen": TRANSCRIPT["chosen"], "rejected": "\n\nHuman: Who?\n\nAssistant: I."},
        {"chosen": "\n\nHuman: a\n\nHuman: b", "rejected": "\n\nHuman: a\n\nHuman: c"},
        {"chosen": "no dialogue", "rejected": "here"},
        {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant:"},
        {"chosen": "\n\nAssistant: b", "rejected": "\n\nAssistant: c"},
    ]
    people = HumanLabels(path=str(lines(tmp_path / "x.jsonl", *rows))).open(run)
    assert len(people.questions()) == 1
    assert people.dropped == {
        "both answers are the same": 1,
        "both dialogues are the same": 1,
        "the dialogues part before their last turn": 1,
        "the last turn is not the assistant's": 1,
        "no dialogue in the text": 1,
        "an answer is blank": 1,
        "no prompt before the answers": 1,
    }
    assert "7 of 8 rows left out (an answer is blank: 1;" in (run.dir / "notes.jsonl").read_text()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"x\.jsonl, row 2: expected a JSON object, got Expecting"),
        ("[1]", r"x\.jsonl, row 2: expected a JSON object, got \[1\]"),
        ({**PLAIN, "chosen": None}, r"row 2, field 'chosen': expected text or .*, got null"),
        ({**PLAIN, "chosen": " "}, r"row 2, field 'chosen': expected text, got ' '"),
        ({**PLAIN, "rejected": 3}, r"row 2, field 'rejected': expected text or .*, got 3"),
        ({"prompt": "Why?", "chosen": "a"}, r"row 2, field 'rejected': expected .*, got nothing"),
        ({**PLAIN, "prompt": 7}, r"row 2, field 'prompt': expected text, got 7"),
        (
            {**PLAIN, "prompt": [{"role": "judge"}]},
            r"field 'prompt': expected messages with a role",
        ),
        (
            {**PLAIN, "prompt": [{"role": ["user"], "content": "a"}]},
            r"row 2, field 'prompt': expected messages with a role .*, got \[\{'role': \['user'\]",
        ),
        ({**TURNS, "chosen": [USER]}, r"field 'chosen': expected one message of the assistant"),
        ({**WHOLE, "prompt": "Who?"}, r"field 'chosen': expected one message of the assistant"),
        ({**PLAIN, "chosen": "\ud800"}, r"field 'chosen': expected text without lone surrogates"),
        ({**WHOLE, "chosen": []}, r"field 'chosen': expected text or a list of messages, got \[\]"),
    ],
)
def test_a_bad_row_names_file_row_and_field(row: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    text = row if isinstance(row, str) else json.dumps(row)
    path.write_text(f"{json.dumps(PLAIN)}\n{text}\n", "utf-8")
    with pytest.raises(DataError, match=message):
        read_preferences(path, source="people")


def test_a_bad_file_is_named(tmp_path: Path, run: Run) -> None:
    with pytest.raises(DataError, match="expected a file, got nothing there"):
        read_preferences(tmp_path / "none.jsonl", source="people")
    (tmp_path / "x.tsv").write_text("a\tb")
    kinds = r"\.jsonl, \.json, \.csv, \.parquet or \.txt \(or \.gz\)"
    with pytest.raises(DataError, match=rf"expected {kinds}, got \.tsv"):
        read_prompts(tmp_path / "x.tsv")
    (tmp_path / "x.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="expected UTF-8 text"):
        read_prompts(tmp_path / "x.jsonl.gz")
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="expected UTF-8 text"):
        read_prompts(tmp_path / "x.txt")
    (tmp_path / "x.parquet").write_bytes(b"PAR0")
    with pytest.raises(DataError, match="expected a parquet file"):
        read_prompts(tmp_path / "x.parquet")
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(DataError, match="expected at least one prompt, got an empty file"):
        read_prompts(tmp_path / "empty.txt")
    with pytest.raises(SettingError, match=r"path: expected a file .*, got none"):
        PromptFile().open(run)
    with pytest.raises(SettingError, match=r"labels\.path: expected a file or a folder"):
        HumanLabels().open(run)


def test_prompts_are_read_from_each_kind_of_row_and_each_text_once(tmp_path: Path) -> None:
    rows = [{"prompt": "Why?"}, {"text": "How?"}, {"messages": [USER]}, {"prompt": [USER, USER]}]
    prompts = read_prompts(lines(tmp_path / "x.jsonl", *rows))
    assert [prompt.text for prompt in prompts] == ["Why?", "How?", "Why?\n\nWhy?"]
    (tmp_path / "x.txt").write_text("Why?\n\n  How?\nWhy?\n", "utf-8")
    assert [prompt.text for prompt in read_prompts(tmp_path / "x.txt")] == ["Why?", "How?"]
    with pytest.raises(DataError, match="row 1, field 'prompt': expected text or a list"):
        read_prompts(lines(tmp_path / "y.jsonl", {"question": "Why?"}))


def test_the_words_of_a_prompt_decide_its_split_whatever_stands_beside_it(
    tmp_path: Path, run: Run
) -> None:
    texts = [f"Question {i}?" for i in range(2000)]
    (tmp_path / "a.txt").write_text("\n".join(texts), "utf-8")
    (tmp_path / "b.txt").write_text("\n".join(["New?", *reversed(texts)]), "utf-8")
    one, other = (PromptFile(path=str(tmp_path / f)).open(run) for f in ("a.txt", "b.txt"))
    test = {p.text for p in one.splits["test"]}
    assert 160 < len(test) < 240
    assert test == {p.text for p in other.splits["test"]} - {"New?"}
    assert {p.id for p in one.splits["train"]}.isdisjoint(p.id for p in one.splits["test"])


def test_prompts_are_taken_in_order_and_begin_again(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.txt").write_text("a\nb\nc\n", "utf-8")
    prompts = PromptFile(path=str(tmp_path / "a.txt"), test=0.0).open(run)
    assert [p.text for p in prompts.take(2)] == ["a", "b"]
    assert [p.text for p in prompts.take(5)] == ["c", "a", "b", "c", "a"]
    with pytest.raises(SettingError, match=r"in split 'test', got none; it has train \(3\)"):
        prompts.take(1, split="test")
    with pytest.raises(SettingError, match="expected a share from 0 up to below 1, got 1.1"):
        PromptFile(path="a.txt", test=1.1).open(run)


def test_a_file_of_test_prompts_alone_has_none_to_train_on(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.txt").write_text("a\nb\n", "utf-8")
    prompts = PromptFile(path=str(tmp_path / "a.txt"), test=1.0).open(run)
    assert [p.text for p in prompts.take(3, split="test")] == ["a", "b", "a"]
    with pytest.raises(SettingError, match=r"in split 'train', got none; it has train \(0\)"):
        prompts.take(1)


@pytest.mark.data
def test_the_harmlessness_pairs_of_hh_parse_and_four_are_left_out_for_cause(
    data: Path, run: Run
) -> None:
    path = data / "hh_rlhf_harmless_test" / "harmless-base_test.jsonl.gz"
    people = HumanLabels(path=str(path)).open(run)
    assert len(people.labels) + sum(people.dropped.values()) == 1431
    assert people.dropped == {
        "an answer is blank": 2,
        "the dialogues part before their last turn": 2,
    }
    asked = people.questions()
    judged = people(asked)
    assert Counter(j.answer.p_first for j in judged) == {1.0: 743, 0.0: 684}
    assert {question.first.prompt.messages[-1].role for question in asked} == {"user"}
    shorter = sum(len(p.chosen.text) < len(p.rejected.text) for p in people.labels)
    assert shorter / len(people.labels) == pytest.approx(0.555, abs=0.002)
