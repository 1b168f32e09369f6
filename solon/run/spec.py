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
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
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


def override(value: V, changes: Mapping[str, str], *, choices: Choices | None = None) -> V:
    """The value with each dotted key set to its text, parsed on the declared type.

    ``choices`` names ready-made values by key: {"judge": {"human": HumanLabels(...)}}.
    Raises SettingError with the alternatives for an unknown key or an unreadable text.
    """
    # Parts before leaves: `judge=human judge.path=x` must not depend on the order typed.
    for key in sorted(changes, key=lambda key: key.count(".")):
        path = key.split(".")
        try:
            value = _set(value, path, changes[key], key, (choices or {}).get(key, {}))
        except SettingError:
            raise
        except ValueError as error:  # a part that refuses a value, and does not know our errors
            raise SettingError(f"{key}: {error}") from error
    return value


def _set(value: Any, path: list[str], text: str, key: str, named: Mapping[str, Any]) -> Any:
    if not is_dataclass(value) or isinstance(value, type):
        raise SettingError(f"{key}: {type(value).__name__} {value!r} has no parts to set")
    name, *rest = path
    names = [field.name for field in fields(value)]
    if name not in names:
        name, rest = _skip(value, path, key)
    inner = getattr(value, name)
    if rest and inner is None:
        inner = _fresh(_hint(type(value), name, inner))
    if rest:
        return replace(value, **{name: _set(inner, rest, text, key, named)})
    if text in named:
        return replace(value, **{name: named[text]})
    hint = _hint(type(value), name, inner)
    return replace(value, **{name: _parse(text, hint, key, named)})


def _fresh(hint: Any) -> Any:
    """The value that fills an empty part as soon as one of its leaves is set: `lora.rank=8`."""
    kinds = [kind for kind in get_args(hint) if isinstance(kind, type) and is_dataclass(kind)]
    if len(kinds) != 1 or any(MISSING is f.default is f.default_factory for f in fields(kinds[0])):
        return None
    return kinds[0]()


def _skip(value: Any, path: list[str], key: str) -> tuple[str, list[str]]:
    """The unique field through which the key reaches a name that this value lacks."""
    for deep in (1, 2, 3):
        through = [f.name for f in fields(value) if _holds(getattr(value, f.name), path[0], deep)]
        if len(through) == 1:
            return through[0], path
        if through:
            ways = " or ".join(f"{name}.{'.'.join(path)}" for name in through)
            raise SettingError(f"{key}: say which one: {ways}")
    raise SettingError(_unknown(value, path[0]))


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
