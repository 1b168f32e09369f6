"""The claims of the pool world: whole, on one small pool, and each prediction able to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.claims import (
    coadaptation_keeps_blind_spots as coadaptation,
)
from solon.claims import ensembles_help_but_share_bias as ensembles
from solon.claims import overoptimisation_follows_gao as gao
from solon.claims import proxy_compression_interacts as compression
from solon.claims._claim import Outcome

SMALL = 30_000
Measured = Mapping[str, float | Sequence[float]]


def verdicts(
    predictions: Callable[[Mapping[str, Any]], list[Outcome]], figures: Measured
) -> dict[str, str]:
    """Of five seeds that agree but for a hair."""
    column = {name: np.full(5, value) + np.linspace(0, 1e-9, 5) for name, value in figures.items()}
    return {one.says: one.verdict for one in predictions(column)}


def test_compression_costs_little_at_low_pressure_and_much_at_high() -> None:
    claim = compression.ProxyCompressionInteracts(size=SMALL)
    figures = compression.measure(Path(), claim, 0)
    assert set(verdicts(compression.predictions, figures).values()) == {"holds"}


def test_an_evaluator_that_loses_nothing_fails_the_claim_of_compression() -> None:
    claim = compression.ProxyCompressionInteracts(size=SMALL)
    figures = dict(compression.measure(Path(), claim, 0))
    for kl in compression.KLS:
        figures[f"1 at {kl:g}"] = figures[f"4 at {kl:g}"]
    found = verdicts(compression.predictions, figures)
    assert found["the same at 7 nats"] == "fails"
    assert found["gold seeing one, 7 nats less 0.5"] == "fails"


def test_retraining_by_the_same_judge_keeps_its_style_and_an_audit_takes_some() -> None:
    claim = coadaptation.CoadaptationKeepsBlindSpots(size=SMALL)
    figures = coadaptation.measure(Path(), claim, 0)
    found = verdicts(coadaptation.predictions, figures)
    assert found["style, retrained by the same judge"] == "holds"
    assert found["style, audited less retrained"] == "holds"
    mended = dict(figures) | {"retrained/style": 0.0}
    broken = verdicts(coadaptation.predictions, mended)
    assert broken["style, retrained by the same judge"] == "fails"
    assert broken["style, retrained by the same judge less static"] == "fails"


def test_the_worst_of_five_helps_where_errors_are_their_own_only() -> None:
    claim = ensembles.EnsemblesHelpButShareBias(size=SMALL)
    figures = ensembles.measure(Path(), claim, 0)
    found = verdicts(ensembles.predictions, figures)
    assert found["own errors: gold at the end, worst less a member"] == "holds"
    assert found["shared error: gold at the end, worst less a member"] == "holds"
    cured = dict(figures) | {"shared/worst/end": 5.0}
    assert (
        verdicts(ensembles.predictions, cured)["shared error: gold at the end, worst less a member"]
        == "fails"
    )


@pytest.mark.parametrize("kind", ["straight", "bent"])
def test_best_of_n_bends_where_the_proxy_cannot(kind: str) -> None:
    pool = gao.Pool(size=SMALL, seed=0)
    proxy = gao.Proxy(hinges=gao.BENDS if kind == "bent" else ())
    score = proxy.fitted(gao.Labels.fresh(2_000, seed=[0, 2_000]))(pool.traits)
    found = gao.best_of(pool, score)
    assert found["least rise"] > 0
    assert (found["fall"] > 0.3) == (kind == "straight")
    assert (found["beta"] > 0.35) == (kind == "straight")


def test_a_curve_of_the_form_is_explained_and_foretold() -> None:
    figures = {
        f"{kind} {data}/{what}": value
        for kind in ("straight", "bent")
        for data in gao.DATA
        for what, value in {
            "alpha": 1.0,
            "beta": 0.2,
            "explained": 0.99,
            "peak": 2.5,
            "fall": 0.1,
            "least rise": 0.01,
            "foretold": 0.02,
        }.items()
    } | {"tilted, log form": 0.99, "tilted, line form": 0.98}
    found = verdicts(gao.predictions, figures)
    assert found["its gold at the peak less at the end"] == "holds"
    steeper = verdicts(gao.predictions, {**figures, "bent 2000/beta": 0.3})
    assert steeper["beta, bent less straight"] == "fails"
    assert found["error beyond 6 nats of a fit below, bent, 20,000"] == "holds"
    flat = verdicts(gao.predictions, {**figures, "straight 2000/least rise": -0.1})
    assert "fails" in flat.values()
