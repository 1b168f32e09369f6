"""A recipe's settings as a tree: key, default on that bench, meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from solon.bench.bench import ROLES, Bench, compose, objectives, parts_by_name
from solon.bench.named import named
from solon.catalogue import find, meanings

LINE = 80


def show_recipe(name: str, bench: str, changes: Mapping[str, str]) -> None:
    """Prints what the recipe is, then every key that ``solon run`` takes."""
    entry = find("recipes", name)
    recipe, made = compose(entry.load(), named(bench), changes, whole=False)
    console = Console()
    console.print(entry.doc, highlight=False, markup=False)
    console.print(f"\nsettings of {name} on {made.name}:", style="bold", highlight=False)
    found = list(settings(recipe))
    print_settings(console, found)
    console.print()
    keys = {key for key, _, _ in found}
    losses = {key: parts for key, parts in objectives(name).items() if key in keys}
    for role, parts in {**losses, **parts_by_name(made)}.items():
        console.print(f"{role} by name: {', '.join(sorted(parts))}", highlight=False)


def print_settings(console: Console, found: Iterable[tuple[str, str, str]]) -> None:
    """Each key with its default, and its meaning below."""
    for key, default, meaning in found:
        console.print(Text(f"{key} = {default}", style="cyan"), soft_wrap=True)
        if meaning:
            console.print(Padding(Text(meaning), (0, 0, 0, 4)))


def settings(value: Any, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """(key, default, meaning) of every leaf below a dataclass."""
    said = {**({} if prefix else meanings(Bench)), **meanings(type(value))}
    for field in fields(value):
        inner, key = getattr(value, field.name), f"{prefix}{field.name}"
        if is_dataclass(inner) and not isinstance(inner, type):
            kind = type(inner).__name__
            shown = said.get(field.name, "") or _first_line(type(inner))
            yield (
                key,
                kind,
                shown if field.name in ROLES or not prefix else said.get(field.name, ""),
            )
            yield from settings(inner, f"{key}.")
        else:
            yield (
                key,
                _short(inner, most=min(40, LINE - len(f"{key} = "))),
                said.get(field.name, ""),
            )


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0] if kind.__doc__ else ""


def _short(value: Any, *, most: int) -> str:
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."
