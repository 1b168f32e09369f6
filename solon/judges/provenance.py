"""What a policy learnt from, what it is tested on, and whose models took part: from rows or a run.

The file's schema stands in docs/audits/leakage.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import orjson

from solon.errors import DataError
from solon.judges import cells
from solon.judges.rows import Row
from solon.records import Completion, Judgement, Preference, Prompt
from solon.run.shards import read_records

Part = Literal["train", "test"]
Role = Literal["policy", "generator", "labeler", "evaluator"]
PARTS: tuple[Part, ...] = get_args(Part)
ROLES: tuple[Role, ...] = get_args(Role)
FIELDS = ("part", "text", "cluster", "role", "model")
TESTED = "samples"  # the record set of a run whose prompts nothing learns from


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A prompt that is trained or tested on, or a model in its role.

    Example:
        Source(part="train", text="How do I boil an egg?")
        Source(role="labeler", model="gpt-4o-2024-08-06")
    """

    part: str = ""
    text: str = ""
    cluster: str = ""
    role: str = ""
    model: str = ""


def read_sources(path: Path | str) -> list[Source]:
    """Sources from a file (JSON lines, a JSON list, CSV, parquet; .gz too) or a run's folder.

    Raises DataError, which names file, row (counted from 1) and field.
    """
    path = Path(path)
    return _of_run(path) if path.is_dir() else cells.read(path, FIELDS, _source)


def _source(row: Row) -> Source:
    if row.fields.get("role") is not None:
        return Source(role=cells.one_of(row, "role", ROLES), model=cells.required(row, "model"))
    return Source(
        part=cells.one_of(row, "part", PARTS),
        text=row.text("text"),
        cluster=cells.name(row, "cluster"),
    )


def _of_run(folder: Path) -> list[Source]:
    """The prompts of a run's records, and the models that its manifest names."""
    sets = sorted(one for one in (folder / "records").glob("*") if one.is_dir())
    if not sets:
        raise DataError(folder, expected="a run's folder with records", came="no records in it")
    found = dict.fromkeys(
        Source(part="test" if one.name == TESTED else "train", text=prompt.text)
        for one in sets
        for record in read_records(one)
        for prompt in _prompts(record)
    )
    return [*found, *_models(folder / "manifest.json")]


def _prompts(record: Any) -> Iterator[Prompt]:
    match record:
        case Completion():
            yield record.prompt
        case Preference():
            yield record.chosen.prompt
        case Judgement():
            asked = record.question
            whose = getattr(asked, "first", None) or getattr(asked, "completion", None)
            if isinstance(whose, Completion):
                yield whose.prompt
        case _:
            return


def _models(manifest: Path) -> list[Source]:
    """The models of the recipe's policy and of those who label for it, where a spec names one."""
    if not manifest.is_file():
        return []
    settings = orjson.loads(manifest.read_bytes()).get("settings", {})
    roles = {"policy": "policy", "judge": "labeler", "scorer": "labeler", "rater": "labeler"}
    return [
        Source(role=role, model=model)
        for field, role in roles.items()
        for model in dict.fromkeys(_named(settings.get(field)))
    ]


def _named(spec: Any) -> Iterator[str]:
    """Every value of a field ``model``, however deep: a jury names several."""
    if isinstance(spec, Mapping):
        for key, value in cast("Mapping[str, Any]", spec).items():
            if key == "model" and isinstance(value, str) and value:
                yield value
            else:
                yield from _named(value)
    elif isinstance(spec, Sequence) and not isinstance(spec, str):
        for value in cast("Sequence[Any]", spec):
            yield from _named(value)
