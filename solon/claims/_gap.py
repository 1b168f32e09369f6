"""Runs of weak-to-strong in the laboratory of salience, and what each recovered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from solon.audits.recovery import Recovery
from solon.engines.classifiers import Probe
from solon.judges.trials import judged
from solon.lab.salience import Salience
from solon.recipes.weak_to_strong import WeakToStrong
from solon.run.run import Run

# ten that nothing was tried on: a seed is cheap here, and a concept of its own
SEEDS = tuple(range(11, 21))
LAB = Salience(test=4000)
RECIPE = WeakToStrong(tasks=LAB, weak=Probe(view="weak"), strong=Probe(view="strong"), seeds=1)


def found(root: Path, name: str, seed: int, recipe: WeakToStrong) -> dict[str, float]:
    """The audit's estimates by quantity, from a run of one task that is this seed's own."""
    with Run(folder_of(root, name, seed), seed=seed) as run:
        said = recipe(run)
        trials = judged(said, recipe.tasks.open(run))
    return {one.quantity: one.estimate for one in Recovery(draws=2).recorded(trials)}


def imitated(imitation: float, **changes: Any) -> WeakToStrong:
    """The recipe where the supervisor's errors are that salient."""
    return replace(RECIPE, tasks=replace(LAB, imitation=imitation), **changes)


def folder_of(root: Path, name: str, seed: int) -> Path:
    return root / f"gap-{name}-s{seed}"


def prefixed(name: str, figures: Mapping[str, float]) -> dict[str, float]:
    """The figures under the name of their run."""
    return {f"{name}/{key}": value for key, value in figures.items()}
