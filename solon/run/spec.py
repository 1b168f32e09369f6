"""Values that are recipes: to JSON, to a digest, and changed from the shell.

    plain(NLL())                                 {"kind": "solon.objectives.imitation.NLL"}
    override(recipe, {"objective.clip": "0.2"})  the recipe with that leaf changed

A key may skip the names of wrappers as long as it stays unambiguous: ``judge.model`` reaches
``judge.policy.model`` where no field of the judge is called ``model``.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from solon.errors import SettingError

V = TypeVar("V")
Choices = Mapping[str, Mapping[str, Any]]


def plain(value: Any) -> Any:
    """The value as JSON: dataclasses become objects with their ``kind``, tuples become lists."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        return {"kind": kind} | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [plain(item) for item in value]
    if isinstance(value, Path | enum.Enum):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity; null would be another value
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    return value


def name_of(value: Any) -> str:
    """The name of a recipe, audit or claim, or of its class: that of its file."""
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__.rsplit(".", 1)[-1]


def digest_of(value: Any) -> str:
    """Sixteen hex digits of the value's canonical JSON."""
    text = orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class _Change:
    """One setting: where it goes from here on, its text, the whole key, ready-made values."""

    path: tuple[str, ...]
    text: str
    key: str
    named: Mapping[str, Any]


def override(value: V, changes: Mapping[str, str], *, choices: Choices | None = None) -> V:
    """The value with each dotted key set to its text, parsed on the declared type.

    All changes of one part are made together, so that only what comes of them must be allowed, in
    whatever order they were typed. ``choices`` names ready-made values by key:
    {"judge": {"human": HumanLabels(...)}}. Raises SettingError with the alternatives for an unknown
    key or an unreadable text, and with the keys where a part refuses them.
    """
    made = [
        _Change(tuple(key.split(".")), text, key, (choices or {}).get(key, {}))
        for key, text in changes.items()
    ]
    return _changed(value, made) if made else value


def _changed(value: Any, changes: Sequence[_Change]) -> Any:
    if not is_dataclass(value) or isinstance(value, type):
        what = f"{type(value).__name__} {value!r}"
        raise SettingError(f"{changes[0].key}: {what} has no parts to set")
    names = {field.name for field in fields(value)}
    # Parts before what is in them: `judge=human judge.path=x` sets the path of people's labels.
    whole = [one for one in changes if len(one.path) == 1 and one.path[0] in names]
    parts = {one.path[0]: _leaf(value, one.path[0], one) for one in whole}
    rest = [one for one in changes if one not in whole]
    while rest:  # again for a name that only a part chosen in the same breath may have
        below: dict[str, list[_Change]] = {}
        for one in rest:
            name, path = _through(_with(value, parts), one)
            below.setdefault(name, []).append(replace(one, path=path))
        rest = below.pop("", [])
        if rest and not below:
            raise SettingError(_unknown(value, rest[0].path[0]))
        for name, inner in below.items():
            parts[name] = _changed(_part(value, parts, name), inner)
    return _replaced(value, parts, [one.key for one in changes])


def _leaf(value: Any, name: str, one: _Change) -> Any:
    if one.text in one.named:
        return one.named[one.text]
    hint = _hint(type(value), name, getattr(value, name))
    return _parse(one.text, hint, one.key, one.named)


def _part(value: Any, parts: Mapping[str, Any], name: str) -> Any:
    inner = _with(value, parts)[name]
    return _fresh(_hint(type(value), name, inner)) if inner is None else inner


def _with(value: Any, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields' values as they will be."""
    return {
        field.name: parts.get(field.name, getattr(value, field.name)) for field in fields(value)
    }


def _replaced(value: Any, parts: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """All parts at once; where they are refused, an error that names what was set."""
    try:
        return replace(value, **parts)
    except SettingError as error:
        if any(name in str(error) for name in parts):
            raise
        raise SettingError(f"{', '.join(keys)}: {error}") from error
    except ValueError as error:  # a part that refuses a value, and does not know our errors
        raise SettingError(f"{', '.join(keys)}: {error}") from error


def _fresh(hint: Any) -> Any:
    """The value that fills an empty part as soon as one of its leaves is set: `lora.rank=8`."""
    kinds = [kind for kind in get_args(hint) if isinstance(kind, type) and is_dataclass(kind)]
    if len(kinds) != 1 or any(MISSING is f.default is f.default_factory for f in fields(kinds[0])):
        return None
    return kinds[0]()


def _through(inner: Mapping[str, Any], one: _Change) -> tuple[str, tuple[str, ...]]:
    """The field that the key goes through, and its path from there on; no name where there is none.

    A name that the value lacks is reached through the unique field that leads to it.
    """
    first, *rest = one.path
    if first in inner:
        return first, tuple(rest)
    for deep in (1, 2, 3):
        through = [name for name, part in inner.items() if _holds(part, first, deep)]
        if len(through) == 1:
            return through[0], one.path
        if through:
            ways = " or ".join(f"{name}.{'.'.join(one.path)}" for name in through)
            raise SettingError(f"{one.key}: say which one: {ways}")
    return "", one.path


def _holds(part: Any, name: str, deep: int) -> bool:
    if not is_dataclass(part) or isinstance(part, type):
        return False
    if deep == 1:
        return name in {field.name for field in fields(part)}
    return any(_holds(getattr(part, field.name), name, deep - 1) for field in fields(part))


def _unknown(value: Any, name: str) -> str:
    names = [field.name for field in fields(value)]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{type(value).__name__} has no {name!r}; it has {', '.join(names)}{hint}"


def _hint(kind: type, name: str, inner: Any) -> Any:
    """The field's declared type; the value's type where that is not importable."""
    try:
        return get_type_hints(kind)[name]
    except NameError:
        return type(inner)


def _parse(text: str, hint: Any, key: str, named: Mapping[str, Any]) -> Any:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if types.NoneType in members and text.lower() in {"none", ""}:
        return None
    for member in members:
        done, parsed = _read(text, member)
        if done:
            return parsed
    expected = " or ".join(_say(m) for m in members) + _listed(named)
    raise SettingError(f"{key}: expected {expected}, got {text!r}")


def _listed(named: Mapping[str, Any]) -> str:
    return f" (one of {', '.join(sorted(named))})" if named else ""


def _say(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    return getattr(hint, "__name__", str(hint))


def _read(text: str, hint: Any) -> tuple[bool, Any]:
    """Whether the text is of that type, and its value."""
    if get_origin(hint) is Literal:
        found = [option for option in get_args(hint) if str(option) == text]
        return bool(found), found[0] if found else None
    if get_origin(hint) is tuple:
        return _read_tuple(text, get_args(hint)[0])
    if hint is bool:
        return text.lower() in {"true", "false", "1", "0"}, text.lower() in {"true", "1"}
    if hint in (int, float):
        try:
            return True, hint(text.replace("_", ""))
        except ValueError:
            return False, None
    if hint in (str, Path):
        return True, hint(text)
    return False, None


def _read_tuple(text: str, inner: Any) -> tuple[bool, Any]:
    items = [_read(item.strip(), inner) for item in text.split(",") if item.strip()]
    return all(done for done, _ in items), tuple(item for _, item in items)
