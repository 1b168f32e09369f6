"""Records as the data sets that other trainers load: JSON lines and parquet, TRL's schemas.

    preferences    prompt, chosen, rejected; beside them p and source
    marks          prompt, completion, label; beside them source

A chat prompt is a list of messages ({"role", "content"}) and its answers are lists of one; where
every prompt is raw text, all are plain strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from solon.records import Completion, Mark, Preference, Prompt
from solon.run.ranks import at_work

Cells = dict[str, Any]


def export_preferences(folder: Path, data: Sequence[Preference]) -> None:
    """Writes preferences.jsonl and preferences.parquet; the soft label stands in ``p``."""
    raw = all(_is_raw(one.chosen.prompt) for one in data)
    write_rows(
        folder / "preferences",
        [
            {
                "prompt": _prompt(one.chosen.prompt, raw=raw),
                "chosen": _answer(one.chosen, raw=raw),
                "rejected": _answer(one.rejected, raw=raw),
                "p": one.p,
                "source": one.source,
            }
            for one in data
        ],
    )


def export_marks(folder: Path, data: Sequence[Mark]) -> None:
    """Writes marks.jsonl and marks.parquet, TRL's unpaired schema."""
    raw = all(_is_raw(one.completion.prompt) for one in data)
    write_rows(
        folder / "marks",
        [
            {
                "prompt": _prompt(one.completion.prompt, raw=raw),
                "completion": _answer(one.completion, raw=raw),
                "label": one.desirable,
                "source": one.source,
            }
            for one in data
        ],
    )


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes path.jsonl and path.parquet; a reader of either sees all of it or nothing.

    Of several processes, which must all call, the first one writes.
    """
    at_work().agreed(lambda: _write(path, rows))


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    partial.replace(path.with_suffix(".jsonl"))
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), partial)
    partial.replace(path.with_suffix(".parquet"))


def _is_raw(prompt: Prompt) -> bool:
    return all(message.role == "text" for message in prompt.messages)


def _prompt(prompt: Prompt, *, raw: bool) -> str | list[Cells]:
    if raw:
        return prompt.text
    roles = ((("user" if m.role == "text" else m.role), m.text) for m in prompt.messages)
    return [{"role": role, "content": text} for role, text in roles]


def _answer(one: Completion, *, raw: bool) -> str | list[Cells]:
    return one.text if raw else [{"role": "assistant", "content": one.text}]
