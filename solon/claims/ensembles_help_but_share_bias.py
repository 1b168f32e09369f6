"""An ensemble of reward models loses less gold under pressure, and keeps the bias that all share.

Coste et al. (arXiv 2310.02743): the worst of the members, and their mean less a multiple of their
variance, remove most of the overoptimisation of best-of-n. Eisenstein et al. (arXiv 2312.09244):
ensembles help and are no cure, as members share their errors.

In the pool world, twice: five members whose errors are their own (one bend of length, as gold has
it, fitted to 100 comparisons each) and five that share one (length as a straight line, 50
comparisons each, as much as such a line needs). They are standardised and combined: mean, worst,
uncertainty-weighted (mean - 0.5 var). Best-of-n for 16 n up to 30,000; gold is in standard
deviations, at the largest n. What members see and how much they learn from was chosen on seed 0.

Predictions, fixed before looking at any other seed: where errors are their own, each combination
ends with more gold than a member does on average, and the worst with more than the mean; where the
error is shared, the worst gains less than a half over a member, and less than where it is not;
every combination then ends below its own peak, and the worst at a length more than 0.5 beyond the
one that gold asks for (1.5, where its derivative is 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from solon.claims._claim import MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.pool import Floats, Labels, Pool, Proxy, standardised
from solon.objectives.reward import mean as average
from solon.objectives.reward import uncertainty_weighted, worst
from solon.statistics import mean

MEMBERS = 5
WEIGHT = 0.5
NS = np.unique(np.round(np.geomspace(1, 30_000, 16)).astype(int))
BEST_LENGTH = 1.5  # 0.5 - (l - 1) = 0
COMBINED = ("mean", "worst", "uncertainty-weighted")
SETTINGS = {"own": (Proxy(hinges=(1.0,)), 100), "shared": (Proxy(), 50)}
"""By whose the errors are: what a member sees, and the comparisons it learns from."""


@dataclass(frozen=True, kw_only=True)
class EnsemblesHelpButShareBias:
    """Five members and three combinations of them, twice, from one pool per seed."""

    seeds: tuple[int, ...] = SEEDS
    size: int = 300_000

    def __call__(self, root: Path) -> list[Outcome]:
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def folder(root: Path, seed: int) -> Path:
    return root / f"ensembles-s{seed}"


def measure(
    root: Path, claim: EnsemblesHelpButShareBias, seed: int
) -> dict[str, float | Sequence[float]]:
    """Gold at the peak and at the end, and length at the end."""
    del root
    pool = Pool(size=claim.size, seed=seed)
    return {
        f"{errors}/{name}": value
        for errors, (proxy, comparisons) in SETTINGS.items()
        for name, value in combined(pool, proxy, comparisons, seed).items()
    }


def combined(pool: Pool, proxy: Proxy, comparisons: int, seed: int) -> dict[str, float]:
    """A member's averages, and each combination."""
    members = [
        standardised(proxy.fitted(Labels.fresh(comparisons, seed=[seed, k]))(pool.traits))
        for k in range(MEMBERS)
    ]
    ends = [pushed(pool, member) for member in members]
    found = {
        f"member/{what}": float(np.mean([end[what] for end in ends]))
        for what in ("end", "peak", "length")
    }
    stacked = torch.from_numpy(np.stack(members))
    scores = (average(stacked), worst(stacked), uncertainty_weighted(stacked, WEIGHT))
    for name, score in zip(COMBINED, scores, strict=True):
        found |= {f"{name}/{what}": value for what, value in pushed(pool, score.numpy()).items()}
    return found


def pushed(pool: Pool, score: Floats) -> dict[str, float]:
    """Best-of-n by this score along n."""
    along = [pool.best_of(int(n), score) for n in NS]
    golds = [one.mean(pool.gold) for one in along]
    return {"end": golds[-1], "peak": max(golds), "length": along[-1].mean(pool.length)}


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    own = {name: column[f"own/{name}/end"] for name in ("member", *COMBINED)}
    shared = {name: column[f"shared/{name}/end"] for name in ("member", *COMBINED)}
    gain = shared["worst"] - shared["member"]
    return [
        *(
            Outcome.of(
                f"own errors: gold at the end, {name} less a member",
                mean(own[name] - own["member"]),
                MORE,
            )
            for name in COMBINED
        ),
        Outcome.of(
            "own errors: gold at the end, worst less mean", mean(own["worst"] - own["mean"]), MORE
        ),
        Outcome.of(
            "shared error: gold at the end, worst less a member", mean(gain), (UNBOUND[0], 0.5)
        ),
        Outcome.of(
            "what the worst gains over a member, own errors less shared",
            mean(own["worst"] - own["member"] - gain),
            MORE,
        ),
        *(
            Outcome.of(
                f"shared error: gold at the peak less at the end, {name}",
                mean(column[f"shared/{name}/peak"] - shared[name]),
                MORE,
            )
            for name in COMBINED
        ),
        Outcome.of(
            "shared error: length at the worst's end beyond the best length",
            mean(column["shared/worst/length"] - BEST_LENGTH),
            (0.5, MORE[1]),
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Gold and length of a member and of every combination."""
    return [
        Outcome.of(f"{errors}: {what}, {name}", mean(column[f"{errors}/{name}/{key}"]), UNBOUND)
        for errors in SETTINGS
        for what, key in (("gold at the peak", "peak"), ("gold at the end", "end"))
        for name in ("member", *COMBINED)
    ]
