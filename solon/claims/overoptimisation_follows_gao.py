"""Gold along the root of KL bends as Gao et al. found, and more of a better proxy bends it later.

Gao, Schulman & Hilton (arXiv 2210.10760): d = sqrt(KL); best-of-n R(d) = d (alpha - beta d),
reinforcement R(d) = d (alpha - beta ln d); the proxy's own score goes on rising; beta falls with
the reward model's size and its data; a fit on small KL foretells the rest.

In the pool world (``solon.lab.pool``): proxies that see length as a straight line, and proxies with
four bends of it (capacity), fitted to 50, 2,000 and 20,000 comparisons. Best-of-n for 24 n up to
30,000, exactly; "reinforcement" is exact tilting by exp(b proxy), the optimum of a KL penalty, and
no policy gradient. Both forms are fitted by least squares.

Predictions, fixed before looking at any seed but 0: the straight proxy's score rises at every n,
and its gold ends below its peak; the form explains at least 0.9 of its gold, and 0.98 of the bent
one's; beta is less with bends than without and less on 20,000 comparisons than on 50, and gold
peaks later with bends; a fit of the bent one on KL below 6 nats foretells the rest within 0.15
standard deviations of gold; the logarithmic form explains tilting of the bent proxy better than
best-of-n's form does, and at least 0.95 of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.audits.overoptimisation import fitted
from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.pool import Floats, Labels, Pool, Proxy, standardised
from solon.statistics import mean

NS = np.unique(np.round(np.geomspace(1, 30_000, 24)).astype(int))
KLS = np.geomspace(0.05, 9.0, 20)
BENDS = (0.5, 1.0, 1.5, 2.0)
DATA = (50, 2_000, 20_000)
EARLY = 6.0


@dataclass(frozen=True, kw_only=True)
class OveroptimisationFollowsGao:
    """Six proxies of one pool per seed: three amounts of data, with bends and without."""

    seeds: tuple[int, ...] = SEEDS
    size: int = 300_000

    def __call__(self, root: Path) -> list[Outcome]:
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def folder(root: Path, seed: int) -> Path:
    return root / f"gao-s{seed}"


def measure(
    root: Path, claim: OveroptimisationFollowsGao, seed: int
) -> dict[str, float | Sequence[float]]:
    """The fits of each proxy, and what the claim says of two of them."""
    del root
    pool = Pool(size=claim.size, seed=seed)
    scores = {
        f"{kind} {data}": Proxy(hinges=bends).fitted(Labels.fresh(data, seed=[seed, data]))(
            pool.traits
        )
        for kind, bends in (("straight", ()), ("bent", BENDS))
        for data in DATA
    }
    found: dict[str, float | Sequence[float]] = {}
    for name, score in scores.items():
        for what, value in best_of(pool, score).items():
            found[f"{name}/{what}"] = value
    return found | tilting(pool, scores["bent 20000"])


def best_of(pool: Pool, score: Floats) -> dict[str, float]:
    """Of best-of-n by this score: its fit, its peak, and how well early pressure foretells late."""
    pushed = [pool.best_of(int(n), score) for n in NS]
    own = standardised(score)
    proxy = np.array([one.mean(own) for one in pushed])
    d, gold = np.array([one.d for one in pushed]), np.array([one.mean(pool.gold) for one in pushed])
    fit, early = fitted(d, gold, "best_of_n"), d**2 < EARLY
    foretold = fitted(d[early], gold[early], "best_of_n")(d[~early])
    return {
        "alpha": fit.alpha,
        "beta": fit.beta,
        "explained": fit.explained,
        "peak": float(d[gold.argmax()]),
        "fall": float(gold.max() - gold[-1]),
        "least rise": float(np.diff(proxy).min()),
        "foretold": float(np.abs(foretold - gold[~early]).mean()),
    }


def tilting(pool: Pool, score: Floats) -> dict[str, float]:
    """What either form explains of gold along exact tilting."""
    pushed = [pool.tilted(score, kl) for kl in KLS]
    d, gold = np.array([one.d for one in pushed]), np.array([one.mean(pool.gold) for one in pushed])
    return {
        "tilted, log form": fitted(d, gold, "reinforcement").explained,
        "tilted, line form": fitted(d, gold, "best_of_n").explained,
    }


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    straight, bent = "straight 2000", "bent 2000"
    beta = {name: column[f"{name}/beta"] for name in (straight, bent, "bent 50", "bent 20000")}
    return [
        Outcome.of(
            "least rise of the straight proxy's own score from one n to the next",
            mean(column[f"{straight}/least rise"]),
            MORE,
        ),
        Outcome.of("its gold at the peak less at the end", mean(column[f"{straight}/fall"]), MORE),
        Outcome.of(
            "explained by d (alpha - beta d), straight",
            mean(column[f"{straight}/explained"]),
            (0.9, MORE[1]),
        ),
        Outcome.of("the same, bent", mean(column[f"{bent}/explained"]), (0.98, MORE[1])),
        Outcome.of("beta, bent less straight", mean(beta[bent] - beta[straight]), LESS),
        Outcome.of(
            "beta, bent, 20,000 comparisons less 50",
            mean(beta["bent 20000"] - beta["bent 50"]),
            LESS,
        ),
        Outcome.of(
            "sqrt(KL) of the peak, bent less straight",
            mean(column[f"{bent}/peak"] - column[f"{straight}/peak"]),
            MORE,
        ),
        Outcome.of(
            "error beyond 6 nats of a fit below, bent, 20,000",
            mean(column["bent 20000/foretold"]),
            (0.0, 0.15),
        ),
        Outcome.of(
            "explained of tilting, d (alpha - beta ln d), bent",
            mean(column["tilted, log form"]),
            (0.95, MORE[1]),
        ),
        Outcome.of(
            "that less what d (alpha - beta d) explains",
            mean(column["tilted, log form"] - column["tilted, line form"]),
            MORE,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """The fits of all six."""
    return [
        Outcome.of(
            f"{what}, {kind}, {data:,} comparisons", mean(column[f"{kind} {data}/{what}"]), UNBOUND
        )
        for what in ("alpha", "beta", "explained", "peak")
        for kind in ("straight", "bent")
        for data in DATA
    ]
