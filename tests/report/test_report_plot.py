from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from solon.report.figure import quantity
from solon.report.plot import Series, plot, share, thin, whisker
from solon.report.scale import Scale

LINE = Series(name="gold", points=((0, 0.0), (50, 0.5), (100, 1.0)))


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+\.?\d*", text)]


def test_a_line_runs_through_the_right_pixels() -> None:
    drawn = plot([LINE], x="step", y=quantity("gold"))
    # 4 % of room on each side of the 300 by 172 pixels between the margins.
    path = re.search(r'd="(M[^"]*)"', drawn)
    assert path is not None
    assert numbers(path[1]) == [59.1, 175.6, 198.0, 96.0, 336.9, 16.4]


def test_every_point_of_a_short_line_says_its_value() -> None:
    drawn = plot([LINE], x="step", y=quantity("gold"))
    assert "<title>gold: 0.5 at 50</title>" in drawn
    assert drawn.count("<circle") == 3


def test_axes_have_labels_ticks_units_and_a_name_for_those_who_cannot_see() -> None:
    drawn = plot([LINE], x="step", y=quantity("win rate"))
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert shown[:6] == ["0", "20", "40", "60", "80", "100"]
    assert shown[-1] == "step"
    assert "<b>win rate (%)</b>" in drawn
    assert 'aria-label="win rate (%) against step: gold"' in drawn


def test_a_missing_value_leaves_a_gap() -> None:
    points = ((0, 1.0), (1, 2.0), (2, math.nan), (3, 2.0), (4, 3.0))
    drawn = plot([Series(name="loss", points=points)], x="step", y=quantity("loss"))
    assert drawn.count("<path") == 2
    assert "nan" not in drawn


def test_nothing_finite_is_said_instead_of_drawn() -> None:
    drawn = plot([Series(name="loss", points=((0, math.nan),))], x="step", y=quantity("loss"))
    assert "<svg" not in drawn
    assert "No finite value" in drawn


def test_a_log_plot_says_so_and_leaves_out_what_has_no_logarithm() -> None:
    points = ((0, 1e-4), (1, 0.0), (2, 1e-1), (3, 1e2))
    drawn = plot([Series(name="lr", points=points)], x="step", y=quantity("lr"), log=True)
    assert "log scale" in drawn
    assert drawn.count("<circle") == 3


def test_series_differ_by_dash_as_well_as_colour_and_stand_in_a_legend() -> None:
    other = Series(name="<helpful>", points=LINE.points, band=((0, 0, 0.1), (100, 0.9, 1.0)))
    drawn = plot([LINE, other], x="step", y=quantity("gold"))
    assert 'class="line s1" stroke-dasharray="6 3"' in drawn
    assert 'class="legend"' in drawn
    assert "&lt;helpful&gt;" in drawn
    assert drawn.count("<polygon") == 1
    ElementTree.fromstring(drawn)


def test_thinning_keeps_order_and_both_extremes() -> None:
    points = [(float(k), math.sin(k / 9)) for k in range(10_000)]
    points[4321] = (4321.0, 9.0)
    kept = thin(points)
    assert len(kept) <= 242
    assert (4321.0, 9.0) in kept
    assert kept == sorted(kept)
    assert thin(points[:100]) == points[:100]


def test_a_whisker_shows_estimate_interval_and_the_bound_within_the_scale() -> None:
    scale = Scale(low=0, high=1, start=0, stop=100)
    drawn = whisker((0.5, 0.25, 0.75), scale, bound=(0.0, math.inf))
    assert 'cx="50.0"' in drawn
    assert 'x1="25.0" x2="75.0"' in drawn
    assert '<rect x="0.0" y="1" width="100.0"' in drawn


def test_a_probability_fills_its_share_of_the_bar() -> None:
    assert 'width="30.0" height="8" class="fill"' in share(0.25, label="p")
    assert 'width="120.0" height="8" class="fill"' in share(1.7, label="p")


def test_steps_have_whole_ticks() -> None:
    drawn = plot([Series(name="loss", points=((0, 1.0), (1, 2.0)))], x="step", y=quantity("loss"))
    assert re.findall(r'<text[^>]*class="middle">([^<]*)</text>', drawn) == ["0", "1", "step"]
