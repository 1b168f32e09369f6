"""What the audits found, each against the bound that was fixed before looking."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from solon.records import Finding
from solon.report.element import Child, Html, h
from solon.report.evidence import Evidence
from solon.report.figure import NONE, figure
from solon.report.plot import whisker
from solon.report.scale import cover
from solon.report.section import Absent, section, table

MARKS = {"pass": "✓", "inconclusive": "?", "warn": "▲"}
COLUMNS = ("audit", "verdict", "interval and bound", "estimate", "interval", "bound", "n")


def findings(evidence: Evidence) -> Html | Absent:
    """Every finding with its interval, its bound, and the verdict as symbol, word and colour."""
    if not evidence.findings:
        return Absent(why="No audits: audits/ is empty.")
    told = (
        "The bound is the shaded part. Inside it the verdict is pass, wholly outside warn, "
        "across its edge inconclusive: more data would tell."
    )
    rows = [_row(found) for found in evidence.findings]
    return section(
        "Audits",
        table(COLUMNS, rows, numbers=4),
        h("p", told, class_="faint"),
    )


def tally(found: Sequence[Finding]) -> str:
    """How many findings of each verdict, and the names of those that warn."""
    counts = Counter(finding.verdict for finding in found)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS if counts[verdict])
    names = list(dict.fromkeys(f.audit.replace("_", " ") for f in found if f.verdict == "warn"))
    return f"Audits: {parts}." + (f" Warned by {', '.join(names)}." if names else "")


def _row(found: Finding) -> list[Child]:
    name = h("b", found.audit.replace("_", " "))
    what = h("small", found.quantity.replace("_", " "))
    note = h("small", found.note, class_="faint") if found.note else None
    word = f"{MARKS[found.verdict]} {found.verdict}"
    return [
        [name, what, note],
        h("span", word, class_=f"chip {found.verdict}"),
        _interval(found),
        figure(found.estimate, digits=3),
        f"{figure(found.low, digits=3)} to {figure(found.high, digits=3)}",
        _bound(found.bound),
        f"{found.n:,}",
    ]


def _interval(found: Finding) -> Html | None:
    values = (found.estimate, found.low, found.high)
    ends = [value for value in (*values, *found.bound) if math.isfinite(value)]
    return whisker(values, cover(ends, 5, 135), bound=found.bound) if ends else None


def _bound(bound: tuple[float, float]) -> str:
    low, high = (math.isfinite(end) for end in bound)
    if low and high:
        return f"{figure(bound[0], digits=3)} to {figure(bound[1], digits=3)}"
    if low:
        return f"≥ {figure(bound[0], digits=3)}"
    return f"≤ {figure(bound[1], digits=3)}" if high else NONE
