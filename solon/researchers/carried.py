"""The tables of a campaign's page that say what methods are worth elsewhere."""

from __future__ import annotations

from solon.report.element import Child, Html, h
from solon.report.figure import NONE, fixed
from solon.report.plot import whisker
from solon.report.scale import cover
from solon.report.section import Absent, section, table
from solon.researchers.elsewhere import baselines
from solon.researchers.outcome import Outcome
from solon.researchers.transfer import Carried
from solon.statistics import Interval


def elsewhere(outcome: Outcome) -> Html | Absent:
    """A table for each problem; baselines below the agents' methods."""
    if not outcome.transfer:
        return Absent(why="No transfer: no method was tried elsewhere yet.")
    places = dict.fromkeys(one.place for one in outcome.transfer)
    told = (
        "PGR = (student − weak) / (ceiling − weak), never clipped, with a 95 % interval over test "
        "items and the method's runs; weak and ceiling are means over seeds of their own. FINAL is "
        "of the campaign's problem, and no agent was told anything of it. Agents' methods were "
        "chosen by what DEV told."
    )
    found = [_place(outcome, name) for name in places]
    return section("Elsewhere", h("p", told, class_="faint"), found)


def named(outcome: Outcome, digest: str) -> Html:
    """What a method is composed of, or the beginning of its digest."""
    label = outcome.labels.get(digest)
    return h("span", label) if label else h("code", digest[:12])


def _place(outcome: Outcome, name: str) -> Html:
    here = [one for one in outcome.transfer if one.place == name]
    own = [method.digest for method in baselines().values()]
    here.sort(key=lambda one: own.index(one.digest) if one.digest in own else -1)
    measured = [one.pgr for one in here if one.pgr is not None]
    scale = cover([end for one in measured for end in (one.low, one.high)] or [0.0, 1.0], 5, 135)
    rows: list[list[Child]] = []
    for one in here:
        shown = whisker((one.pgr.estimate, one.pgr.low, one.pgr.high), scale) if one.pgr else None
        rows.append([_method(outcome, one), shown, *_figures(one)])
    columns = ("method", "interval", "PGR", "95 %", "student", "weak", "ceiling")
    small = any(one.flagged for one in here)
    warn = h("p", "The gap is too small to tell.", class_="faint") if small else None
    return h("div", h("h3", name), table(columns, rows, numbers=5), warn)


def _method(outcome: Outcome, one: Carried) -> list[Child]:
    own = [method.digest for method in baselines().values()]
    by = [each.agent for each in outcome.standings if each.digest == one.digest]
    names = [*(["baseline"] if one.digest in own else []), *by]
    return [named(outcome, one.digest), h("small", ", ".join(names))]


def _figures(one: Carried) -> list[Child]:
    if one.pgr is None:
        return [h("small", one.reason), NONE, NONE, NONE, NONE]
    ends = f"{fixed(one.pgr.low, 2)} to {fixed(one.pgr.high, 2)}"
    sides = [_accuracy(side) for side in (one.student, one.weak, one.ceiling)]
    return [fixed(one.pgr.estimate, 2), ends, *sides]


def _accuracy(found: Interval | None) -> str:
    return NONE if found is None else fixed(found.estimate, 3)
