"""What there is, by file name: read from the source, so that listing imports nothing."""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from textwrap import dedent
from typing import Any

from solon.errors import SettingError

KINDS = ("recipes", "audits", "claims", "stages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One method: its name is its file's, its class the same in CamelCase.

    Example:
        find("recipes", "best_of_n").load()        # the class BestOfN
    """

    kind: str
    name: str
    doc: str

    @property
    def summary(self) -> str:
        return self.doc.splitlines()[0]

    def load(self) -> Any:
        """The class. Imports the module, and torch with it where the method needs it."""
        module = importlib.import_module(f"solon.{self.kind}.{self.name}")
        wanted = self.name.replace("_", "")
        return next(v for k, v in vars(module).items() if k.lower() == wanted)


def entries(kind: str) -> list[Entry]:
    """All methods of a kind, by name."""
    found = [
        Entry(kind=kind, name=file.name.removesuffix(".py"), doc=_doc(file))
        for file in files("solon").joinpath(kind).iterdir()
        if file.name.endswith(".py") and not file.name.startswith("_")
    ]
    return sorted(found, key=lambda entry: entry.name)


def find(kind: str, name: str) -> Entry:
    """The method of that name. Raises SettingError with the alternatives."""
    known = {entry.name: entry for entry in entries(kind)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"no {kind[:-1]} {name!r}; there are {', '.join(known)}{hint}")
    return known[name]


@cache
def meanings(kind: type[Any]) -> Mapping[str, str]:
    """What each field of a dataclass means: the text under it in its source, or in its bases'."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if is_dataclass(one):
            found.update(_field_docs(one))
    return found


def _field_docs(kind: type[Any]) -> Iterator[tuple[str, str]]:
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError):  # typed into a session: there is no file to read
        return
    [node] = ast.parse(dedent(source)).body
    assert isinstance(node, ast.ClassDef), "the source of a class is a class"
    for field, text in zip(node.body, node.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield field.target.id, " ".join(str(text.value.value).split())


def _doc(file: Traversable) -> str:
    return ast.get_docstring(ast.parse(file.read_text())) or ""
