"""A strong student of a weak supervisor's labels is better than the supervisor (naive PGR > 0).

Burns et al. (arXiv 2312.09390). In the laboratory of salience: a supervisor that sees the concept
through noise labels 800 items for a student that sees it clearly, and the supervisor's noise at
``imitation`` of its size. One concept, one split and one training for each of ten seeds; learning
rates were chosen on others, so that the naive student recovers about a quarter at imitation 0.3.

Predictions, fixed before looking at any of these seeds: PGR is above 0 where the supervisor's
errors are hidden (0) or faint (0.3); within 0.05 of 0 where they are as plain as the truth (1), as
nothing then tells them apart; not above 0 where the labels are other items'. The naive student says
the weak class less often where it is wrong than where it is right, where errors are hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.claims._claim import LESS, MORE, UNBOUND, Outcome
from solon.claims._gap import SEEDS, folder_of, found, imitated, prefixed
from solon.claims._seeds import Column, columns
from solon.objectives.weak import Naive
from solon.statistics import mean

SALIENT = (0.0, 0.3, 0.6, 1.0)
PUBLISHED = "language models: often above 20 %, about 50 % typical"


@dataclass(frozen=True, kw_only=True)
class WeakToStrongRecovers:
    """Four saliences of the supervisor's errors, and labels of other items."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return folder_of(root, "recovers", seed)


def measure(root: Path, claim: WeakToStrongRecovers, seed: int) -> dict[str, float]:
    """Every salience with the naive student alone, and the control."""
    del claim
    figures: dict[str, float] = {}
    for salient in SALIENT:
        recipe = imitated(salient, objective=Naive())
        figures |= prefixed(f"{salient}", found(root, f"naive-{salient}", seed, recipe))
    shuffled = imitated(0.0, objective=Naive(), shuffled=True)
    return figures | prefixed("shuffled", found(root, "shuffled", seed, shuffled))


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    hidden = column["0.0/agrees_where_right/naive"] - column["0.0/agrees_where_wrong/naive"]
    return [
        *(
            Outcome.of(
                f"naive PGR, imitation {salient}",
                mean(column[f"{salient}/pgr/naive"]),
                MORE,
                published=PUBLISHED,
            )
            for salient in (0.0, 0.3)
        ),
        Outcome.of("naive PGR, imitation 1", mean(column["1.0/pgr/naive"]), (-0.05, 0.05)),
        Outcome.of("naive PGR, labels of other items", mean(column["shuffled/pgr/naive"]), LESS),
        Outcome.of("agreement where the supervisor is right, less where wrong", mean(hidden), MORE),
    ]


def levels(column: Column) -> list[Outcome]:
    """The parts of each share."""
    return [
        Outcome.of(
            f"accuracy, imitation {salient}: {role}",
            mean(column[f"{salient}/accuracy/{role}"]),
            UNBOUND,
        )
        for salient in SALIENT
        for role in ("weak", "naive", "ceiling")
    ]
