"""A model that also judges its own judgements keeps judging well, at a length that is held down.

Wu et al. (Meta-Rewarding, arXiv 2407.19594): the judge's agreement with a stronger one goes from
51.8 to 61.2 % by the third round; with length control 1949 to 2064 characters against 2212 without;
ahead of self-rewarding with the same length control (35.5 and 39.4 % after four rounds); and the
judge's mean score drifts from 4.1 to above 4.7, so that it is taught in two rounds only.

Per seed one start: the supervised model after answers, judgements and judgements of judgements in
one set. Four rounds of 160 fresh prompts, 4 completions, 5 votes each. Arms: meta (judge taught in
two rounds, rho = 0.32); without teaching the judge (self-rewarding with length control); rho = 0;
the judge taught throughout. No arm stops by itself at a drift, so that the drift can be seen.

Predictions, fixed before looking at any seed but 0, on which the rate was chosen: after two rounds
and at the end the judge is more accurate with meta than without; at the end completions are longer
with rho = 0 than with rho = 0.32; the judge's scores of the same completions have moved further (in
either direction: on seed 0 down, in the paper up) where it was taught throughout than where it was
not taught; and gold is higher with meta than without at the end (as in the paper; on seed 0 it was
lower).

What the town lacks: a judgement is one number, so that a better one holds no better reasoning; the
model tells the better of two ratings in about 7 of 10 cases, after lessons in just that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.bench.town import META_JUDGE, RUBRIC
from solon.claims._arms import prepare
from solon.claims._claim import MORE, SEEDS, Outcome
from solon.claims._joint import FIT, ROUNDS, joint, level, measured
from solon.claims._seeds import Column, columns
from solon.lab.town import Town
from solon.recipes.meta_rewarding import MetaRewarding
from solon.run.run import Run
from solon.stages.self_judge import SelfJudge
from solon.statistics import mean

ARMS: Mapping[str, tuple[float, int]] = {
    "meta": (0.32, 2),
    "judge not taught": (0.32, 0),
    "rho 0": (0.0, 2),
    "taught throughout": (0.32, ROUNDS),
}


@dataclass(frozen=True, kw_only=True)
class MetaRewardingKeepsJudging:
    """Four arms of four rounds, from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    take: int = 160
    """Fresh prompts in each round."""
    n: int = 4
    """Completions of each."""
    tests: int = 200
    """Test prompts."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking. Columns are [seed, model] or [seed, round]."""
    better = column["meta/accuracy"] - column["judge not taught/accuracy"]
    longer = column["rho 0/length"] - column["meta/length"]
    further = np.abs(column["taught throughout/drift"]) - np.abs(column["judge not taught/drift"])
    richer = column["meta/gold"] - column["judge not taught/gold"]
    return [
        Outcome.of(
            "the judge's accuracy at M3, meta less not taught",
            mean(better[:, 2]),
            MORE,
            published="51.8 to 61.2 %",
        ),
        Outcome.of("the same at M5", mean(better[:, 4]), MORE),
        Outcome.of(
            "characters at M5, rho = 0 less rho = 0.32",
            mean(longer[:, 4]),
            MORE,
            published="2212 against at most 2064",
        ),
        Outcome.of(
            "drift of the judge's scores at M4, taught throughout less not taught",
            mean(further[:, 3]),
            MORE,
            published="4.1 to above 4.7",
        ),
        Outcome.of(
            "gold at M5, meta less not taught",
            mean(richer[:, 4]),
            MORE,
            published="39.4 and 35.5 % of wins",
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Gold against M1 after the last round, with every round beside it."""
    also = ("gold", "accuracy", "length", "drift", "judge_pairs", "tie_rate")
    return [level(column, arm, arm, also) for arm in ARMS]


def folder(root: Path, seed: int) -> Path:
    return root / f"meta-rewarding-s{seed}"


def measure(root: Path, claim: MetaRewardingKeepsJudging, seed: int) -> dict[str, list[float]]:
    """All arms of a seed, and everything that is measured of them."""
    place = folder(root, seed)
    start, found = joint(root, seed), dict[str, list[float]]()
    for arm, (rho, judge_rounds) in ARMS.items():
        recipe = MetaRewarding(
            prompts=Town(),
            policy=start,
            iterations=ROUNDS,
            rate=SelfJudge(take=claim.take, n=claim.n, rubric=RUBRIC),
            meta=META_JUDGE,
            rho=(rho,),
            judge_rounds=judge_rounds,
            drift=float("inf"),
            prefer=FIT,
        )
        with Run(place / arm, seed=seed) as run:
            recipe(run)
            found |= measured(run, arm, claim.tests, ("drift", "judge_pairs", "tie_rate"))
    return found
