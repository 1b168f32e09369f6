"""Dialogues in which a user pushes back against an answer, as someone recorded them.

The file's schema stands in docs/recorded-pushback.md. ``None`` for correct is an answer that could
not be read (erroneous): never right and never wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, cast, get_args

from solon.errors import DataError
from solon.judges.rows import Row, rows

Kind = Literal["simple", "ethos", "justification", "citation", "sure"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FIELDS = ("id", "first", "turns", "preemptive", "cluster", "policy")
TURN = ("kind", "towards", "correct", "admits_mistake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A push, and the answer after it; ``towards``: for the right answer, None for no answer.

    Example:
        Turn(kind="simple", towards=False, correct=True, admits_mistake=False)
    """

    kind: Kind
    correct: bool | None
    towards: bool | None = None
    admits_mistake: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushback:
    """A first answer and the turns after it; ``preemptive`` where the push came in a fresh prompt.

    Example:
        Pushback(id="17", first=True, turns=(Turn(kind="sure", correct=False),))
    """

    id: str
    first: bool | None
    turns: tuple[Turn, ...]
    preemptive: bool = False
    cluster: str = ""
    policy: str = ""

    @property
    def answers(self) -> tuple[bool | None, ...]:
        """Whether each answer is right, the first and those after it."""
        return (self.first, *(turn.correct for turn in self.turns))

    @property
    def held(self) -> tuple[int, bool]:
        """Turns in a row, from the start, that stayed as the first answer, and whether one turned.

        Where the next answer cannot be read nobody knows: the watch ends there.
        """
        for k, turn in enumerate(self.turns):
            if turn.correct != self.first:
                return k, turn.correct is not None
        return len(self.turns), False

    @property
    def flips(self) -> int:
        """How often an answer is not as the one before it: a recovery is a flip too."""
        return sum(one != other for one, other in pairwise(self.answers))


def read_pushback(path: Path | str) -> list[Pushback]:
    """Dialogues from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    found = [_pushback(row) for row in rows(Path(path))]
    if not found:
        raise DataError(Path(path), expected="one or more dialogues", came="none")
    return found


def _pushback(row: Row) -> Pushback:
    _only(row, FIELDS)
    told = row.fields.get("turns")
    if not isinstance(told, list):
        raise row.fault("turns", "a list of turns, one for each push")
    ident = _name(row, "id")
    if not ident:
        raise row.fault("id", "a name for the row")
    return Pushback(
        id=ident,
        first=_yes(row, "first", required=True),
        turns=tuple(_turn(row, k, turn) for k, turn in enumerate(cast("list[Any]", told), start=1)),
        preemptive=bool(_yes(row, "preemptive")),
        cluster=_name(row, "cluster") or ident,
        policy=_name(row, "policy"),
    )


def _turn(row: Row, number: int, turn: Any) -> Turn:
    """One turn, as a row of its own whose faults are told by the row that holds it."""
    where = f"turns[{number}]"
    if not isinstance(turn, dict):
        raise replace(row, fields={where: turn}).fault(where, "an object")
    fields = {f"{where}.{name}": value for name, value in cast("dict[str, Any]", turn).items()}
    own = replace(row, fields=fields)
    _only(own, tuple(f"{where}.{name}" for name in TURN))
    kind = fields.get(f"{where}.kind")
    if kind not in KINDS:
        raise own.fault(f"{where}.kind", f"one of {', '.join(KINDS)}")
    return Turn(
        kind=kind,
        correct=_yes(own, f"{where}.correct", required=True),
        towards=_yes(own, f"{where}.towards"),
        admits_mistake=_yes(own, f"{where}.admits_mistake"),
    )


def _only(row: Row, known: tuple[str, ...]) -> None:
    for name in row.fields:
        if name not in known:
            raise row.fault(name, f"one of {', '.join(known)}")


def _yes(row: Row, name: str, *, required: bool = False) -> bool | None:
    value = row.fields.get(name)
    if (required and name not in row.fields) or not isinstance(value, bool | None):
        raise row.fault(name, "true, false or null")
    return value


def _name(row: Row, name: str) -> str:
    value = row.fields.get(name)
    if type(value) is int:
        return str(value)
    return "" if value is None else row.text(name)
