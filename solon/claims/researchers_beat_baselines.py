"""Automated researchers find a better method than four baselines that were tuned for the problem.

Anthropic (2026): nine agents reach a PGR of 0.97 on chat preferences in five days, two authors who
tuned four prior methods 0.23 in seven (PGR: Burns et al., arXiv 2312.09390). Here nine embedded
agents, each with a direction, send twelve methods each, composed of a library's parts, to one
scorer; the winner is the best that its ladder (arXiv 1502.04585) told, rounded. A baseline is tuned
over all of its settings (1, 9, 6 and 3) by exact scores on the same DEV, which agents never see:
it has fewer submissions, and needs no more.

Predictions, fixed before looking at any of these seeds: the winner's PGR is above the best tuned
baseline's on DEV and on FINAL, and above each single one's on FINAL; its DEV is within 0.05 of its
FINAL; no audit rings for it. Sizes were chosen on the seeds 101 to 104, where the first held in
four of four; with twice the items, on 101 to 103, it was open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.claims._claim import MORE, UNBOUND, Outcome
from solon.claims._research import (
    LAB,
    SEEDS,
    campaign,
    folder_of,
    scorer_in,
    tuned,
    winner,
)
from solon.claims._seeds import Column, columns
from solon.researchers.parts import BASELINES, compose, tunings
from solon.researchers.rules import Rules
from solon.statistics import mean

AUDITED = Rules(near=0.0)


@dataclass(frozen=True, kw_only=True)
class ResearchersBeatBaselines:
    """One directed campaign and four tuned baselines, of each seed's own concept."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"researchers-s{seed}"


def measure(root: Path, claim: ResearchersBeatBaselines, seed: int) -> dict[str, float]:
    """PGR of the winner, of each baseline and of the best of these by DEV; whether audits ring."""
    del claim
    folder = folder_of(root, seed)
    scorer = scorer_in(folder, LAB, seed)
    found = winner(scorer, campaign(folder, "directed", scorer, seed))
    each = {name: tuned(scorer, f"tuned-{name}", tunings(BASELINES[name])) for name in BASELINES}
    audit = scorer_in(_folder(root, seed), LAB, seed, AUDITED)
    audit.score("operator", compose(found.parts))
    return {
        **found.figures("winner"),
        **max(each.values(), key=lambda one: one.dev).figures("best"),
        **{key: value for name, one in each.items() for key, value in one.figures(name).items()},
        "rings": float(bool(audit.ledger.records[-1].alarms)),
    }


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    margin = {part: column[f"winner/{part}"] - column[f"best/{part}"] for part in ("dev", "final")}
    gap = column["winner/dev"] - column["winner/final"]
    return [
        Outcome.of("PGR on DEV, winner less best tuned baseline", mean(margin["dev"]), MORE),
        Outcome.of(
            "PGR on FINAL, winner less best tuned baseline",
            mean(margin["final"]),
            MORE,
            published="0.97 less 0.23",
        ),
        *(
            Outcome.of(
                f"PGR on FINAL, winner less tuned {name}",
                mean(column["winner/final"] - column[f"{name}/final"]),
                MORE,
            )
            for name in BASELINES
        ),
        Outcome.of("winner's PGR, DEV less FINAL", mean(gap), (-0.05, 0.05)),
        Outcome.of("winners for which an audit rings", mean(column["rings"]), (-np.inf, 0.05)),
    ]


def levels(column: Column) -> list[Outcome]:
    """PGR of each on both parts."""
    return [
        Outcome.of(f"PGR on {part.upper()}, {who}", mean(column[f"{name}/{part}"]), UNBOUND)
        for who, name in (("winner", "winner"), *((f"tuned {name}", name) for name in BASELINES))
        for part in ("dev", "final")
    ]
