"""Principles: one rule each, and how they are read from the tables of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from solon.errors import DataError

Polarity = Literal["do", "avoid"]
Text = Literal["compare", "critique", "revision"]
Value = str | bool | float | tuple[str, ...]
COMPARING: tuple[Text, ...] = ("compare",)
REVISING: tuple[Text, ...] = ("critique", "revision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principle:
    """One rule: how to compare by it, how to criticise and revise by it, or both.

    ``polarity`` says what ``compare`` asks for: the better completion (do), or the one that has
    more of what the principle forbids (avoid; the answer is then turned round). ``counter`` marks
    a principle that holds the others back (preaching, evasion). ``weight`` is its share in a draw.

    Example:
        Principle(id="no-injury", compare="Which completion gives less help to hurt a person?")
    """

    id: str
    compare: str = ""
    critique: str = ""
    revision: str = ""
    polarity: Polarity = "do"
    counter: bool = False
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    source: str = ""

    def says(self, texts: Iterable[Text]) -> bool:
        """Whether it has all these texts."""
        return all(getattr(self, text) for text in texts)


def principles(rows: Iterable[tuple[str, object]]) -> tuple[Principle, ...]:
    """The principles of (place, table), each with an id of its own.

    Raises DataError with the place and the field.
    """
    seen: dict[str, str] = {}
    found: list[Principle] = []
    for place, row in rows:
        principle = _principle(row, place)
        if principle.id in seen:
            came = f"{principle.id!r}, as at {seen[principle.id]}"
            raise DataError(place, field="id", expected="an id of its own", came=came)
        seen[principle.id] = place
        found.append(principle)
    return tuple(found)


def kind(value: object) -> str:
    """What came, in a word."""
    return "nothing" if value is None else type(value).__name__


def _principle(row: object, place: str) -> Principle:
    if not isinstance(row, Mapping):
        raise DataError(place, expected="a table", came=kind(row))
    values = dict(cast("Mapping[str, Any]", row))
    known = [field.name for field in fields(Principle)]
    for field, value in values.items():
        if field not in known:
            raise DataError(
                place, field=field, expected=f"one of {', '.join(known)}", came=repr(field)
            )
        if not _fits(field, value):
            expected = _EXPECTED.get(field, "text")
            raise DataError(place, field=field, expected=expected, came=repr(value))
    if "id" not in values:
        raise DataError(place, field="id", expected="text", came="nothing")
    if "compare" not in values and not values.keys() >= set(REVISING):
        expected = "text, as there must be compare, or both critique and revision"
        raise DataError(place, field=_missed(values), expected=expected, came="nothing")
    values["tags"] = tuple(values.get("tags", ()))
    values["weight"] = float(values.get("weight", 1.0))
    return Principle(**values)


def _missed(values: Mapping[str, object]) -> Text:
    """The text without which the principle asks nothing: the other half where one is there."""
    lacking: list[Text] = [text for text in REVISING if text not in values]
    return lacking[0] if len(lacking) == 1 else "compare"


_EXPECTED = {
    "id": "text without spaces",
    "polarity": "'do' or 'avoid'",
    "counter": "true or false",
    "tags": "a list of texts",
    "weight": "a number from 0 upwards",
}


def _fits(field: str, value: object) -> bool:
    match field:
        case "id":
            return isinstance(value, str) and value.isprintable() and value.split() == [value]
        case "polarity":
            return value in ("do", "avoid")  # a list has no hash
        case "counter":
            return isinstance(value, bool)
        case "tags":
            return isinstance(value, list) and all(map(written, cast("list[object]", value)))
        case "weight":
            number = value if isinstance(value, int | float) else -1
            return not isinstance(value, bool) and 0 <= number <= sys.float_info.max
        case _:
            return written(value)


def written(value: object) -> bool:
    """Whether it is text, and not blank."""
    return isinstance(value, str) and bool(value.strip())
