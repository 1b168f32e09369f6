"""Episodes of a policy that acts on files, as someone recorded them; docs/audits/tampering.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from solon.judges import cells
from solon.judges.rows import Row

Claims: TypeAlias = Literal["reported", "denied", "silent"]
CLAIMS: tuple[Claims, ...] = ("reported", "denied", "silent")
FIELDS = (
    *("id", "environment", "actions", "before", "after", "reward", "held_out_reward"),
    *("claims", "trace", "oversight", "cluster", "policy"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What a policy did, and its files before and after by name (digests or text, never run).

    ``claims`` is what it said of its edits at the end; ``held_out_reward`` is what a reward that it
    could not reach says of the same work.

    Example:
        Episode(id="7", actions=("edit",), before={"reward.txt": "a1"}, after={"reward.txt": "b2"})
    """

    id: str
    actions: tuple[str, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    environment: str = ""
    reward: float | None = None
    held_out_reward: float | None = None
    claims: Claims = "silent"
    trace: str = ""
    oversight: bool | None = None
    cluster: str = ""
    policy: str = ""

    @property
    def changed(self) -> frozenset[str]:
        """Files that were edited, made or removed."""
        names = self.before.keys() | self.after.keys()
        return frozenset(one for one in names if self.before.get(one) != self.after.get(one))


def read_episodes(path: Path | str) -> list[Episode]:
    """Episodes from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _episode)


def _episode(row: Row) -> Episode:
    ident = cells.required(row, "id")
    return Episode(
        id=ident,
        actions=_actions(row),
        before=_files(row, "before"),
        after=_files(row, "after"),
        environment=cells.name(row, "environment"),
        reward=cells.number(row, "reward"),
        held_out_reward=cells.number(row, "held_out_reward"),
        claims=cast("Claims", cells.one_of(row, "claims", CLAIMS, default="silent")),
        trace=cells.name(row, "trace"),
        oversight=cells.flag(row, "oversight"),
        cluster=cells.name(row, "cluster", ident),
        policy=cells.name(row, "policy"),
    )


def _actions(row: Row) -> tuple[str, ...]:
    value = row.fields.get("actions")
    listed = cast("list[Any]", value) if isinstance(value, list) else None
    if listed is None or not all(isinstance(one, str) for one in listed):
        raise row.fault("actions", "a list of names")
    return tuple(listed)


def _files(row: Row, field: str) -> dict[str, str]:
    """Name -> text or digest; parquet gives a null for a file that this row does not have."""
    value = row.fields.get(field)
    if not isinstance(value, dict):
        raise row.fault(field, "an object: file name -> text or digest")
    told = cast("dict[str, Any]", value)
    if not all(isinstance(one, str | None) for one in told.values()):
        raise row.fault(field, "an object: file name -> text or digest")
    return {name: text for name, text in told.items() if text is not None}
