"""To retrain a reward model on the policy's own pairs, labelled by the same judge, mends no bias.

The proxy compression hypothesis (arXiv 2604.13602, a survey) calls it co-adaptation of evaluator
and policy; it gives no numeric test, and this one is our formulation.

In the pool world a judge prefers gold plus 0.5 times a style that is worth nothing. A reward model
that can see the style is fitted to 4,000 of its comparisons and climbed in four rounds to 1.5, 3,
4.5 and 6 nats; ``retrained`` it learns after each round from 4,000 more, of pairs that the policy
of that round drew; ``static`` it does not. ``audited`` is retrained too, with the true reward as
its judge from the third round on. Style is in its own standard deviations, at 6 nats.

Predictions, fixed before looking at any seed but 0: by the same judge, retraining changes the style
by at most 0.3 either way, and leaves more than 1 of it; where gold labels from the start, style
stays within 0.5 of none; the audit takes style away from what the same judge leaves, and gives
gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.pool import Floats, Labels, Pool, Proxy, Pushed
from solon.statistics import mean

LIKING = 0.5
ROUNDS = (1.5, 3.0, 4.5, 6.0)
COMPARISONS = 4_000
SEES = Proxy(sees=("quality", "length", "padding", "style"), hinges=(1.0,))
ARMS = {
    "static": (LIKING,),
    "retrained": (LIKING,) * (len(ROUNDS) + 1),
    "audited": (LIKING, LIKING, 0.0, 0.0, 0.0),
    "gold, static": (0.0,),
    "gold, retrained": (0.0,) * (len(ROUNDS) + 1),
}
"""By name, how much the judge of each round likes style; one round alone is no retraining."""


@dataclass(frozen=True, kw_only=True)
class CoadaptationKeepsBlindSpots:
    """Five ways to label, from one pool per seed."""

    seeds: tuple[int, ...] = SEEDS
    size: int = 200_000

    def __call__(self, root: Path) -> list[Outcome]:
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def folder(root: Path, seed: int) -> Path:
    return root / f"coadaptation-s{seed}"


def measure(
    root: Path, claim: CoadaptationKeepsBlindSpots, seed: int
) -> dict[str, float | Sequence[float]]:
    """Style and gold at the end of each arm."""
    del root
    pool = Pool(size=claim.size, seed=seed)
    found: dict[str, float | Sequence[float]] = {}
    for name, likings in ARMS.items():
        end = climbed(pool, likings, seed)
        found |= {f"{name}/style": end.mean(pool.style), f"{name}/gold": end.mean(pool.gold)}
    return found


def climbed(pool: Pool, likings: Sequence[float], seed: int) -> Pushed:
    """The policy after the last round."""
    labels = Labels.fresh(COMPARISONS, seed=[seed, 3], liking=likings[0])
    score = SEES.fitted(labels)(pool.traits)
    for number, (kl, liking) in enumerate(zip(ROUNDS, likings[1:], strict=False)):
        labels = labels.and_(paired(pool, pool.tilted(score, kl), liking, [seed, number]))
        score = SEES.fitted(labels)(pool.traits)
    return pool.tilted(score, ROUNDS[-1])


def paired(pool: Pool, policy: Pushed, liking: float, seed: Sequence[int]) -> Labels:
    """Comparisons of what the policy draws."""
    draw = np.random.default_rng([*seed, 4])
    sides: list[Floats] = [
        pool.traits[draw.choice(pool.size, COMPARISONS, p=policy.weights)] for _ in range(2)
    ]
    return Labels.of(sides[0], sides[1], liking)


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    style = {name: column[f"{name}/style"] for name in ARMS}
    golds = {name: column[f"{name}/gold"] for name in ARMS}
    return [
        Outcome.of(
            "style, retrained by the same judge less static",
            mean(style["retrained"] - style["static"]),
            (-0.3, 0.3),
        ),
        Outcome.of("style, retrained by the same judge", mean(style["retrained"]), (1.0, MORE[1])),
        Outcome.of("style, retrained by gold", mean(style["gold, retrained"]), (-0.5, 0.5)),
        Outcome.of(
            "style, audited less retrained", mean(style["audited"] - style["retrained"]), LESS
        ),
        Outcome.of(
            "gold, audited less retrained", mean(golds["audited"] - golds["retrained"]), MORE
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Style and gold of every arm."""
    return [
        Outcome.of(f"{what}, {name}", mean(column[f"{name}/{what}"]), UNBOUND)
        for what in ("style", "gold")
        for name in ARMS
    ]
