"""Claims state themselves before they run, and their tables say what was found."""

import math
from pathlib import Path

import pytest

from solon.catalogue import entries
from solon.claims._claim import ABOVE_HALF, LESS, Outcome, write_table
from solon.claims._pairs import Pairs
from solon.lab.demonstrations import PERFECT, Manners, answer
from solon.lab.town import OpenTown
from solon.statistics import Interval


def found(estimate: float, low: float, high: float) -> Interval:
    return Interval(estimate=estimate, low=low, high=high, n=5)


@pytest.mark.parametrize("entry", entries("claims"), ids=lambda entry: entry.name)
def test_a_claim_cites_predicts_and_uses_five_seeds_or_more(entry) -> None:
    assert "arXiv" in entry.doc
    assert "fixed before looking" in entry.doc
    assert len(entry.load()().seeds) >= 5


@pytest.mark.parametrize(
    ("interval", "bound", "verdict"),
    [
        (found(0.6, 0.55, 0.65), ABOVE_HALF, "holds"),
        (found(0.4, 0.35, 0.45), ABOVE_HALF, "fails"),
        (found(0.52, 0.45, 0.59), ABOVE_HALF, "inconclusive"),
        (found(-0.2, -0.3, -0.1), LESS, "holds"),
        (found(0.0, -math.inf, math.inf), LESS, "inconclusive"),
    ],
)
def test_a_prediction_holds_only_where_its_whole_interval_does(
    interval: Interval, bound: tuple[float, float], verdict: str
) -> None:
    assert Outcome.of("x", interval, bound).verdict == verdict


def test_the_table_shows_a_failed_claim_as_failed(tmp_path: Path) -> None:
    outcome = Outcome.of("A beats B", found(0.4, 0.3, 0.45), ABOVE_HALF, published="71 %")
    write_table(tmp_path / "claims.md", {"a_claim": [outcome]}, "make claims")
    text = (tmp_path / "claims.md").read_text()
    assert "| A beats B | above 0.5 | 0.400 | 0.300 to 0.450 | 5 | **fails** | 71 % |" in text


def test_a_claim_that_was_not_run_again_keeps_its_section(tmp_path: Path) -> None:
    path = tmp_path / "claims.md"
    outcome = Outcome.of("A beats B", found(0.6, 0.55, 0.65), ABOVE_HALF)
    write_table(path, {"older": [outcome], "other": [outcome]}, "make claims")
    changed = Outcome.of("A beats B", found(0.4, 0.3, 0.45), ABOVE_HALF)
    write_table(path, {"other": [changed]}, "make claims")
    _, older, other = path.read_text().split("## ")
    assert older.startswith("older\n")
    assert "**holds**" in older
    assert other.startswith("other\n")
    assert "**fails**" in other
    assert path.read_text().count("## ") == 2


def test_the_better_arm_wins_pair_by_pair() -> None:
    import numpy as np

    prompts = OpenTown(seed=3).take(40)
    draw = np.random.default_rng(0)
    good = [[answer(one, PERFECT, draw) for one in prompts] for _ in range(3)]
    mixed = [[answer(one, Manners(), draw) for one in prompts] for _ in range(3)]
    pairs = Pairs.of(good, mixed)
    assert pairs.rate.low > 0.5
    assert Pairs.of(good, good).rate.estimate == 0.5
    assert pairs.rate.n == 120
