"""The confidence loss recovers more than the naive one, by imitating the supervisor's errors less.

Burns et al. (arXiv 2312.09390): the student's own class, balanced over the batch, takes a share of
the label that rises to 0.75. In the laboratory of salience, where errors are faint (imitation 0.3).

Predictions, fixed before looking at any of these seeds: PGR is higher than the naive student's with
a share of 0.5 and of 0.75, and with the product of experts; agreement with the supervisor where it
is wrong is lower; where errors are as plain as the truth (imitation 1) the gain is within 0.1 of 0;
on hard labels the product is the naive student exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.claims._claim import LESS, MORE, UNBOUND, Outcome
from solon.claims._gap import SEEDS, folder_of, found, imitated, prefixed
from solon.claims._seeds import Column, columns
from solon.objectives.weak import Confidence, ProductOfExperts
from solon.seams.classifying import LabelObjective
from solon.statistics import mean

PUBLISHED = "median PGR about 25 % to about 80 %, smallest supervisor and largest student"
OBJECTIVES: dict[str, LabelObjective] = {
    "confidence 0.5": Confidence(most=0.5),
    "confidence 0.75": Confidence(),
    "product": ProductOfExperts(),
}


@dataclass(frozen=True, kw_only=True)
class ConfidenceRecoversMore:
    """Three losses and the naive one, on the same labels of each seed."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return folder_of(root, "confidence", seed)


def measure(root: Path, claim: ConfidenceRecoversMore, seed: int) -> dict[str, float]:
    """Every loss where errors are faint, confidence where they are plain, and hard labels."""
    del claim
    figures: dict[str, float] = {}
    for name, objective in OBJECTIVES.items():
        at = name.replace(" ", "-")
        figures |= prefixed(name, found(root, at, seed, imitated(0.3, objective=objective)))
    figures |= prefixed("plain", found(root, "plain", seed, imitated(1.0)))
    hard = imitated(0.3, objective=ProductOfExperts(), hard=True)
    return figures | prefixed("hard", found(root, "hard", seed, hard))


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    wrong = {
        role: column[f"confidence 0.75/agrees_where_wrong/{role}"] for role in ("student", "naive")
    }
    return [
        *(
            Outcome.of(
                f"PGR, {name} less naive",
                mean(column[f"{name}/pgr/student"] - column[f"{name}/pgr/naive"]),
                MORE,
                published=PUBLISHED if name == "confidence 0.75" else "",
            )
            for name in OBJECTIVES
        ),
        Outcome.of(
            "agreement where the supervisor is wrong, confidence 0.75 less naive",
            mean(wrong["student"] - wrong["naive"]),
            LESS,
        ),
        Outcome.of(
            "PGR where errors are as plain as the truth, confidence 0.75 less naive",
            mean(column["plain/pgr/student"] - column["plain/pgr/naive"]),
            (-0.1, 0.1),
        ),
        Outcome.of(
            "PGR on hard labels, product less naive",
            mean(column["hard/pgr/student"] - column["hard/pgr/naive"]),
            (-1e-9, 1e-9),
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """PGR and accuracy of each."""
    students = {name: f"{name}/{{}}/student" for name in OBJECTIVES}
    of = {"naive": "confidence 0.75/{}/naive", **students}
    return [
        Outcome.of(f"{what}, {name}", mean(column[key.format(field)]), UNBOUND)
        for what, field in (("PGR", "pgr"), ("accuracy", "accuracy"))
        for name, key in of.items()
    ]
