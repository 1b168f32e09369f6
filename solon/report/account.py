"""The account of a run: stages and their time, money, records, settings, and what it noted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from solon.report.curves import stages as named
from solon.report.element import Child, Html, h
from solon.report.evidence import Evidence, Line
from solon.report.figure import NONE, figure, moment, number, span
from solon.report.section import Absent, section, table

NOTES = 60


def stages(evidence: Evidence) -> Html | Absent:
    """A line per stage, its bar placed within the time from first begin to last end."""
    done = {str(line["stage"]): line for line in evidence.stages if "stage" in line}
    names = named(evidence)
    if not names:
        return Absent(why="No stages: stages.jsonl has no line yet.")
    begins = [number(line.get("began")) for line in done.values()]
    ends = [b + number(line.get("seconds")) for b, line in zip(begins, done.values(), strict=True)]
    whole = (min(begins), max(ends)) if begins else (math.nan, math.nan)
    rows = [_stage(name, done.get(name), whole) for name in names]
    return section("Stages", table(("stage", "began", "timeline", "took"), rows, numbers=1))


def costs(evidence: Evidence) -> Html | Absent:
    """Calls, tokens and money by judge; an unknown price is never shown as 0."""
    if not evidence.ledger:
        return Absent(why="No costs: no call was paid for or counted, so there is no ledger.")
    columns = ("calls", "retries", "failures", "in_doubt", "hits", "tokens_in", "tokens_out")
    rows = [
        [str(line.get("judge", NONE)), *(_count(line.get(c)) for c in columns), _money(line)]
        for line in evidence.ledger
    ]
    if len(rows) > 1:
        sums = [_count(sum(line.get(c) or 0 for line in evidence.ledger)) for c in columns]
        rows.append(["all", *sums, _money({"money": _total(evidence.ledger)})])
    heads = ("judge", *(name.replace("_", " ") for name in columns), "money")
    told = "Calls count retries and failures too; hits came from the cache and cost nothing."
    return section("Costs", table(heads, rows, numbers=8), h("p", told, class_="faint"))


def records(evidence: Evidence) -> Html | Absent:
    """How many records of each set lie beside this page."""
    found = evidence.sets()
    if not found:
        return Absent(why="No records: records/ is empty.")
    rows = [[h("code", f"records/{name}"), f"{count:,}"] for name, count in found.items()]
    return section("Records", table(("parquet", "records"), rows, numbers=1))


def settings(evidence: Evidence) -> Html | Absent:
    """Every leaf of the recipe by its dotted key, and what it ran on."""
    if not evidence.manifest.get("settings"):
        return Absent(why="No settings: the manifest holds none.")
    leaves = [[h("code", key), text] for key, text in flat(evidence.manifest["settings"])]
    facts = [
        [h("code", key), text]
        for part in ("versions", "devices")
        for key, text in flat(evidence.manifest.get(part, {}), part)
    ]
    return section(
        "Settings",
        table(("key", "value"), leaves),
        h("details", h("summary", "Versions and devices"), table(("key", "value"), facts)),
    )


def notes(evidence: Evidence) -> Html | Absent:
    """What the run told its user."""
    if not evidence.notes:
        return Absent(why="No notes: the run had nothing to tell.")
    shown = evidence.notes[:NOTES]
    items = [
        h("li", h("b", str(line.get("stage", ""))), f" {line.get('note', '')}") for line in shown
    ]
    counted = (
        f"{len(shown)} of {len(evidence.notes):,}." if len(shown) < len(evidence.notes) else None
    )
    return section("Notes", h("ul", items), h("p", counted, class_="faint") if counted else None)


def flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON value by dotted key; a list of plain values is one leaf."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for k, inner in enumerate(value):
            yield from flat(inner, f"{key}.{k}")
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield (
            key,
            text if len(text) <= 400 else f"{text[:400]} … {len(text) - 400:,} more characters",
        )


def _stage(name: str, line: Line | None, whole: tuple[float, float]) -> list[Child]:
    if line is None:
        return [name, NONE, "not finished", NONE]
    began, seconds = number(line.get("began")), number(line.get("seconds"))
    return [name, moment(began), _bar(began, seconds, whole), span(seconds)]


def _bar(began: float, seconds: float, whole: tuple[float, float]) -> Html | None:
    start, stop = whole
    if not math.isfinite(stop - start + began + seconds):
        return None
    length = max(stop - start, 1e-9)
    x, wide = round(200 * (began - start) / length, 1), round(max(1.5, 200 * seconds / length), 1)
    rule = h("line", x1=0, x2=202, y1=8, y2=8, class_="rule")
    bar = h("rect", x=x, y=3, width=wide, height=10, class_="fill")
    return h("svg", rule, bar, viewBox="0 0 202 16", class_="timeline", aria_hidden="true")


def _count(value: Any) -> str:
    return NONE if value is None else f"{value:,}"


def _total(ledger: tuple[Line, ...]) -> float | None:
    """The sum of money, unknown as soon as one part of it is."""
    parts = [line.get("money") for line in ledger]
    return None if None in parts else sum(number(part) for part in parts)


def _money(line: Line) -> str:
    money = line.get("money")
    return "unknown" if money is None else figure(number(money), digits=4)
