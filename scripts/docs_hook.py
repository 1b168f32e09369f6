"""A hook of mkdocs: tables made from the source at build time, so that none is typed by hand.

A comment alone on its line is replaced:

    <!-- table: recipes -->               every recipe (or audit, or stage) by its first line
    <!-- table: settings canonical -->    a recipe's own settings on the laboratory bench
    <!-- table: part local policy -->     the keys of one part of a bench
    <!-- about: canonical -->             what the recipe's docstring says before its deviations
    <!-- deviations: canonical -->        the deviations it lists
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from solon.bench.bench import ROLES, compose, objectives
from solon.bench.named import named
from solon.bench.showing import settings
from solon.catalogue import KINDS, entries, find

MARKER = re.compile(r"^<!-- (table|about|deviations): ([^>]*?) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What mkdocs calls for every page."""
    return MARKER.sub(lambda found: FILL[found[1]](*found[2].split()), markdown)


def table(what: str, *of: str) -> str:
    if what == "settings":
        return recipe_settings(*of)
    if what == "part":
        return part_settings(*of)
    if what not in KINDS:
        raise ValueError(f"docs: no table {what!r}; there are settings, part, {', '.join(KINDS)}")
    return rows(("name", "what it is"), ((f"`{one.name}`", one.summary) for one in entries(what)))


def recipe_settings(name: str) -> str:
    """A recipe's own keys; a part that the bench brings is one row."""
    recipe, _ = compose(find("recipes", name).load(), named("lab"), {})
    own = [
        row for row in settings(recipe) if row[0] not in ROLES and row[0].split(".")[0] not in ROLES
    ]
    parts = [field.name for field in fields(recipe) if field.name in ROLES]
    brought = ", ".join(f"`{part}`" for part in parts)
    words = "\n".join(meaning(kind) for kind in kinds(recipe, skip=ROLES))
    chosen = "".join(
        f"\n`{key}` by name: {', '.join(f'`{choice}`' for choice in sorted(parts))}.\n"
        for key, parts in objectives(name).items()
        if key in {row[0] for row in own}
    )
    return f"Parts that the bench brings: {brought}.\n\n{key_table(own)}{chosen}\n{words}\n"


def part_settings(bench: str, role: str) -> str:
    """The keys below one part of a bench, and what its classes say of them."""
    part = getattr(named(bench), role)
    words = "\n".join(meaning(kind) for kind in kinds(part))
    return f"{key_table(list(settings(part, f'{role}.')))}\n{words}\n"


def key_table(found: list[tuple[str, str, str]]) -> str:
    shown = ((f"`{key}`", f"`{default}`", said) for key, default, said in found)
    return rows(("key", "default", "meaning"), shown)


def kinds(value: Any, skip: tuple[str, ...] = ()) -> list[type]:
    """The types of the parts below a value, each once, in the order met."""
    return list(dict.fromkeys(_below(value, skip)))


def _below(value: Any, skip: tuple[str, ...]) -> Iterator[type]:
    for field in fields(value):
        inner = getattr(value, field.name)
        if field.name not in skip and is_dataclass(inner) and not isinstance(inner, type):
            yield type(inner)
            yield from _below(inner, skip)


def meaning(kind: type) -> str:
    """`Adam`: what its docstring says, without the example."""
    said = inspect.cleandoc(kind.__doc__ or "").split("\nExample:")[0]
    return f"- **`{kind.__name__}`** {' '.join(said.split())}"


def about(name: str) -> str:
    return halves(name)[0]


def deviations(name: str) -> str:
    return halves(name)[1]


def halves(name: str) -> tuple[str, str]:
    """A recipe's docstring before and after the word Deviations."""
    before, mark, after = find("recipes", name).doc.partition("\nDeviations")
    assert mark, f"recipe {name} lists its deviations"
    listed = after.removeprefix(" from the papers").removeprefix(" from the paper").strip(": \n")
    return before.strip(), listed[:1].upper() + listed[1:]


def rows(head: tuple[str, ...], body: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *body]
    return (
        "\n".join(
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
        )
        + "\n"
    )


FILL: dict[str, Callable[..., str]] = {"table": table, "about": about, "deviations": deviations}
