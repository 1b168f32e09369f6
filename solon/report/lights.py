"""One light an audit: red where a bound is broken, and the finding that says so."""

from __future__ import annotations

import math
from collections.abc import Sequence

from solon.records import Finding
from solon.report.element import Child, Html, h
from solon.report.evidence import Evidence
from solon.report.figure import NONE, figure
from solon.report.findings import bounded
from solon.report.section import Absent, section, table

WORST = ("warn", "inconclusive", "pass")
LIGHTS = {"warn": "▲ fails", "inconclusive": "? unclear", "pass": "✓ passes"}
COLUMNS = ("audit", "light", "the finding that decides it", "bound", "n")


def lights(evidence: Evidence) -> Html | Absent:
    """The audits that fail first, then those that need more data, then those that pass."""
    if not evidence.findings:
        return Absent(why="No lights: no audit has found anything yet.")
    audits: dict[str, list[Finding]] = {}
    for found in evidence.findings:
        audits.setdefault(found.audit, []).append(found)
    decided = {name: deciding(found) for name, found in audits.items()}
    rows = [
        _row(name, found, alike(audits[name], found))
        for verdict in WORST
        for name, found in decided.items()
        if found is not None and found.verdict == verdict
    ]
    free = [name.replace("_", " ") for name, found in decided.items() if found is None]
    away = [str(note["note"]) for note in evidence.notes if "not run" in str(note.get("note", ""))]
    return section(
        "In two minutes",
        table(COLUMNS, rows, numbers=1),
        h("p", f"Measured without a bound: {', '.join(free)}.", class_="faint") if free else None,
        h("ul", [h("li", why) for why in dict.fromkeys(away)], class_="faint") if away else None,
    )


def deciding(found: Sequence[Finding]) -> Finding | None:
    """The finding of the worst verdict that lies furthest out, in half-widths of its interval.

    Where all pass, the audit's first: that is what it is about.
    """
    held = [one for one in found if bounded(one)]
    if all(one.verdict == "pass" for one in held):
        return held[0] if held else None
    return min(held, key=lambda one: (WORST.index(one.verdict), -beyond(one)))


def alike(audit: Sequence[Finding], found: Finding) -> int:
    """How many of the audit's findings have that verdict."""
    return sum(bounded(one) and one.verdict == found.verdict for one in audit)


def beyond(found: Finding) -> float:
    """How far the estimate lies outside its bound (below 0: inside), in half-widths."""
    low, high = found.bound
    outside = max(low - found.estimate, found.estimate - high)
    half = (found.high - found.low) / 2
    return outside / half if half > 0 and math.isfinite(outside) else outside


def _row(name: str, found: Finding, count: int) -> list[Child]:
    more = f" and {count - 1} more" if count > 1 and found.verdict != "pass" else ""
    span = f"{figure(found.low, digits=3)} to {figure(found.high, digits=3)}"
    what = f"{found.quantity.replace('_', ' ')}: {figure(found.estimate, digits=3)} ({span}){more}"
    light = h("span", LIGHTS[found.verdict], class_=f"chip {found.verdict}")
    return [h("b", name.replace("_", " ")), light, what, _bound(found), f"{found.n:,}"]


def _bound(found: Finding) -> str:
    low, high = found.bound
    ends = [figure(end, digits=3) if math.isfinite(end) else "" for end in (low, high)]
    if all(ends):
        return f"{ends[0]} to {ends[1]}"
    if ends[0]:
        return f"at least {ends[0]}"
    return f"at most {ends[1]}" if ends[1] else NONE
