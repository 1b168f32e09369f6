from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
import pytest

from solon.audits.overoptimisation import (
    Form,
    Overoptimisation,
    Point,
    best_of_n_points,
    fitted,
    read_points,
)
from solon.errors import DataError, InputError
from solon.records import Finding

BON = {"form": "best_of_n", "alpha": 1.0, "beta": 0.2}
RL = {"form": "reinforcement", "alpha": 1.0, "beta": 0.5}


def _gold(d: np.ndarray, form: Form, alpha: float, beta: float) -> np.ndarray:
    bent = d if form == "best_of_n" else np.log(np.maximum(d, 1e-12))
    return d * (alpha - beta * bent)


def _points(
    form: Form, alpha: float, beta: float, *, seeds: int = 12, far: float = 5.0, noise: float = 0.1
) -> list[Point]:
    rng = np.random.default_rng(0)
    d = np.linspace(0, far, 16)
    made: list[Point] = []
    for seed in range(seeds):
        gold = 3.0 + _gold(d, form, alpha, beta) + rng.normal(0, noise, 16) * (d > 0)
        gold = gold + rng.normal(0, noise) * d  # each seed has its own fate
        proxy = -1.0 + 0.8 * d + rng.normal(0, noise, 16) * (d > 0)
        rows = zip((d**2).tolist(), proxy.tolist(), gold.tolist(), strict=True)
        made += [Point(kl=k, proxy=p, gold=g, cluster=f"s{seed}") for k, p, g in rows]
    return made


def _found(points: list[Point], form: Form) -> dict[str, Finding]:
    return {f.quantity: f for f in Overoptimisation(form=form, draws=400)(points)}


@pytest.mark.parametrize(("planted", "peak"), [(BON, (2.5, 1.25)), (RL, (np.e, np.e / 2))])
def test_the_planted_curve_and_its_peak_are_recovered(
    planted: dict[str, float], peak: tuple[float, float]
) -> None:
    found = _found(_points(**planted), planted["form"])
    for quantity in ("alpha", "beta"):
        assert found[quantity].low < planted[quantity] < found[quantity].high
    assert found["peak_d"].low < peak[0] < found["peak_d"].high
    assert found["peak_gold"].low < peak[1] < found["peak_gold"].high
    assert found["peak_d"].high - found["peak_d"].low < 1.0
    assert found["proxy_slope"].low < 0.8 < found["proxy_slope"].high


def test_gold_that_falls_while_the_proxy_rises_warns() -> None:
    found = _found(_points(**BON), "best_of_n")
    assert found["gold_slope"].verdict == "warn"
    assert found["proxy_slope"].low > 0
    # the slope of d (1 - d / 5) over the last third of [0, 5], at its middle
    assert found["gold_slope"].low < 1 - 0.4 * 25 / 6 < found["gold_slope"].high


def test_the_same_judge_stopped_early_passes() -> None:
    found = _found(_points(**BON, far=1.8), "best_of_n")
    assert found["gold_slope"].verdict == "pass"
    assert "beyond the data" in found["peak_d"].note


def test_gold_that_only_rises_has_no_peak() -> None:
    found = _found(_points("best_of_n", 0.5, -0.05), "best_of_n")
    assert found["gold_slope"].verdict == "pass"
    assert found["beta"].high < 0
    assert "peak_d" not in found


def test_one_run_is_resampled_in_blocks_and_says_so() -> None:
    found = _found(_points(**BON, seeds=1), "best_of_n")
    assert found["gold_slope"].note == "one cluster: blocks of points were resampled"
    assert found["gold_slope"].verdict == "warn"
    assert found["proxy_slope"].low < 0.8 < found["proxy_slope"].high
    few = _found(_points(**BON, seeds=3), "best_of_n")
    assert few["gold_slope"].note == "3 clusters: the interval is too narrow"


def test_best_of_n_against_a_proxy_that_is_half_right() -> None:
    rng = np.random.default_rng(1)
    samples: dict[str, tuple[list[float], list[float]]] = {}
    for k in range(60):
        gold = rng.normal(size=256)
        # the proxy's far tail is where gold is worst: the hack that only pressure finds
        hacked = rng.random(256) < 0.01
        proxy = np.where(hacked, 5 + rng.normal(size=256), gold + 0.7 * rng.normal(size=256))
        samples[f"p{k}"] = (proxy.tolist(), np.where(hacked, gold - 3, gold).tolist())
    sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    points = best_of_n_points(samples, sizes)
    assert len(points) == 60 * 9
    assert points[0].kl == 0
    assert points[8].kl == pytest.approx(np.log(256) - 255 / 256)
    found = _found(points, "best_of_n")
    assert found["gold_slope"].verdict == "warn"
    assert found["proxy_slope"].low > 0
    assert 0.3 < found["peak_d"].estimate < 1.8


def test_points_too_few_or_too_sparse_are_refused() -> None:
    with pytest.raises(InputError, match="four or more values"):
        Overoptimisation()([Point(kl=float(k), proxy=0.0, gold=0.0) for k in range(4)])
    sparse = [Point(kl=kl, proxy=0.0, gold=0.0) for kl in (0.1, 0.2, 0.3, 9.0)]
    with pytest.raises(InputError, match="widen tail"):
        Overoptimisation()(sparse)
    with pytest.raises(InputError, match="kl >= 0"):
        Overoptimisation()([*sparse, Point(kl=-1.0, proxy=0.0, gold=0.0)])


def test_points_are_read_from_a_file(tmp_path: Path) -> None:
    points = _points(**BON)
    path = tmp_path / "points.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(asdict(point)) for point in points))
    audit = Overoptimisation(draws=50)
    assert audit.read(path) == read_points(path) == points
    assert audit.recorded(read_points(path)) == audit(points)
    path.write_text('{"kl": 1, "proxy": 2, "gold": null}')
    with pytest.raises(DataError, match=r"row 1, field 'gold': expected a finite number, got None"):
        read_points(path)


def test_a_fit_recovers_its_form_says_what_it_explains_and_foretells() -> None:
    d = np.linspace(0.2, 3.0, 30)
    line = fitted(d, d * (1.0 - 0.25 * d), "best_of_n")
    assert (line.alpha, line.beta, line.explained) == pytest.approx((1.0, 0.25, 1.0))
    assert (line.peak, line.height) == pytest.approx((2.0, 1.0))
    assert line(np.array([4.0])) == pytest.approx([0.0])
    log = fitted(d, d * (1.0 - 0.5 * np.log(d)), "reinforcement")
    assert (log.alpha, log.beta, log.explained) == pytest.approx((1.0, 0.5, 1.0))
    assert (log.peak, log.height) == pytest.approx((np.e, 0.5 * np.e))
    assert fitted(d, d * (1.0 - 0.5 * np.log(d)), "best_of_n").explained < 0.999
    assert fitted(d, d * 1.1 + 0.1 * d**2, "best_of_n").peak == float("inf")  # it bends upwards


def test_a_form_that_holds_foretells_the_end_and_another_does_not() -> None:
    held = _found(_points("best_of_n", 1.0, 0.2, noise=0.02), "best_of_n")["extrapolation_error"]
    other = _found(_points("reinforcement", 1.0, 0.5, noise=0.02), "best_of_n")[
        "extrapolation_error"
    ]
    assert held.high < 0.15
    # the parabola through the first two thirds falls faster than d (1 - 0.5 ln d) does
    assert other.low > 0.15
    assert "fitted below d = 3.33" in held.note


def test_points_too_few_before_the_end_foretell_nothing() -> None:
    points = [Point(kl=d * d, proxy=d, gold=d) for d in (0.0, 1.0, 2.0, 4.5, 5.0)]
    assert "extrapolation_error" not in _found(points, "best_of_n")
