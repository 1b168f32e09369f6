"""An evaluator that sees little does no harm at low pressure and much at high: the two multiply.

The proxy compression hypothesis (arXiv 2604.13602, a survey): an evaluator maps many things that
matter to few that it sees; optimisation amplifies what it lost. It gives no numeric test; this one
is our formulation.

In the pool world: proxies that see one to four of (length, a view of quality, one bend of length,
its padding) are fitted to 4,000 comparisons decided by gold, and the pool is tilted by them to 0.5,
2, 4 and 7 nats. Gold is in standard deviations.

Predictions, fixed before looking at any seed but 0: seeing one instead of four costs less than 0.25
at 0.5 nats and more than 1 at 7; the difference of these differences is above 0; with one, gold is
lower at 7 nats than at 0.5; with four it is higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.pool import Labels, Pool, Proxy
from solon.statistics import mean

SEEN: tuple[Proxy, ...] = (
    Proxy(sees=("length",)),
    Proxy(sees=("length", "quality")),
    Proxy(sees=("length", "quality"), hinges=(1.0,)),
    Proxy(sees=("length", "quality", "padding"), hinges=(1.0,)),
)
KLS = (0.5, 2.0, 4.0, 7.0)
COMPARISONS = 4_000


@dataclass(frozen=True, kw_only=True)
class ProxyCompressionInteracts:
    """Four evaluators under four pressures, from one pool per seed."""

    seeds: tuple[int, ...] = SEEDS
    size: int = 200_000

    def __call__(self, root: Path) -> list[Outcome]:
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def folder(root: Path, seed: int) -> Path:
    return root / f"compression-s{seed}"


def measure(
    root: Path, claim: ProxyCompressionInteracts, seed: int
) -> dict[str, float | Sequence[float]]:
    """Gold by how much is seen and by pressure."""
    del root
    pool, labels = Pool(size=claim.size, seed=seed), Labels.fresh(COMPARISONS, seed=[seed, 2])
    found: dict[str, float | Sequence[float]] = {}
    for seen, proxy in enumerate(SEEN, start=1):
        score = proxy.fitted(labels)(pool.traits)
        for kl in KLS:
            found[f"{seen} at {kl:g}"] = pool.tilted(score, kl).mean(pool.gold)
    return found


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    cost = {kl: column[f"4 at {kl:g}"] - column[f"1 at {kl:g}"] for kl in KLS}
    return [
        Outcome.of(
            "gold lost by seeing one instead of four, 0.5 nats", mean(cost[0.5]), (-0.25, 0.25)
        ),
        Outcome.of("the same at 7 nats", mean(cost[7.0]), (1.0, MORE[1])),
        Outcome.of("the difference of the two", mean(cost[7.0] - cost[0.5]), MORE),
        Outcome.of(
            "gold seeing one, 7 nats less 0.5", mean(column["1 at 7"] - column["1 at 0.5"]), LESS
        ),
        Outcome.of(
            "gold seeing four, 7 nats less 0.5", mean(column["4 at 7"] - column["4 at 0.5"]), MORE
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """The whole grid."""
    return [
        Outcome.of(f"gold, {seen} seen, {kl:g} nats", mean(column[f"{seen} at {kl:g}"]), UNBOUND)
        for seen in range(1, len(SEEN) + 1)
        for kl in KLS
    ]
