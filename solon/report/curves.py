"""The curves of each stage: what the recipe logged and what watchers saw, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from solon.report.element import Html, h
from solon.report.evidence import Evidence, Line
from solon.report.figure import ORDER, number, quantity
from solon.report.plot import Series, plot
from solon.report.section import Absent, section

Trace = dict[int, float]
NOT_MEASURED = frozenset({"stage", "step", "time", "policy", "prompt"})
LOG_FROM = 1000.0  # a measure that spans three decades says nothing on a linear axis


def curves(evidence: Evidence) -> Html | Absent:
    """Small plots by stage: the well-known measures open, the others folded."""
    names = stages(evidence)
    blocks = [(name, _plots(evidence, name)) for name in names]
    drawn = [_stage(name, plots) for name, plots in blocks if plots]
    if not drawn:
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


def families(found: Mapping[str, Trace], mark: str) -> dict[str, list[Series]]:
    """Lines by plot: ``gold`` and ``gold/tone`` share one; ``x_low`` and ``x_high`` are a band."""
    grouped: dict[str, list[Series]] = {}
    for name, trace in found.items():
        base = name.removesuffix("_low").removesuffix("_high")
        if base != name and base in found:
            continue
        low, high = found.get(f"{name}_low", {}), found.get(f"{name}_high", {})
        band = tuple((k, low[k], high[k]) for k in trace if k in low and k in high)
        head, _, part = name.partition("/")
        label = f"{quantity(part).label if part else quantity(head).label}{mark}"
        line = Series(name=label, points=tuple(trace.items()), band=band)
        grouped.setdefault(head, []).append(line)
    return grouped


def _plots(evidence: Evidence, stage: str) -> dict[str, Html]:
    logged = families(traces(evidence.metrics, stage), "")
    seen = families(traces(evidence.watched, stage), "")
    marked = families(traces(evidence.watched, stage), ", watched")
    names = sorted({*logged, *seen}, key=lambda name: (_rank(name), name))
    return {
        name: _draw(name, [*logged[name], *marked.get(name, [])] if name in logged else seen[name])
        for name in names
    }


def _draw(name: str, series: Sequence[Series]) -> Html:
    values = [b for s in series for _, b in s.points if math.isfinite(b)]
    if len({a for s in series for a, _ in s.points}) == 1:
        return _once(name, series)
    wide = bool(values) and min(values) > 0 and max(values) > LOG_FROM * min(values)
    return plot(series, x="step", y=quantity(name), log=wide)


def _once(name: str, series: Sequence[Series]) -> Html:
    """One step is no curve: its values in words."""
    told = [f"{s.name} {quantity(name)(b)}" for s in series for _, b in s.points]
    text = f"{', '.join(told)} at step {series[0].points[0][0]}, the only one"
    return h("figure", h("figcaption", h("b", quantity(name).title)), text, class_="plot")


def _stage(name: str, plots: Mapping[str, Html]) -> Html:
    main = {measure: drawn for measure, drawn in plots.items() if _rank(measure) < len(ORDER)}
    other = {measure: drawn for measure, drawn in plots.items() if measure not in main}
    if not main:
        main, other = other, main
    labels = ", ".join(quantity(measure).label for measure in other)
    folded = h(
        "details",
        h("summary", f"Further measures of {name}: {labels}"),
        h("div", other.values(), class_="plots"),
    )
    shown = h("div", main.values(), class_="plots")
    return h("div", h("h3", name), shown, folded if other else None)


def _rank(name: str) -> int:
    """The place of a measure by its first word; unknown ones come last."""
    known = [k for k, word in enumerate(ORDER) if name == word or name.startswith(f"{word}_")]
    return known[0] if known else len(ORDER)
