"""Plots as inline SVG: lines with bands, dots with whiskers, bars of probability.

A series has its own colour, dash and marker, so it can be told without colour. Colours live in
style.css as the classes ``s0`` to ``s4``; nothing here needs a script or an inline style.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solon.report.element import Html, h, join
from solon.report.figure import Quantity, figure, fixed
from solon.report.scale import Scale, cover

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 10, 38
DASHES = (None, "6 3", "2 3", "8 3 2 3", "1 4")
MOST = 240  # points drawn of one series: about one a pixel
HOVERED = 60  # points that carry their value: more would be as many as pixels under a finger


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line: ``points`` are (x, y); ``band`` is (x, low, high), drawn behind it.

    Example:
        Series(name="gold", points=((0, 0.2), (10, 0.5)), band=((0, 0.1, 0.3), (10, 0.4, 0.6)))
    """

    name: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...] = ()


def plot(
    series: Sequence[Series],
    *,
    x: str,
    y: Quantity,
    log: bool = False,
    over: tuple[float, float] | None = None,
) -> Html:
    """A figure of all series on one pair of axes; points that are not finite leave a gap.

    ``log`` needs values above 0 to be drawn: others are left out as gaps too. The axis of y covers
    ``over`` whatever the values are.
    """
    scale_x = cover([a for s in series for a, _ in s.points], LEFT, WIDTH - RIGHT)
    heights = [b for s in series for b in _heights(s) if _drawable(b, log=log)]
    if not heights:
        return h("p", "No finite value to draw.", class_="faint")
    scale_y = cover([*heights, *(over or ())], HEIGHT - BOTTOM, TOP, log=log)
    bands = [_band(s, k, scale_x, scale_y) for k, s in enumerate(series) if s.band]
    lines = [_line(s, k, (scale_x, scale_y), y) for k, s in enumerate(series)]
    label = f"{y.title} against {x}: " + ", ".join(s.name for s in series)
    drawn = h(
        "svg",
        _axes(
            scale_x,
            scale_y,
            x,
            y,
            whole=all(isinstance(a, int) for s in series for a, _ in s.points),
        ),
        bands,
        lines,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )
    scaled = f"{y.title}, log scale" if log else y.title
    return h("figure", h("figcaption", h("b", scaled), _legend(series)), drawn, class_="plot")


def whisker(
    values: tuple[float, float, float],
    scale: Scale,
    *,
    bound: tuple[float, float] | None = None,
    mark: float | None = None,
) -> Html:
    """A dot at the first value, a whisker from the second to the third; a shade over the bound."""
    estimate, *ends = values
    parts = [h("line", x1=_px(scale.start), x2=_px(scale.stop), y1=8, y2=8, class_="rule")]
    if bound:
        left, right = (min(max(end, scale.low), scale.high) for end in bound)
        wide = _px(scale(right) - scale(left))
        shade = h("rect", x=_px(scale(left)), y=1, width=wide, height=14, class_="allowed")
        parts.insert(0, shade)
    if mark is not None:
        at = _px(scale(mark))
        parts.append(h("line", x1=at, x2=at, y1=2, y2=14, class_="half"))
    if all(map(math.isfinite, ends)):
        left, right = (_px(scale(end)) for end in ends)
        parts.append(h("line", x1=left, x2=right, y1=8, y2=8, class_="whisker"))
        parts += [h("line", x1=at, x2=at, y1=5, y2=11, class_="whisker") for at in (left, right)]
    if math.isfinite(estimate):
        parts.append(h("circle", cx=_px(scale(estimate)), cy=8, r=3.5, class_="dot"))
    box = f"{_px(scale.start - 5)} 0 {_px(scale.stop - scale.start + 10)} 16"
    return h("svg", parts, viewBox=box, class_="whiskers", aria_hidden="true")


def share(p: float, *, label: str) -> Html:
    """A bar filled to the probability p, with a tick at one half."""
    return h(
        "svg",
        h("title", label),
        h("rect", x=0, y=3, width=120, height=8, class_="empty"),
        h("rect", x=0, y=3, width=_px(120 * min(1.0, max(0.0, p))), height=8, class_="fill"),
        h("line", x1=60, x2=60, y1=0, y2=14, class_="half"),
        viewBox="0 0 120 14",
        class_="share",
        role="img",
    )


def thin(points: Sequence[tuple[float, float]], most: int = MOST) -> list[tuple[float, float]]:
    """At most about ``most`` points: of each bucket its lowest and its highest, in order."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[int] = []
    for at in range(0, len(points), size):
        bucket = range(at, min(at + size, len(points)))
        ends = {min(bucket, key=lambda k: points[k][1]), max(bucket, key=lambda k: points[k][1])}
        kept += sorted(ends)
    return [points[k] for k in kept]


def _axes(scale_x: Scale, scale_y: Scale, x: str, y: Quantity, *, whole: bool) -> Html:
    floor, middle = HEIGHT - BOTTOM, (LEFT + WIDTH - RIGHT) / 2
    rows = [
        join(
            h("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"),
            h("text", label, x=LEFT - 6, y=_px(at + 3.5), class_="end"),
        )
        for at, label in _labels(scale_y, 100 if y.share else 1)
    ]
    marks = [
        join(
            h("line", x1=at, x2=at, y1=floor, y2=floor + 4, class_="axis"),
            h("text", label, x=at, y=floor + 15, class_="middle"),
        )
        for at, label in _labels(scale_x, whole=whole)
    ]
    axis = h("line", x1=LEFT, x2=WIDTH - RIGHT, y1=floor, y2=floor, class_="axis")
    return join(rows, axis, marks, h("text", x, x=_px(middle), y=HEIGHT - 5, class_="middle"))


def _labels(scale: Scale, factor: int = 1, *, whole: bool = False) -> list[tuple[float, str]]:
    """Where each tick stands and what it says; all of an axis have the same decimals."""
    values = [value for value in scale.ticks() if not whole or value.is_integer()]
    labels = [figure(factor * value) for value in values]
    if not scale.log and not any("e" in label for label in labels):
        decimals = max((len(label.partition(".")[2]) for label in labels), default=0)
        labels = [fixed(factor * value, decimals) for value in values]
    return [(_px(scale(value)), label) for value, label in zip(values, labels, strict=True)]


def _line(s: Series, k: int, scales: tuple[Scale, Scale], y: Quantity) -> Html:
    scale_x, scale_y = scales
    pieces = _pieces(s, log=scale_y.log)
    paths = [
        h(
            "path",
            d="M" + "L".join(f"{_px(scale_x(a))},{_px(scale_y(b))}" for a, b in piece),
            class_=f"line s{k % 5}",
            stroke_dasharray=DASHES[k % 5],
        )
        for piece in pieces
        if len(piece) > 1
    ]
    drawn = [point for piece in pieces for point in piece]
    alone = [piece[0] for piece in pieces if len(piece) == 1] + drawn[-1:]
    hovered = drawn if len(drawn) <= HOVERED else alone
    return join(paths, [_dot(s.name, point, k, scales, y) for point in hovered])


def _pieces(s: Series, *, log: bool) -> list[list[tuple[float, float]]]:
    """The drawable points, parted where one cannot be drawn, and thinned."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in s.points:
        if _drawable(point[1], log=log):
            pieces[-1].append(point)
        elif pieces[-1]:
            pieces.append([])
    share_of = MOST // len(pieces)
    return [thin(piece, max(2, share_of)) for piece in pieces if piece]


def _dot(
    name: str, point: tuple[float, float], k: int, scales: tuple[Scale, Scale], y: Quantity
) -> Html:
    a, b = point
    title = h("title", f"{name}: {y(b)} at {figure(a)}")
    return h(
        "circle", title, cx=_px(scales[0](a)), cy=_px(scales[1](b)), r=2.5, class_=f"point s{k % 5}"
    )


def _band(s: Series, k: int, scale_x: Scale, scale_y: Scale) -> Html:
    kept = [t for t in s.band if all(_drawable(v, log=scale_y.log) for v in t[1:])]
    upper = [f"{_px(scale_x(a))},{_px(scale_y(high))}" for a, _, high in kept]
    lower = [f"{_px(scale_x(a))},{_px(scale_y(low))}" for a, low, _ in reversed(kept)]
    return h("polygon", points=" ".join(upper + lower), class_=f"band s{k % 5}")


def _legend(series: Sequence[Series]) -> Html | None:
    """Names with their dash; a single line is named by the title alone."""
    if len(series) < 2:
        return None
    return h(
        "span",
        [
            h(
                "span",
                h(
                    "svg",
                    h(
                        "path",
                        d="M1,6L23,6",
                        class_=f"line s{k % 5}",
                        stroke_dasharray=DASHES[k % 5],
                    ),
                    viewBox="0 0 24 12",
                    aria_hidden="true",
                ),
                s.name,
            )
            for k, s in enumerate(series)
        ],
        class_="legend",
    )


def _heights(s: Series) -> list[float]:
    return [b for _, b in s.points] + [v for _, low, high in s.band for v in (low, high)]


def _drawable(value: float, *, log: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log)


def _px(value: float) -> float:
    """Tenths of a pixel are finer than any screen, and shorter than seventeen digits."""
    return round(value, 1)
