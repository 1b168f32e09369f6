"""Agents that were each given a direction of their own go on having different ideas.

Anthropic (2026): nine agents with short, ambiguous directions do far better than nine with the same
prompt, whose ideas collapse towards self-training; diversity is the entropy of eleven families of
ideas over the active agents of a step. Here two campaigns of nine embedded agents, of one problem,
one budget and the same seeds (PGR: Burns et al., arXiv 2312.09390). Every agent's first method is
the naive student, which is nobody's idea and is left out; the last six of the eleven steps that
remain are called late, the first three early.

Predictions, fixed before looking at any of these seeds (sizes were chosen on 101 to 103): late
entropy is higher with directions than without. As published, though the seeds of the choice left
both open: without directions it falls from early to late, and the winner's PGR on FINAL is higher
with directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.claims._claim import LESS, MORE, UNBOUND, Outcome
from solon.claims._research import (
    CAMPAIGNS,
    LAB,
    SEEDS,
    campaign,
    folder_of,
    scorer_in,
    winner,
)
from solon.claims._seeds import Column, columns
from solon.researchers.diversity import diversity
from solon.researchers.notebook import Notes
from solon.statistics import mean

EARLY, LATE = slice(3), slice(-6, None)


@dataclass(frozen=True, kw_only=True)
class DirectionsKeepDiversity:
    """One campaign with directions and one without, of each seed's own concept."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"diversity-s{seed}"


def measure(root: Path, claim: DirectionsKeepDiversity, seed: int) -> dict[str, float]:
    """What each campaign's ideas were, and the PGR that it came to."""
    del claim
    folder, figures = folder_of(root, seed), dict[str, float]()
    scorer = scorer_in(folder, LAB, seed)
    for name in CAMPAIGNS:
        notes = campaign(folder, name, scorer, seed)
        said = {**spread(notes), **winner(scorer, notes).figures("winner")}
        figures |= {f"{name}/{key}": value for key, value in said.items()}
    return figures


def spread(notes: Mapping[str, Notes]) -> dict[str, float]:
    """Bits early and late, and how much of what is tried late is self-training."""
    families = {agent: one.families[1:] for agent, one in notes.items()}
    bits = np.array([one.bits.estimate for one in diversity(families, draws=2)])
    late = [family for own in families.values() for family in own[LATE]]
    return {
        "early": float(bits[EARLY].mean()),
        "late": float(bits[LATE].mean()),
        "self-training": late.count("self-training") / len(late),
    }


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    late = column["directed/late"] - column["undirected/late"]
    collapse = column["undirected/late"] - column["undirected/early"]
    best = column["directed/winner/final"] - column["undirected/winner/final"]
    return [
        Outcome.of("late bits, directed less undirected", mean(late), MORE),
        Outcome.of(
            "bits, undirected, late less early", mean(collapse), LESS, published="entropy collapse"
        ),
        Outcome.of(
            "winner's PGR on FINAL, directed less undirected",
            mean(best),
            MORE,
            published="far better",
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Bits, PGR and the share of self-training of each campaign."""
    said = {
        "early": "early bits",
        "late": "late bits",
        "self-training": "share of self-training in late ideas",
        "winner/dev": "winner's PGR on DEV",
        "winner/final": "winner's PGR on FINAL",
    }
    return [
        Outcome.of(f"{what}, {name}", mean(column[f"{name}/{key}"]), UNBOUND)
        for key, what in said.items()
        for name in CAMPAIGNS
    ]
