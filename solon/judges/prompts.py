"""Prompts from files, split into train and test by the words of their first turn.

The split is a function of those words alone: whoever reads a prompt, from a file of prompts, of
labels or of demonstrations, puts it on the same side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from solon.errors import DataError, SettingError
from solon.judges.dialogues import Turns, turns
from solon.judges.rows import Row, rows
from solon.records import Message, Prompt, digest

if TYPE_CHECKING:
    from solon.run.run import Run


FACTS = ("dataset", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """Prompts from a file; the share ``test`` of them, whole dialogues, belongs to test.

    Example:
        PromptFile(path="prompts.jsonl", test=0.1).open(run).take(8, split="test")
    """

    path: str = ""
    """File of prompts, dialogues or labelled pairs (.jsonl, .parquet, .txt, also with .gz)."""
    test: float = 0.1
    """Share of the prompts kept for the test."""

    def open(self, run: Run, /) -> PromptList:
        del run
        if not self.path:
            raise SettingError("prompts.path: expected a file of prompts, got none")
        check_share(self.test)
        halves: dict[str, list[Prompt]] = {"train": [], "test": []}
        for prompt in read_prompts(Path(self.path)):
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


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a file, each text once: ``prompt``, ``messages``, ``text`` or ``instruction``.

    Of a row with ``chosen`` alone, the dialogue before its last answer. A .txt file holds one
    prompt a line. What a row says as ``dataset`` and ``reference`` becomes facts of its prompt.
    Raises DataError, naming file, row and field.
    """
    found = {prompt.id: prompt for prompt in (prompt_of_row(row) for row in rows(path))}
    if not found:
        raise DataError(path, expected="at least one prompt", came="an empty file")
    return list(found.values())


def prompt_of_row(row: Row) -> Prompt:
    """The prompt that a row holds; DataError where it holds none."""
    return replace(_prompt(row), facts=tuple(_facts(row)))


def _facts(row: Row) -> Iterator[tuple[str, str]]:
    for name in FACTS:
        value = row.fields.get(name)
        if isinstance(value, str) and value:
            yield name, value


def _prompt(row: Row) -> Prompt:
    for name in ("prompt", "messages", "text", "instruction"):
        value = row.fields.get(name)
        if isinstance(value, list):
            return named(row.messages(name))
        if value is not None:
            return named((Message(role="user", text=row.text(name)),))
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
