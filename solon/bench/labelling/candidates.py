"""The answers that a row holds, in the order in which a judge is shown them.

prompt, chosen, rejected        TRL's preferences, plain or as messages; whole dialogues
                                (hh-rlhf) without a prompt
prompt, first, second           two answers; also output_1, output_2 (AlpacaEval), response_0,
                                response_1 (PKU), response_a, response_b (arena)
prompt, completions             a list of answers
prompt, completion              one answer; also messages that end with the assistant's
Preference, Group, Completion   our own records
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from solon.bench.labelling.reading import RECORD
from solon.judges.human import pair_of_row, reply_of_row
from solon.judges.prompts import named, prompt_of_row
from solon.judges.rows import Row
from solon.records import Completion, Group, Message, Preference, Prompt, digest

PAIRS = (
    ("first", "second"),
    ("output_1", "output_2"),
    ("response_0", "response_1"),
    ("response_a", "response_b"),
)
Answers = tuple[Completion, ...]


def candidates(row: Row) -> Answers | str:
    """The row's answers, or why it has none. Raises DataError where it cannot be read."""
    fields = row.fields
    if RECORD in fields:
        return _of_record(row)
    if "chosen" in fields and "rejected" in fields:
        pair = pair_of_row(row)
        return pair if isinstance(pair, str) else turned(_completions(pair[0], pair[1:]))
    for names in PAIRS:
        if names[0] in fields:
            return _said(row, [row.text(name) for name in names])
    if "completions" in fields:
        return _said(row, _texts(row))
    if "completion" in fields:
        return _one(row)
    if "messages" in fields:
        return _spoken(row)
    expected = "prompt with chosen and rejected, first and second, completion, or completions"
    raise row.fault("completion", expected)


def turned(pair: Answers) -> Answers:
    """The two in an order that a fair coin of their words decides: the chosen one is not first."""
    texts = sorted(one.text for one in pair)
    heads = bool(int(digest("order", *texts), 16) % 2)
    return pair[::-1] if (pair[0].text == texts[0]) == heads else pair


def _said(row: Row, texts: Sequence[str]) -> Answers:
    prompt = prompt_of_row(row)
    return tuple(Completion(prompt=prompt, text=text) for text in texts)


def _completions(said: tuple[Message, ...], texts: Sequence[str]) -> Answers:
    prompt: Prompt = named(said)
    return tuple(Completion(prompt=prompt, text=text) for text in texts)


def _texts(row: Row) -> list[str]:
    listed: Any = row.fields["completions"]
    if not isinstance(listed, list) or not listed:
        raise row.fault("completions", "a list of texts")
    kept = [Row(file=row.file, number=row.number, fields={"completions": one}) for one in listed]
    return [one.text("completions") for one in kept]


def _one(row: Row) -> Answers:
    prompt = prompt_of_row(row)
    listed = isinstance(row.fields["completion"], list)
    said = reply_of_row(row, "completion", prompt.messages) if listed else row.text("completion")
    return (Completion(prompt=prompt, text=said),)


def _spoken(row: Row) -> Answers:
    *before, last = row.messages("messages")
    if not before or last.role != "assistant" or not last.text.strip():
        raise row.fault("messages", "turns that end with the assistant's answer")
    return _completions(tuple(before), (last.text,))


def _of_record(row: Row) -> Answers:
    record = cast("object", row.fields[RECORD])
    match record:
        case Preference():
            return turned((record.chosen, record.rejected))
        case Group():
            return record.completions
        case Completion():
            return (record,)
        case _:
            raise row.fault(RECORD, "a Preference, a Group or a Completion")
