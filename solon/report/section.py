"""The frame of a section, and the sentence for one that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from solon.report.element import Child, Html, h

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Why a section is not on the page.

    Example:
        Absent(why="No audits were made: audits/ is empty.")
    """

    why: str


def section(title: str, *body: Child) -> Html:
    """A headed section; its anchor is its title."""
    return h("section", h("h2", title), *body, id=anchor(title))


def anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def table(columns: Sequence[str], rows: Sequence[Sequence[Child]], *, numbers: int = 0) -> Html:
    """A table that scrolls sideways; the last ``numbers`` columns are aligned as numbers."""
    words = len(columns) - numbers
    kinds = [None if k < words else "number" for k in range(len(columns))]
    head = [
        h("th", name, scope="col", class_=kind) for name, kind in zip(columns, kinds, strict=True)
    ]
    body = [
        h("tr", [h("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True)])
        for row in rows
    ]
    return h("div", h("table", h("thead", h("tr", head)), h("tbody", body)), class_="wide")


def sampled(items: Sequence[T], *, first: int, drawn: int, seed: int) -> list[T]:
    """The first few and a seeded draw of the rest, in their own order."""
    rest = len(items) - first
    if rest <= drawn:
        return list(items)
    chosen = np.random.default_rng(seed).choice(rest, size=drawn, replace=False)
    return [*items[:first], *(items[first + int(k)] for k in sorted(chosen))]
