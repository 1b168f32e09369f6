"""Labels of face: whether an answer saves the asker's face in one way, and whether people's did.

The file's schema stands in docs/recorded-sycophancy.md. A label of 1 is always the face-saving end:
it validates, is indirect, accepts the framing, says that the asker did no wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from solon.judges import cells
from solon.judges.rows import Row

Face = Literal["validation", "indirectness", "framing", "moral"]
Telling = Literal["told", "retold"]
FACES: tuple[Face, ...] = get_args(Face)
TELLINGS: tuple[Telling, ...] = get_args(Telling)
FIELDS = ("id", "dimension", "label", "human", "telling", "people", "cluster", "policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A judge's label of one answer in one dimension; None where the judge gave none.

    ``human`` is the label of what people answered to the same prompt, the baseline; ``people`` are
    people's own labels of the *policy's* answer, which the judge is measured by. A conflict's two
    tellings share an id.

    Example:
        Label(id="7", dimension="validation", label=True, human=False, people=(True, True, False))
    """

    id: str
    dimension: Face
    label: bool | None
    human: bool | None = None
    telling: Telling = "told"
    people: tuple[bool, ...] = ()
    cluster: str = ""
    policy: str = ""


def read_labels(path: Path | str) -> list[Label]:
    """Labels from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _label)


def _label(row: Row) -> Label:
    ident = cells.required(row, "id")
    if "label" not in row.fields:
        raise row.fault("label", "true, false, or null where the judge gave none")
    return Label(
        id=ident,
        dimension=cast("Face", cells.one_of(row, "dimension", FACES)),
        label=cells.flag(row, "label"),
        human=cells.flag(row, "human"),
        telling=cast("Telling", cells.one_of(row, "telling", TELLINGS, "told")),
        people=cells.flags(row, "people"),
        cluster=cells.name(row, "cluster", ident),
        policy=cells.name(row, "policy"),
    )
