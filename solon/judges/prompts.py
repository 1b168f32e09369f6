"""Prompts from files, split into train and test by the words of their first turn.

The split is a function of those words alone: whoever reads a prompt, from a file of prompts, of
labels or of demonstrations, puts it on the same side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from solon.errors import DataError, SettingError
from solon.judges.dialogues import Turns, turns
from solon.judges.rows import Row, rows
from solon.records import Message, Prompt, digest

if TYPE_CHECKING:
    from solon.run.run import Run


COLUMNS = ("prompt", "messages", "text", "instruction")
FACTS = ("dataset", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """Prompts from a file; the share ``test`` of them, whole dialogues, belongs to test.

    Example:
        PromptFile(path="prompts.jsonl", test=0.1).open(run).take(8, split="test")
    """

    path: str = ""
    """File of prompts, dialogues or labelled pairs (.jsonl, .csv, .parquet, .txt; .gz too)."""
    test: float = 0.1
    """Share of the prompts kept for the test; 1 keeps them all."""
    column: str = ""
    """Field that holds the prompt; empty finds it by its usual names."""
    facts: tuple[str, ...] = ()
    """Fields that become facts of the prompt, with commas between them."""
    safe: str = ""
    """Prompts to be answered (fact ``safe``): all, none, or FIELD=VALUE; empty says nothing."""

    def open(self, run: Run, /) -> PromptList:
        del run
        if not self.path:
            raise SettingError(
                "path: expected a file (prompts.path, red_team.path or tests.path), got none"
            )
        if self.test != 1:  # a file of test prompts alone
            check_share(self.test)
        halves: dict[str, list[Prompt]] = {"train": [], "test": []}
        reading = Reading(column=self.column, facts=self.facts, safe=self.safe)
        for prompt in read_prompts(Path(self.path), reading):
            halves["test" if is_test(prompt, self.test) else "train"].append(prompt)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a row is read as a prompt: which field holds it, and which say something of it.

    Example:
        Reading(column="Behavior", safe="none")      # HarmBench: nothing there is to be answered
    """

    column: str = ""
    facts: Sequence[str] = ()
    safe: str = ""

    def __post_init__(self) -> None:
        field, equals, value = self.safe.partition("=")
        if self.safe not in {"", "all", "none"} and not (field and equals and value):
            raise SettingError(f"safe: expected all, none or FIELD=VALUE, got {self.safe!r}")

    def __call__(self, row: Row) -> Prompt:
        """The prompt that the row holds; DataError where it holds none, or lacks a fact."""
        usual = {name: row.fields.get(name) for name in FACTS}
        facts = {
            name: row.whole(name, said)
            for name, said in usual.items()
            if isinstance(said, str) and said
        }
        facts |= {name: said for name in self.facts if (said := row.said(name))}
        facts |= {"safe": "yes" if self._safe(row) else "no"} if self.safe else {}
        return replace(_prompt(row, self.column), facts=tuple(facts.items()))

    def _safe(self, row: Row) -> bool:
        field, equals, value = self.safe.partition("=")
        return row.said(field) == value if equals else self.safe == "all"


def read_prompts(path: Path, reading: Reading = Reading()) -> list[Prompt]:
    """The prompts of a file, each text once: ``prompt``, ``messages``, ``text`` or ``instruction``.

    Of a row with ``chosen`` alone, the dialogue before its last answer. A .txt file holds one
    prompt a line. What a row says as ``dataset`` and ``reference`` becomes facts of its prompt.
    Raises DataError, naming file, row and field.
    """
    found: dict[str, Prompt] = {}
    for row in rows(path):
        prompt = reading(row)
        if found.get(prompt.id, prompt).fact("safe") != prompt.fact("safe"):
            raise row.fault(reading.safe.partition("=")[0], "what the same prompt had before")
        found[prompt.id] = prompt
    if not found:
        raise DataError(path, expected="at least one prompt", came="an empty file")
    field, _, value = reading.safe.partition("=")
    if value and not any(prompt.fact("safe") == "yes" for prompt in found.values()):
        # a value misspelt would call every prompt unsafe
        raise DataError(path, field=field, expected=f"{value!r} in some row", came="it in none")
    return list(found.values())


def prompt_of_row(row: Row) -> Prompt:
    """The prompt that a row holds; DataError where it holds none."""
    return Reading()(row)


def _prompt(row: Row, column: str) -> Prompt:
    for name in (column,) if column else COLUMNS:
        value = row.fields.get(name)
        if isinstance(value, list):
            return named(row.messages(name))
        if value is not None:
            return named((Message(role="user", text=row.text(name)),))
    if column:
        raise row.fault(column, "text or a list of messages")
    if "chosen" in row.fields:
        *before, last = dialogue(row, "chosen") or (Message(role="user", text=""),)
        if before and last.role == "assistant":
            return named(before)
        raise row.fault("chosen", "a dialogue that ends with the assistant, or a prompt beside it")
    raise row.fault("prompt", "text or a list of messages (as prompt, messages or text)")


def dialogue(row: Row, name: str) -> Turns:
    """The turns of a field: a list of messages, or hh-rlhf's transcript; empty for other text."""
    if isinstance(row.fields.get(name), list):
        return row.messages(name)
    return turns(row.text(name))


def named(messages: Iterable[Message]) -> Prompt:
    """A prompt whose id its words decide."""
    said = tuple(messages)
    return Prompt(id=digest(said), messages=said)


def opening(prompt: Prompt) -> str:
    """The user's first turn: dialogues that begin alike are one dialogue to a split."""
    spoken = [message.text for message in prompt.messages if message.role == "user"]
    return spoken[0] if spoken else prompt.text


def check_share(share: float) -> None:
    """Raises SettingError unless 0 <= share < 1."""
    if not 0 <= share < 1:
        raise SettingError(f"test: expected a share from 0 up to below 1, got {share}")


def is_test(prompt: Prompt, share: float) -> bool:
    """Whether the prompt belongs to the test split of that share."""
    return int(digest("split", opening(prompt)), 16) / 2**64 < share
