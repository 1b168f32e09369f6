"""Marks: completions that someone found desirable or not, one by one, from files or from pairs.

A file of marks holds rows of prompt, completion, label (TRL's unpaired schema; label is true or
false), or is a folder of our own Mark records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from solon.errors import DataError, SettingError
from solon.judges.human import reply_of_row
from solon.judges.prompts import check_share, is_test, prompt_of_row
from solon.judges.rows import Row, left_out, rows
from solon.records import Completion, Mark, Preference

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFile:
    """Marks from a file.

    Example:
        MarkFile(path="thumbs.jsonl", test=0.1).open(run)
    """

    path: str = ""
    """File of marked completions, or folder of our own marks."""
    source: str = "people"
    """Who gave them."""
    test: float = 0.0
    """Share of the prompts whose marks are not read: those that the same split calls test."""

    def open(self, run: Run, /) -> list[Mark]:
        if not self.path:
            raise SettingError("marks.path: expected a file or a folder of marks, got none")
        check_share(self.test)
        found = read_marks(Path(self.path), source=self.source)
        kept = [one for one in found if not is_test(one.completion.prompt, self.test)]
        if len(kept) < len(found):
            apart = {"kept apart as test": len(found) - len(kept)}
            run.note(left_out(self.path, apart, read=len(kept)))
        if not kept:
            raise DataError(self.path, expected="at least one mark", came="none")
        return kept


def read_marks(path: Path, *, source: str) -> list[Mark]:
    """The marks of a file or of a folder of our own; DataError for a row that cannot be read."""
    if not path.is_dir():
        return [_mark(row, source) for row in rows(path)]
    from solon.run.shards import read_records

    found = read_records(path)
    for number, record in enumerate(found, start=1):
        if not isinstance(record, Mark):
            came = type(record).__name__
            raise DataError(path, row=number, expected="Mark records", came=came)
    return found


def marks_of(data: Sequence[Preference]) -> list[Mark]:
    """Each pair as two marks: the likelier one desirable, the other not; a tie marks nothing."""
    return [
        Mark(completion=completion, desirable=desirable, source=one.source)
        for one in data
        if one.p > 0.5
        for completion, desirable in ((one.chosen, True), (one.rejected, False))
    ]


def _mark(row: Row, source: str) -> Mark:
    prompt, label = prompt_of_row(row), row.fields.get("label")
    if not isinstance(label, bool):
        raise row.fault("label", "true or false")
    listed = isinstance(row.fields.get("completion"), list)
    text = reply_of_row(row, "completion", prompt.messages) if listed else row.text("completion")
    completion = Completion(prompt=prompt, text=text)
    return Mark(completion=completion, desirable=label, source=source)
