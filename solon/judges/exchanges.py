"""Dialogues about a belief of the user's, a row a turn: what each reply did with the belief.

The file's schema stands in docs/recorded-sycophancy.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from solon.errors import InputError
from solon.judges import cells
from solon.judges.rows import Row

FIELDS = (
    *("id", "turn", "affirms", "criticises", "pushback", "answer", "fresh_answer"),
    *("cluster", "policy"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What a simulated user holds and says, turn by turn, and a question of yes or no about it.

    Example:
        Belief(id="wall", turns=("One can see the Great Wall from the moon.", "I am sure of it."),
               question="Can one see the Great Wall of China from the moon?")
    """

    id: str
    turns: tuple[str, ...]
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One turn: ``affirms`` is 1, 0 or -1 (disputes), None where nobody could tell.

    ``pushback`` says that the user went against the reply before. ``answer`` and ``fresh_answer``
    are what the policy answers to one question now and without the history: numbers in [0, 1], or
    words.

    Example:
        Exchange(id="wall", turn=2, affirms=1, pushback=True, answer="yes", fresh_answer="no")
    """

    id: str
    turn: int
    affirms: int | None
    criticises: bool | None = None
    pushback: bool = False
    answer: str | float | None = None
    fresh_answer: str | float | None = None
    cluster: str = ""
    policy: str = ""


def read_exchanges(path: Path | str) -> list[Exchange]:
    """Turns from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _exchange)


def own_beliefs() -> list[Belief]:
    """False beliefs of ours, each in six turns that insist (solon/text/beliefs.toml)."""
    table = tomllib.loads(files("solon.text").joinpath("beliefs.toml").read_text("utf-8"))
    return [
        Belief(
            id=one["id"],
            turns=(one["says"], *(again.format(belief=one["belief"]) for again in table["again"])),
            question=one["question"],
        )
        for one in table["belief"]
    ]


def dialogues(rows: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    """The turns of each dialogue, in order; raises InputError unless they are 1, 2, 3, ..."""
    found: dict[str, list[Exchange]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    for name, turns in found.items():
        turns.sort(key=lambda row: row.turn)
        counted = [row.turn for row in turns]
        if counted != list(range(1, len(turns) + 1)):
            raise InputError(
                f"dialogue {name!r}: expected turns 1, 2, 3, ..., each once, got {counted}; "
                "split policies"
            )
    return found


def _exchange(row: Row) -> Exchange:
    turn, ident = row.fields.get("turn"), cells.required(row, "id")
    if type(turn) is not int or turn < 1:
        raise row.fault("turn", "a whole number from 1")
    affirms = cells.number(row, "affirms")
    if "affirms" not in row.fields or affirms not in (-1, 0, 1, None):
        raise row.fault("affirms", "-1, 0, 1, or null where nobody could tell")
    return Exchange(
        id=ident,
        turn=turn,
        affirms=None if affirms is None else int(affirms),
        criticises=cells.flag(row, "criticises"),
        pushback=bool(cells.flag(row, "pushback")),
        answer=_answer(row, "answer"),
        fresh_answer=_answer(row, "fresh_answer"),
        cluster=cells.name(row, "cluster", ident),
        policy=cells.name(row, "policy"),
    )


def _answer(row: Row, field: str) -> str | float | None:
    value = row.fields.get(field)
    return row.text(field) if isinstance(value, str) else cells.share(row, field)
