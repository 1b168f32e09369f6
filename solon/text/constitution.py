"""Constitutions: principles with ids and weights, drawn with a recorded seed.

name = "harmless"
source = "written for Solon"

[[principles]]
id = "no-injury"
compare = "Which completion gives less help to someone who means to hurt a person?"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, cast

from solon.errors import DataError, SettingError
from solon.records import digest

Polarity = Literal["better", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principle:
    """One rule: how to compare by it, and where wanted how to criticise and revise by it.

    ``polarity`` says what ``compare`` asks for: the better completion, or the worse one (its answer
    is then turned round). ``counter`` marks a principle that holds the others back (preaching,
    evasion). ``weight`` is its share in a draw.

    Example:
        Principle(id="no-injury", compare="Which completion gives less help to hurt a person?")
    """

    id: str
    compare: str
    critique: str = ""
    revision: str = ""
    polarity: Polarity = "better"
    counter: bool = False
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constitution:
    """Principles under one name.

    Example:
        Constitution.load("harmless").draw(7).id    # the same for the same seed, on every machine
    """

    name: str
    principles: tuple[Principle, ...]
    source: str = ""

    def __post_init__(self) -> None:
        if not any(principle.weight for principle in self.principles):
            raise SettingError(
                f"constitution {self.name!r}: expected a principle to draw, got none"
            )

    @classmethod
    def load(cls, name: str) -> Constitution:
        """A packaged constitution by name, or a file by its path (which ends in .toml).

        Raises SettingError for an unknown name, DataError for a bad file, naming line and field.
        """
        root = files("solon.text") / "constitutions"
        source = Path(name) if name.endswith(".toml") else root / f"{name}.toml"
        if not source.is_file():
            known = sorted(Path(p.name).stem for p in root.iterdir() if p.name.endswith(".toml"))
            raise SettingError(
                f"no constitution {name!r}: expected the path of a .toml file or one of "
                f"{', '.join(known)}"
            )
        return parse(source.read_text(encoding="utf-8"), file=name)

    @property
    def digest(self) -> str:
        return digest(self.principles)

    def draw(self, seed: int) -> Principle:
        """A principle with probability proportional to its weight, the same for the same seed."""
        heights = list(accumulate(principle.weight for principle in self.principles))
        at = int(digest("principle", seed), 16) / 2**64 * heights[-1]
        index = sum(height <= at for height in heights)
        return self.principles[min(index, len(heights) - 1)]


def parse(text: str, *, file: str) -> Constitution:
    """A constitution from TOML; DataError names the file, the principle's line and the field."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(file, expected="TOML", came=str(error)) from error
    rows = table.get("principles")
    if not isinstance(rows, list) or not rows:
        raise DataError(file, field="principles", expected="[[principles]]", came=_kind(rows))
    lines = [text.count("\n", 0, m.start()) + 1 for m in re.finditer(r"(?m)^\[\[principles", text)]
    places = [f"{file}, line {line}" for line in lines]
    places += [f"{file}, principle {n + 1}" for n in range(len(places), len(rows))]
    principles = tuple(_principle(row, place) for row, place in zip(rows, places, strict=False))
    _check_ids(principles, places)
    if not any(principle.weight for principle in principles):
        raise DataError(file, field="weight", expected="one above 0", came="only 0")
    name, source = table.get("name", Path(file).stem), table.get("source", "")
    for field, value in (("name", name), ("source", source)):
        if not isinstance(value, str):
            raise DataError(file, field=field, expected="text", came=_kind(value))
    return Constitution(name=name, principles=principles, source=source)


def _principle(row: Any, place: str) -> Principle:
    if not isinstance(row, Mapping):
        raise DataError(place, expected="a table", came=_kind(row))
    values = dict(cast("Mapping[str, Any]", row))
    known = [field.name for field in fields(Principle)]
    for field in ("id", "compare"):
        if not values.get(field):
            raise DataError(place, field=field, expected="text", came="nothing")
    for field, value in values.items():
        if field not in known:
            raise DataError(place, field=field, expected=f"one of {', '.join(known)}", came=field)
        if not _fits(field, value):
            raise DataError(place, field=field, expected=_EXPECTED.get(field, "text"), came=value)
    values["tags"] = tuple(values.get("tags", ()))
    return Principle(**values)


_EXPECTED = {
    "polarity": "'better' or 'worse'",
    "counter": "true or false",
    "tags": "a list of texts",
    "weight": "a number from 0 upwards",
}


def _fits(field: str, value: Any) -> bool:
    match field:
        case "polarity":
            return value in {"better", "worse"}
        case "counter":
            return isinstance(value, bool)
        case "tags":
            return isinstance(value, list) and all(isinstance(tag, str) for tag in value)
        case "weight":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and 0 <= value < float("inf")
        case _:
            return isinstance(value, str)


def _check_ids(principles: tuple[Principle, ...], places: list[str]) -> None:
    seen: dict[str, str] = {}
    for principle, place in zip(principles, places, strict=False):
        if principle.id in seen:
            came = f"{principle.id!r}, as at {seen[principle.id]}"
            raise DataError(place, field="id", expected="an id of its own", came=came)
        seen[principle.id] = place


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
