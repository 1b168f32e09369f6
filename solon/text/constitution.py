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
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any

from solon.errors import DataError, SettingError
from solon.records import digest
from solon.text.principle import Principle, Text, kind, principles, written

_FIELDS = ("name", "source", "principles")
_HEADER = re.compile(r"""^[ \t]*\[\[[ \t]*["']?principles["']?[ \t]*\]\]""", re.MULTILINE)


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
        return parse(read(name), file=name)

    @property
    def digest(self) -> str:
        return digest(self.principles)

    def asking(self, *texts: Text) -> Constitution:
        """The constitution of the principles that have all these texts, which may be drawn from.

        Raises SettingError where none has them.
        """
        kept = tuple(principle for principle in self.principles if principle.says(texts))
        if not any(principle.weight for principle in kept):
            raise SettingError(
                f"constitution {self.name!r}: expected a principle with {' and '.join(texts)}, "
                "got none"
            )
        return replace(self, principles=kept)

    def draw(self, seed: int) -> Principle:
        """A principle with probability proportional to its weight, the same for the same seed."""
        heights = list(accumulate(principle.weight for principle in self.principles))
        at = int(digest("principle", seed), 16) / 2**64 * heights[-1]
        index = sum(height <= at for height in heights)
        return self.principles[min(index, len(heights) - 1)]


def names() -> list[str]:
    """The packaged constitutions, sorted."""
    root = files("solon.text") / "constitutions"
    return sorted(Path(p.name).stem for p in root.iterdir() if p.name.endswith(".toml"))


def read(name: str) -> str:
    """The text of a packaged constitution by name, or of a file by its path (.toml)."""
    root = files("solon.text") / "constitutions"
    source = Path(name) if name.endswith(".toml") else root / f"{name}.toml"
    if not source.is_file():
        raise SettingError(
            f"no constitution {name!r}: expected the path of a .toml file or one of "
            f"{', '.join(names())}"
        )
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(name, expected="text in UTF-8", came=str(error)) from error


def parse(text: str, *, file: str) -> Constitution:
    """A constitution from TOML; DataError names the file, the line and the field."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(file, expected="TOML", came=str(error)) from error
    for field, value in table.items():
        place = _place(text, file, field)
        if field not in _FIELDS:
            raise DataError(
                place, field=field, expected=f"one of {', '.join(_FIELDS)}", came=repr(field)
            )
        if field != "principles" and not written(value):
            raise DataError(place, field=field, expected="text", came=repr(value))
    found = principles(_rows(text, table, file))
    if not any(principle.weight for principle in found):
        raise DataError(file, field="weight", expected="one above 0", came="only 0")
    name, source = table.get("name", Path(file).stem), table.get("source", "")
    return Constitution(name=name, principles=found, source=source)


def _rows(text: str, table: Mapping[str, Any], file: str) -> list[tuple[str, object]]:
    """The principles' tables, each with the line of its header."""
    rows = table.get("principles")
    if not isinstance(rows, list) or not rows:
        raise DataError(file, field="principles", expected="[[principles]]", came=kind(rows))
    places = [f"{file}, line {_line(text, match.end())}" for match in _HEADER.finditer(text)]
    if len(places) != len(rows):  # written in line, or a text holds what looks like a header
        places = [f"{file}, principle {number}" for number, _ in enumerate(rows, start=1)]
    return list(zip(places, rows, strict=True))


def _place(text: str, file: str, key: str) -> str:
    """The file, and the line where the key of its first table or the table of that name begins."""
    pattern = rf"""^[ \t]*\[*[ \t]*["']?{re.escape(key)}["']?[ \t]*[=.\]]"""
    found = re.search(pattern, text, re.MULTILINE)
    return f"{file}, line {_line(text, found.end())}" if found else file


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
