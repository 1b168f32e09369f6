"""The curves of each stage: what the recipe logged and what watchers saw, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from solon.report.element import Html, h
from solon.report.evidence import Evidence, Line
from solon.report.figure import Quantity, known, number, quantity, rank
from solon.report.plot import Series, plot
from solon.report.section import Absent, section

Trace = dict[int, float]
NOT_MEASURED = frozenset({"stage", "step", "time", "policy", "prompt"})
LOG_FROM = 1000.0  # a measure that spans three decades says nothing on a linear axis


def curves(evidence: Evidence) -> Html | Absent:
    """Small plots by stage: the well-known measures open, the others folded."""
    drawn = [_stage(evidence, name) for name in stages(evidence)]
    if not any(drawn):
        return Absent(why="No curves: nothing was logged or watched by step.")
    return section("Curves", drawn)


def stages(evidence: Evidence) -> list[str]:
    """Names of the stages, in the order in which they are first spoken of."""
    lines = [*evidence.stages, *evidence.metrics, *evidence.watched]
    return list(dict.fromkeys(str(line["stage"]) for line in lines if "stage" in line))


def traces(lines: Iterable[Line], stage: str) -> dict[str, Trace]:
    """Measure -> step -> value. A step that was said twice keeps its last value."""
    found: dict[str, Trace] = {}
    for line in lines:
        if line.get("stage") != stage or "step" not in line or "prompt" in line:
            continue
        for name, value in line.items():
            if name not in NOT_MEASURED and (value is None or math.isfinite(number(value))):
                found.setdefault(name, {})[int(line["step"])] = number(value)
    return {name: dict(sorted(trace.items())) for name, trace in found.items()}


def families(found: Mapping[str, Trace]) -> dict[str, list[Series]]:
    """Lines by plot: ``gold`` and ``gold/tone`` share one; ``x_low`` and ``x_high`` are a band."""
    grouped: dict[str, list[Series]] = {}
    for name, trace in found.items():
        base = name.removesuffix("_low").removesuffix("_high")
        if base != name and base in found:
            continue
        low, high = found.get(f"{name}_low", {}), found.get(f"{name}_high", {})
        band = tuple((k, low[k], high[k]) for k in trace if k in low and k in high)
        head, _, part = name.partition("/")
        line = Series(name=quantity(part or head).label, points=tuple(trace.items()), band=band)
        grouped.setdefault(head, []).append(line)
    return grouped


def _stage(evidence: Evidence, stage: str) -> Html | None:
    """What was watched and what everybody looks for stands open, the rest is folded."""
    logged = families(traces(evidence.metrics, stage))
    watched = families(traces(evidence.watched, stage))
    main = [(name, _draw(quantity(name), s)) for name, s in logged.items() if known(name)]
    main += [(name, _draw(_seen(name, logged), s)) for name, s in watched.items()]
    other = [(name, _draw(quantity(name), s)) for name, s in logged.items() if not known(name)]
    if not main:
        main, other = other, main
    if not main:
        return None
    main.sort(key=lambda plotted: (rank(plotted[0]), plotted[0]))
    labels = ", ".join(quantity(name).label for name, _ in other)
    summary = h("summary", f"Further measures of {stage}: {labels}")
    folded = h("details", summary, h("div", [drawn for _, drawn in other], class_="plots"))
    shown = h("div", [drawn for _, drawn in main], class_="plots")
    return h("div", h("h3", stage), shown, folded if other else None)


def _seen(name: str, logged: Mapping[str, Sequence[Series]]) -> Quantity:
    """A watcher may count what the learner counts too, in another unit: never on one axis."""
    what = quantity(name)
    return replace(what, label=f"{what.label}, watched") if name in logged else what


def _draw(what: Quantity, series: Sequence[Series]) -> Html:
    values = [b for s in series for _, b in s.points if math.isfinite(b)]
    if len({a for s in series for a, _ in s.points}) == 1:
        return _once(what, series)
    wide = bool(values) and min(values) > 0 and max(values) > LOG_FROM * min(values)
    return plot(series, x="step", y=what, log=wide)


def _once(what: Quantity, series: Sequence[Series]) -> Html:
    """One step is no curve: its values in words."""
    told = ", ".join(f"{s.name} {what(b)}" for s in series for _, b in s.points)
    text = f"{told} at step {series[0].points[0][0]}, the only one"
    return h("figure", h("figcaption", h("b", what.title)), text, class_="plot")
