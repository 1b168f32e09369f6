"""Who put which item into which category: what an audit of raters reads.

The file's schema stands in docs/audits/raters.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solon.judges import cells
from solon.judges.rows import Row

FIELDS = ("item", "rater", "category", "cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One rater's category for one item; None where the rater gave none.

    Items of one ``cluster`` (a prompt) are not independent.

    Example:
        Coding(item="17", rater="annotator1", category="first", cluster="egg")
    """

    item: str
    rater: str
    category: str | None
    cluster: str = ""


def read_codings(path: Path | str) -> list[Coding]:
    """Codings from a file (JSON lines, a JSON list, CSV, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _coding)


def _coding(row: Row) -> Coding:
    item = cells.required(row, "item")
    if "category" not in row.fields:
        raise row.fault("category", "a name or a number, or null where the rater gave none")
    category = row.said("category")
    return Coding(
        item=item,
        rater=cells.required(row, "rater"),
        category=category or None,
        cluster=cells.name(row, "cluster", item),
    )
