"""The tools as a model is told of them, and the strict reading of what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, get_args

import orjson

from solon.errors import InputError
from solon.researchers.forum import PostKind

WORK = "/work/"
LARGEST = 1 << 18  # bytes of a file that is written or read
LONGEST = 20_000  # characters of a result, and of a post
DEEPEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """One argument of a tool, which is always text.

    Example:
        Takes(says="A name beneath your folder.", most=200)
    """

    says: str
    """What the model is told of it."""
    most: int = 200
    """Characters."""
    needed: bool = True
    """Whether a call without it is refused."""
    one_of: tuple[str, ...] = ()
    """All that it may be; empty is anything."""


PATH = Takes(says="A file's name beneath your folder.")
TOOLS: Mapping[str, tuple[str, Mapping[str, Takes]]] = {
    "read": ("The text of a file in your folder.", {"path": PATH}),
    "write": (
        "Writes a file in your folder, in place of what is there.",
        {"path": PATH, "text": Takes(says="All that it shall hold.", most=LARGEST)},
    ),
    "run": (
        "Runs a shell command in your folder: no network, limited time, memory and output.",
        {"command": Takes(says="A command of sh.", most=8192)},
    ),
    "submit": ("Has a method's file scored; the number of submissions is limited.", {"path": PATH}),
    "forum": (
        "Reads what researchers posted, or posts what you found.",
        {
            "do": Takes(says="What to do.", one_of=("read", "post")),
            "name": Takes(
                says="To read: one post's, for all of it; else the newest.", needed=False
            ),
            "kind": Takes(says="To post: what it is.", one_of=get_args(PostKind), needed=False),
            "title": Takes(says="To post: one line.", needed=False),
            "text": Takes(says="To post: what you found.", most=LONGEST, needed=False),
            "path": Takes(
                says="To post: the submitted method that a result is about.", needed=False
            ),
        },
    ),
}


def checked(arguments: str, takes: Mapping[str, Takes]) -> dict[str, str]:
    """The arguments, each a text within its length; InputError for anything else."""
    most = 8 * sum(one.most for one in takes.values()) + 1024  # a character may be escaped
    if len(arguments) > most:
        raise InputError(f"expected arguments of at most {most} characters, got {len(arguments)}")
    try:
        read: object = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError as error:
        raise InputError(f"expected arguments as one JSON object, got {error}") from None
    if not isinstance(read, dict):
        raise InputError(f"expected arguments as an object, got {type(read).__name__}")
    given: dict[str, object] = read
    missing = [name for name, one in takes.items() if one.needed and name not in given]
    if missing or not set(given) <= set(takes):
        came = ", ".join(sorted(given))[:100] or "none"
        raise InputError(f"expected arguments of {', '.join(takes)}, got {came}")
    return {name: _text(name, value, takes[name]) for name, value in given.items()}


def _text(name: str, value: object, takes: Takes) -> str:
    if not isinstance(value, str):
        raise InputError(f"expected text as {name}, got {type(value).__name__}")
    if len(value) > takes.most:
        raise InputError(f"expected {name} of at most {takes.most} characters, got {len(value)}")
    if takes.one_of and value not in takes.one_of:
        raise InputError(f"expected {name} as one of {', '.join(takes.one_of)}, got {value[:40]!r}")
    return value


def named(path: str) -> str:
    """The name beneath the folder; a model that saw where its folder stands inside may say it."""
    name = path.removeprefix(WORK)
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name or len(parts) > DEEPEST:
        raise InputError(f"expected a name beneath your folder, got {path[:80]!r}")
    return name


def defined(name: str, says: str, takes: Mapping[str, Takes]) -> dict[str, Any]:
    """A tool in the format of OpenAI's chat."""
    needed = [one for one, take in takes.items() if take.needed]
    fields = {
        one: {"type": "string", "description": take.says}
        | ({"enum": list(take.one_of)} if take.one_of else {})
        for one, take in takes.items()
    }
    asked = {"type": "object", "properties": fields, "required": needed}
    function = {"name": name, "description": says, "parameters": asked}
    return {"type": "function", "function": function}
