"""Labels that people gave, and prompts, from files.

A file of labels is one of
    prompt, chosen, rejected        TRL's preference schema, plain texts or lists of messages
    chosen, rejected                two whole dialogues: lists of messages, or hh-rlhf's transcripts
    a folder of parquet             our own Preference records
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from solon.errors import DataError, SettingError
from solon.judges.dialogues import Turns, split, turns
from solon.judges.rows import Row, rows
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Message,
    Judgement,
    PairJudgement,
    Preference,
    Prefers,
    Prompt,
    digest,
)

if TYPE_CHECKING:
    from solon.run.run import Run

Key = tuple[tuple[Message, ...], str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanLabels:
    """Labels from a file as a judge: answers the pairs it knows, in either order, else abstains.

    Example:
        HumanLabels(path="harmless-base_test.jsonl.gz").open(run).questions()
    """

    path: str
    source: str = "people"

    def open(self, run: Run, /) -> LabelledPairs:
        found, dropped = read_preferences(Path(self.path), source=self.source)
        if dropped:
            counts = "; ".join(f"{reason}: {n}" for reason, n in sorted(dropped.items()))
            total = sum(dropped.values())
            run.note(f"{self.path}: {total} of {total + len(found)} rows left out ({counts})")
        if not found:
            raise DataError(self.path, expected="at least one usable pair", came="none")
        return LabelledPairs(id=self.source, labels=found, dropped=dropped)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """Prompts from a file; each one's words decide whether it belongs to train or to test.

    Example:
        PromptFile(path="prompts.jsonl", test=0.1).open(run).take(8, split="test")
    """

    path: str
    test: float = 0.1

    def open(self, run: Run, /) -> PromptList:
        del run
        if not 0 <= self.test < 1:
            raise SettingError(f"test: expected a share from 0 up to below 1, got {self.test}")
        halves: dict[str, list[Prompt]] = {"train": [], "test": []}
        for prompt in read_prompts(Path(self.path)):
            halves["test" if _share(prompt) < self.test else "train"].append(prompt)
        return PromptList(source=self.path, splits=halves)


@dataclass(slots=True, kw_only=True)
class PromptList:
    """Prompts by split, taken in the order of the file, round and round.

    Example:
        PromptList(source="mine", splits={"train": [p]}).take(2)    # [p, p]
    """

    source: str
    splits: dict[str, list[Prompt]]
    taken: Counter[str] = field(default_factory=Counter[str])

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        """The next n prompts of that split; SettingError where it has none."""
        prompts = self.splits.get(split)
        if not prompts:
            have = ", ".join(f"{name} ({len(kept)})" for name, kept in self.splits.items())
            raise SettingError(
                f"{self.source}: expected prompts in split {split!r}, got none; it has {have}"
            )
        start = self.taken[split]
        self.taken[split] += n
        return [prompts[i % len(prompts)] for i in range(start, start + n)]


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a file, each text once: ``prompt``, ``messages`` or ``text`` of a row.

    A .txt file holds one prompt a line. Raises DataError, naming file, row and field.
    """
    found = {prompt.id: prompt for prompt in (_prompt(row) for row in rows(path))}
    if not found:
        raise DataError(path, expected="at least one prompt", came="an empty file")
    return list(found.values())


def read_preferences(path: Path, *, source: str) -> tuple[list[Preference], dict[str, int]]:
    """The labels of a file or of a folder of our own, and how many rows hold no pair, by reason.

    Raises DataError for a row that cannot be read at all.
    """
    if path.is_dir():
        return _ours(path), {}
    dropped: Counter[str] = Counter()
    found: list[Preference] = []
    for row in rows(path):
        pair = _pair(row)
        if isinstance(pair, str):
            dropped[pair] += 1
            continue
        said, chosen, rejected = pair
        prompt = _named(said)
        found.append(
            Preference(
                chosen=Completion(prompt=prompt, text=chosen),
                rejected=Completion(prompt=prompt, text=rejected),
                source=source,
            )
        )
    return found, dict(dropped)


def _ours(folder: Path) -> list[Preference]:
    from solon.run.shards import read_records

    found = read_records(folder)
    for number, record in enumerate(found, start=1):
        if not isinstance(record, Preference):
            came = type(record).__name__
            raise DataError(folder, row=number, expected="Preference records", came=came)
    return found


def _pair(row: Row) -> tuple[Turns, str, str] | str:
    """A row's prompt and its two answers, or why it has none."""
    chosen, rejected = row.fields.get("chosen"), row.fields.get("rejected")
    if row.fields.get("prompt") is None:
        return split(_dialogue(row, "chosen"), _dialogue(row, "rejected"))
    said = _prompt(row).messages
    texts = [
        row.text(name) if isinstance(value, str) else _reply(row, name)
        for name, value in (("chosen", chosen), ("rejected", rejected))
    ]
    return "both answers are the same" if texts[0] == texts[1] else (said, texts[0], texts[1])


def _dialogue(row: Row, name: str) -> Turns:
    if isinstance(row.fields.get(name), list):
        return row.messages(name)
    return turns(row.text(name))


def _reply(row: Row, name: str) -> str:
    """The one assistant turn that a conversational answer is."""
    said = row.messages(name)
    if len(said) != 1 or said[0].role != "assistant" or not said[0].text.strip():
        raise row.fault(name, "one message of the assistant (the prompt holds the turns before)")
    return said[0].text


def _prompt(row: Row) -> Prompt:
    for name in ("prompt", "messages", "text"):
        value = row.fields.get(name)
        if isinstance(value, list):
            return _named(row.messages(name))
        if value is not None:
            return _named((Message(role="user", text=row.text(name)),))
    raise row.fault("prompt", "text or a list of messages (as prompt, messages or text)")


def _named(messages: Iterable[Message]) -> Prompt:
    said = tuple(messages)
    return Prompt(id=digest(said), messages=said)


def _key(question: Compare) -> Key:
    return question.first.prompt.messages, question.first.text, question.second.text


def _tails(question: Compare) -> bool:
    """A fair coin that only the pair decides, whichever of the two was chosen."""
    texts = sorted((question.first.text, question.second.text))
    heads = int(digest("order", *texts), 16) % 2
    return (question.first.text == texts[0]) == bool(heads)


def _share(prompt: Prompt) -> float:
    """A number in [0, 1) that only the prompt's words decide."""
    return int(digest("split", prompt.messages), 16) / 2**64
