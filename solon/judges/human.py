"""Labels that people gave, from files.

A file of labels is one of
    prompt, chosen, rejected        TRL's preference schema, plain texts or lists of messages
    chosen, rejected                two whole dialogues: lists of messages, or hh-rlhf's transcripts
    instruction, output_1,          AlpacaEval's annotations: preference is 1 + P(output_2 is
      output_2, preference            better), and 0 is a tie too
    a folder of parquet             our own Preference records

The first two may hold ``p``, the probability from 0.5 to 1 that the chosen one is better.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from solon.errors import DataError, SettingError
from solon.judges.dialogues import Turns, split
from solon.judges.prompts import (
    PromptFile,
    check_share,
    dialogue,
    is_test,
    named,
    prompt_of_row,
    read_prompts,
)
from solon.judges.rows import Row, left_out, rows
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Judgement,
    Message,
    PairJudgement,
    Preference,
    Prefers,
    digest,
)

if TYPE_CHECKING:
    from solon.run.run import Run

__all__ = ["HumanLabels", "LabelledPairs", "PromptFile", "read_preferences", "read_prompts"]

Key = tuple[tuple[Message, ...], str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanLabels:
    """Labels from a file as a judge: answers the pairs it knows, in either order, else abstains.

    Example:
        HumanLabels(path="harmless-base_test.jsonl.gz").open(run).questions()
    """

    path: str = ""
    """File of labelled pairs, or folder of our own preferences."""
    source: str = "people"
    """Who gave them."""
    test: float = 0.0
    """Share of the prompts whose labels are not read: those that the same split calls test."""

    def open(self, run: Run, /) -> LabelledPairs:
        if not self.path:
            raise SettingError("labels.path: expected a file or a folder of labels, got none")
        check_share(self.test)
        found, dropped = read_preferences(Path(self.path), source=self.source)
        kept = [label for label in found if not is_test(label.chosen.prompt, self.test)]
        if len(kept) < len(found):
            dropped["kept apart as test"] = len(found) - len(kept)
        if dropped:
            run.note(left_out(self.path, dropped, read=len(kept)))
        if not kept:
            raise DataError(self.path, expected="at least one usable pair", came="none")
        return LabelledPairs(id=self.source, labels=kept, dropped=dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPairs:
    """The live labels; ``dropped`` counts the rows that hold no pair, by reason.

    Example:
        LabelledPairs(id="people", labels=[Preference(chosen=a, rejected=b)]).questions()
    """

    id: str
    labels: Sequence[Preference]
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    _known: dict[Key, list[float]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known: dict[Key, list[float]] = defaultdict(list)
        for label in self.labels:
            said = label.chosen.prompt.messages
            known[said, label.chosen.text, label.rejected.text].append(label.p)
            known[said, label.rejected.text, label.chosen.text].append(1 - label.p)
        object.__setattr__(self, "_known", dict(known))

    def questions(self) -> list[Compare]:
        """Each label as a question, in an order that its words decide: not the chosen one first."""
        asked = [Compare(first=label.chosen, second=label.rejected) for label in self.labels]
        return [question.swapped() if _tails(question) else question for question in asked]

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [
            Judgement(
                question=question,
                answer=self._answer(question),
                judge=self.id,
                digest=digest(self.id, *_key(question)),
            )
            for question in questions
        ]

    def _answer(self, question: Compare) -> Prefers | Abstains:
        """The mean of the labels that people gave this pair."""
        given = self._known.get(_key(question))
        if given is None:
            return Abstains(reason="nobody labelled this pair")
        return Prefers(p_first=math.fsum(given) / len(given))


def read_preferences(path: Path, *, source: str) -> tuple[list[Preference], dict[str, int]]:
    """The labels of a file or of a folder of our own, and how many rows hold no pair, by reason.

    Raises DataError for a row that cannot be read at all.
    """
    if path.is_dir():
        return _ours(path), {}
    dropped: Counter[str] = Counter()
    found: list[Preference] = []
    for row in rows(path):
        label = label_of_row(row, source)
        if isinstance(label, str):
            dropped[label] += 1
        else:
            found.append(label)
    return found, dict(dropped)


def label_of_row(row: Row, source: str) -> Preference | str:
    """A row's label, or why it has none."""
    if "output_1" in row.fields:
        return _annotation(row, source)
    pair = pair_of_row(row)
    if isinstance(pair, str):
        return pair
    said, chosen, rejected = pair
    prompt = named(said)
    return Preference(
        chosen=Completion(prompt=prompt, text=chosen),
        rejected=Completion(prompt=prompt, text=rejected),
        p=_number(row, "p", 0.5, 1.0) if "p" in row.fields else 1.0,
        source=source,
    )


def _annotation(row: Row, source: str) -> Preference | str:
    """AlpacaEval's soft label of two outputs; the first is chosen where both are as likely."""
    if row.fields.get("preference") is None:
        return "no preference given"
    said = _number(row, "preference", 0.0, 2.0)
    second = 0.5 if said == 0 else said - 1
    if second < 0:
        raise row.fault("preference", "0 (a tie) or a number from 1 to 2")
    texts = [row.fields.get("output_1"), row.fields.get("output_2")]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return "an answer is blank"
    if texts[0] == texts[1]:
        return "both answers are the same"
    prompt = prompt_of_row(row)
    first, other = (Completion(prompt=prompt, text=row.text(f"output_{n}")) for n in (1, 2))
    if second > 0.5:
        return Preference(chosen=other, rejected=first, p=second, source=source)
    return Preference(chosen=first, rejected=other, p=1 - second, source=source)


def _number(row: Row, name: str, low: float, high: float) -> float:
    value = row.fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise row.fault(name, f"a number from {low:g} to {high:g}")
    return float(value)


def _ours(folder: Path) -> list[Preference]:
    from solon.run.shards import read_records

    found = read_records(folder)
    for number, record in enumerate(found, start=1):
        if not isinstance(record, Preference):
            came = type(record).__name__
            raise DataError(folder, row=number, expected="Preference records", came=came)
    return found


def pair_of_row(row: Row) -> tuple[Turns, str, str] | str:
    """A row's prompt and its two answers, or why it has none."""
    chosen, rejected = row.fields.get("chosen"), row.fields.get("rejected")
    if row.fields.get("prompt") is None:
        return split(dialogue(row, "chosen"), dialogue(row, "rejected"))
    said = prompt_of_row(row).messages
    texts = [
        row.text(name) if isinstance(value, str) else reply_of_row(row, name, said)
        for name, value in (("chosen", chosen), ("rejected", rejected))
    ]
    return "both answers are the same" if texts[0] == texts[1] else (said, texts[0], texts[1])


def reply_of_row(row: Row, name: str, prompt: Turns) -> str:
    """The assistant's last turn in a list of messages, alone or after the whole prompt."""
    *before, last = row.messages(name)
    if tuple(before) not in ((), prompt) or last.role != "assistant" or not last.text.strip():
        raise row.fault(name, "one message of the assistant, alone or after the prompt's own")
    return last.text


def _key(question: Compare) -> Key:
    return question.first.prompt.messages, question.first.text, question.second.text


def _tails(question: Compare) -> bool:
    """A fair coin that only the pair decides, whichever of the two was chosen."""
    texts = sorted((question.first.text, question.second.text))
    heads = int(digest("order", *texts), 16) % 2
    return (question.first.text == texts[0]) == bool(heads)
