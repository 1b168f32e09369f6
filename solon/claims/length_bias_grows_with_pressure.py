"""The harder a policy climbs a reward that likes length, the longer it gets, and gold is lost.

Gao et al. (arXiv 2210.10760) and the reviews of length bias after it: a small preference of the
proxy for length does little under a strong KL penalty and takes over without one.

From one supervised start per seed: a proxy with 0.1 logits a word is climbed under three
coefficients of the KL penalty (0.3, 0.1, 0.03), and one without that liking under the last. The
town minds padding four times as much as the proxy does. Words and gold are of 300 test prompts.

Predictions, fixed before looking at any seed but 0: answers grow longer from each pressure to the
next; under the highest pressure answers are longer than those of the proxy without the liking; gold
under the highest pressure is below gold under the lowest, and below the start's; without the liking
the highest pressure raises gold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.claims._arms import prepare
from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._pressure import PRESSURES, arms, found
from solon.claims._seeds import Column
from solon.statistics import mean

NAMES = (*(f"length-{pressure}" for pressure in PRESSURES), "even-high")


@dataclass(frozen=True, kw_only=True)
class LengthBiasGrowsWithPressure:
    """Three pressures on a proxy that likes length, and the highest on one that does not."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        arms(root, self.seeds)
        column = measured(root, self.seeds)
        return [*predictions(column), *levels(column)]


def measured(root: Path, seeds: tuple[int, ...]) -> Column:
    """Words and gold of the start and of every arm, one row a seed."""
    made = {name: [found(root, name, seed) for seed in seeds] for name in NAMES}
    column = {
        f"{name}/{what}": np.array([one["final"][what] for one in of])
        for name, of in made.items()
        for what in ("words", "gold")
    }
    start = made[NAMES[0]]
    return column | {
        f"start/{what}": np.array([one["sft"][what] for one in start]) for what in ("words", "gold")
    }


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    words = {name: column[f"{name}/words"] for name in NAMES}
    golds = {name: column[f"{name}/gold"] for name in ("start", *NAMES)}
    return [
        Outcome.of(
            "words, middle pressure less low",
            mean(words["length-middle"] - words["length-low"]),
            MORE,
        ),
        Outcome.of(
            "words, high pressure less middle",
            mean(words["length-high"] - words["length-middle"]),
            MORE,
        ),
        Outcome.of(
            "words that the liking adds at high pressure",
            mean(words["length-high"] - words["even-high"]),
            MORE,
        ),
        Outcome.of(
            "gold, high pressure less low",
            mean(golds["length-high"] - golds["length-low"]),
            LESS,
        ),
        Outcome.of(
            "gold, high pressure less the start", mean(golds["length-high"] - golds["start"]), LESS
        ),
        Outcome.of(
            "gold without the liking, high pressure less the start",
            mean(golds["even-high"] - golds["start"]),
            MORE,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """The start and every arm."""
    return [
        Outcome.of(f"{what}, {name}", mean(column[f"{name}/{what}"]), UNBOUND)
        for what in ("words", "gold")
        for name in ("start", *NAMES)
    ]
