"""Answers to prompts, as someone recorded them: what the audits of a policy read.

The file's schema stands in docs/recorded-answers.md. A row becomes a completion; what it says of
its prompt (``safe``: whether it is to be answered) becomes facts of that prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.errors import DataError, InputError
from solon.judges.prompts import prompt_of_row
from solon.judges.rows import Row, rows
from solon.records import Completion
from solon.run.shards import read_records

FIELDS = ("prompt", "completion", "safe", "kind", "cluster", "policy")
SAFE = {True: "yes", False: "no", "yes": "yes", "no": "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Answers to safe and to unsafe prompts, apart; those of prompts that are neither are left out.

    Example:
        Sides.of(read_answers("answers.jsonl")).safe
    """

    safe: tuple[Completion, ...]
    unsafe: tuple[Completion, ...]
    left_out: int

    @classmethod
    def of(cls, completions: Sequence[Completion]) -> Sides:
        """By the prompt's fact ``safe``; raises InputError where no prompt has one."""
        safe = tuple(one for one in completions if one.prompt.fact("safe") == "yes")
        unsafe = tuple(one for one in completions if one.prompt.fact("safe") == "no")
        if not safe and not unsafe:
            raise InputError(
                "expected answers to prompts with a fact 'safe' (yes or no: is it to be answered), "
                "got none"
            )
        return cls(safe=safe, unsafe=unsafe, left_out=len(completions) - len(safe) - len(unsafe))

    @property
    def note(self) -> str:
        """What was left out, in words."""
        return f"{self.left_out} answers left out: safe or not is unknown" if self.left_out else ""


def read_answers(path: Path | str) -> list[Completion]:
    """Answers from a file (JSON lines, a JSON list, parquet; .gz too), or a run's records/samples.

    Raises DataError, which names file, row (counted from 1) and field.
    """
    path = Path(path)
    found = _completions(path) if path.is_dir() else [_answer(row) for row in rows(path)]
    if not found:
        raise DataError(path, expected="one or more answers", came="none")
    return found


def by_policy(completions: Sequence[Completion]) -> dict[str, list[Completion]]:
    """Each policy's answers, in order: an audit measures one policy."""
    found: dict[str, list[Completion]] = {}
    for one in completions:
        found.setdefault(one.policy, []).append(one)
    return found


def newest(completions: Sequence[Completion]) -> list[Completion]:
    """The answers of the policy that answered last."""
    return [one for one in completions if one.policy == completions[-1].policy]


def clusters(completions: Sequence[Completion]) -> list[str]:
    """What each answer's prompt is drawn together with: its fact ``cluster``, else itself."""
    return [one.prompt.fact("cluster", one.prompt.id) for one in completions]


def _completions(folder: Path) -> list[Completion]:
    found = read_records(folder)
    for number, record in enumerate(found, start=1):
        if not isinstance(record, Completion):
            came = type(record).__name__
            raise DataError(folder, row=number, expected="records of completions", came=came)
    return found


def _answer(row: Row) -> Completion:
    for name in row.fields:
        if name not in FIELDS:
            raise row.fault(name, f"one of {', '.join(FIELDS)}")
    if "prompt" not in row.fields:
        raise row.fault("prompt", "text or a list of messages")
    facts = {"safe": _safe(row), **{name: _name(row, name) for name in ("kind", "cluster")}}
    known = tuple((name, value) for name, value in facts.items() if value)
    prompt = replace(prompt_of_row(row), facts=known)
    return Completion(prompt=prompt, text=_text(row), policy=_name(row, "policy"))


def _text(row: Row) -> str:
    """The answer; an empty one is kept, as an answer that says nothing is to be counted."""
    return "" if row.fields.get("completion") == "" else row.text("completion")


def _safe(row: Row) -> str:
    value = row.fields.get("safe")
    if value is None:
        return ""
    if not isinstance(value, bool | str) or value not in SAFE:
        raise row.fault("safe", "true, false or null")
    return SAFE[value]


def _name(row: Row, field: str) -> str:
    value = row.fields.get(field)
    if type(value) is int:
        return str(value)
    return "" if value is None else row.text(field)
