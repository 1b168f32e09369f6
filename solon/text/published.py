"""Constitutions in the layouts in which others publish them, as one of ours.

{"name": {"prompt": ["CritiqueRequest: ... Critique:"], "edit_request": "..."}}      revision
["Which of these is kinder? Options:"]                                               comparison
[{"id": "...", "source_set": "...", "principle": "...", "note": "..."}]              comparison

The first two are those of Constitutional AI (Bai et al., arXiv 2212.08073). What is format and not
principle is taken off: labels of turns, lists of options, the answer's first words. Nothing is
guessed: no principle is a counter unless its entry says ``"counter": true``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from solon.errors import DataError, SettingError
from solon.text.constitution import Constitution
from solon.text.principle import kind, principles, written
from solon.text.toml import toml

Row = dict[str, object]
LAYOUTS = (
    "a JSON object of critique and revision requests, or a list of comparisons (texts, or objects "
    "with id and principle)"
)
_LABEL = re.compile(r"\A\W*(?:critique|revision)\s?request\s*:", re.IGNORECASE)
_CUE = re.compile(r"\n\s*(?:critique|revision)\s*:\s*\Z", re.IGNORECASE)
_OPTIONS = re.compile(r"(?:\A|\s)Options:\s*(?:[(\[{\n].*)?\Z", re.DOTALL)
_ANSWERS = re.compile(
    r"\n\s*(?:\(?[AB12]\)|\[{1,3}|\{|(?:the (?:best )?)?answer(?: is)?\s*:).*\Z",
    re.DOTALL | re.IGNORECASE,
)


def convert(files: Sequence[Path], out: Path) -> Constitution:
    """Writes the files' constitution as TOML; a file that is there is not written over."""
    if out.suffix != ".toml":
        raise SettingError(f"--out: expected the path of a .toml file, got {str(out)!r}")
    law = gather(files, name=out.stem)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(toml(law))
    except OSError as error:
        raise SettingError(f"--out: expected a new file, got {out}: {error.strerror}") from error
    return law


def gather(files: Sequence[Path], *, name: str) -> Constitution:
    """All the files' principles, in their order; DataError names the file, the entry and the field.

    Texts that stand in several files stay: a principle that is there twice is drawn twice as often.
    """
    source = f"converted from {', '.join(file.name for file in files)}"
    found = principles(row for file in files for row in _rows(file))
    return Constitution(name=name, principles=found, source=source)


def bare(text: object) -> object:
    """A request without what is format; what is no text is left for its field to refuse."""
    if not isinstance(text, str):
        return text
    for pattern in (_LABEL, _CUE, _OPTIONS, _ANSWERS):
        text = pattern.sub("", text)
    return text.strip()


def _rows(file: Path) -> Iterator[tuple[str, Row]]:
    """(place, table) of each entry."""
    match _json(file):
        case {**entries} if entries:
            for name, entry in entries.items():
                place = f"{file}, entry {name!r}"
                yield place, _revising(str(name), entry, place)
        case [*entries] if entries:
            for number, entry in enumerate(entries, start=1):
                place = f"{file}, entry {number}"
                yield place, _comparing(f"{_id(file.stem)}-{number}", entry, place)
        case other:
            raise DataError(file, expected=LAYOUTS, came=kind(other) if other else "nothing in it")


def _revising(name: str, entry: object, place: str) -> Row:
    given = _fields(entry, place, ("prompt", "edit_request"))
    prompt = given.pop("prompt")
    if isinstance(prompt, list) and len(cast("list[object]", prompt)) == 1:
        [prompt] = cast("list[object]", prompt)
    if not written(prompt):
        raise DataError(place, field="prompt", expected="a list of one text", came=repr(prompt))
    revision = bare(given.pop("edit_request"))
    return {"id": _id(name), "critique": bare(prompt), "revision": revision, **given}


def _comparing(name: str, entry: object, place: str) -> Row:
    if isinstance(entry, str):
        return {"id": name, "compare": bare(entry)}
    given = _fields(entry, place, ("principle",), ("id", "source_set", "note"))
    kept: Row = {"id": given.pop("id", name), "compare": bare(given.pop("principle"))}
    tag, note = given.pop("source_set", None), given.pop("note", None)
    kept |= {"tags": [tag]} if tag is not None else {}
    source = note if note is not None else tag
    kept |= {"source": source} if source is not None else {}
    return kept | given


def _fields(
    entry: object, place: str, needed: tuple[str, ...], others: tuple[str, ...] = ()
) -> Row:
    if not isinstance(entry, Mapping):
        raise DataError(place, expected=LAYOUTS, came=kind(entry))
    given = dict(cast("Mapping[str, object]", entry))
    known = (*needed, *others, "counter")
    for field in given:
        if field not in known:
            raise DataError(
                place, field=field, expected=f"one of {', '.join(known)}", came=repr(field)
            )
    for field in needed:
        if field not in given:
            raise DataError(place, field=field, expected="text", came="nothing")
    return given


def _json(file: Path) -> Any:
    if not file.is_file():
        raise DataError(file, expected="a file", came="none")
    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise DataError(file, expected="JSON", came=str(error)) from error


def _id(name: str) -> str:
    return "-".join(name.split())
