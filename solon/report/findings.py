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
    """Findings against their bounds, with the verdict as symbol, word and colour; then the rest."""
    if not evidence.findings:
        return Absent(why="No audits: audits/ is empty.")
    told = (
        "The bound is the shaded part. Inside it the verdict is pass, wholly outside warn, "
        "across its edge inconclusive: more data would tell."
    )
    held = [_row(found) for found in evidence.findings if bounded(found)]
    free = [_row(found) for found in evidence.findings if not bounded(found)]
    summary = h("summary", f"{len(free)} measured without a bound")
    return section(
        "Audits",
        [table(COLUMNS, held, numbers=4), h("p", told, class_="faint")] if held else None,
        h("details", summary, table(COLUMNS, free, numbers=4)) if free else None,
    )


def bounded(found: Finding) -> bool:
    """True where a bound was fixed: without one nothing could fail, so nothing passes."""
    return any(map(math.isfinite, found.bound))


def tally(found: Sequence[Finding]) -> str:
    """How many findings of each verdict, and the names of those that warn."""
    counts = Counter(finding.verdict for finding in found if bounded(finding))
    parts = [f"{counts[verdict]} {verdict}" for verdict in MARKS if counts[verdict]]
    free = sum(not bounded(finding) for finding in found)
    parts += [f"{free} without a bound"] if free else []
    names = list(dict.fromkeys(f.audit.replace("_", " ") for f in found if f.verdict == "warn"))
    return f"Audits: {', '.join(parts)}." + (f" Warned by {', '.join(names)}." if names else "")


def _row(found: Finding) -> list[Child]:
    name = h("b", found.audit.replace("_", " "))
    what = h("small", found.quantity.replace("_", " "))
    note = h("small", found.note, class_="faint") if found.note else None
    return [
        [name, what, note],
        _chip(found) if bounded(found) else NONE,
        _interval(found),
        figure(found.estimate, digits=3),
        f"{figure(found.low, digits=3)} to {figure(found.high, digits=3)}",
        _bound(found.bound),
        f"{found.n:,}",
    ]


def _chip(found: Finding) -> Html:
    return h("span", f"{MARKS[found.verdict]} {found.verdict}", class_=f"chip {found.verdict}")


def _interval(found: Finding) -> Html | None:
    values = (found.estimate, found.low, found.high)
    ends = [value for value in (*values, *found.bound) if math.isfinite(value)]
    return (
        whisker(values, cover(ends, 5, 135), bound=found.bound if bounded(found) else None)
        if ends
        else None
    )


def _bound(bound: tuple[float, float]) -> str:
    low, high = (math.isfinite(end) for end in bound)
    if low and high:
        return f"{figure(bound[0], digits=3)} to {figure(bound[1], digits=3)}"
    if low:
        return f"≥ {figure(bound[0], digits=3)}"
    return f"≤ {figure(bound[1], digits=3)}" if high else NONE
