"""Arms that climb a reward which likes length, under three pressures, in a town that minds padding.

The true reward takes 2.0 away where an answer is padded through and through; the proxy sees
everything as the truth does, but padding as a quarter of it, and adds so much a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from solon.bench.sights import Drift, HeldOut
from solon.bench.town import CLIMB
from solon.bench.watching import Watch
from solon.claims._arms import side_by_side, supervised
from solon.lab.gold import Weights, gold
from solon.lab.judges import Dials, PlantedPair, PlantedReward
from solon.lab.town import Town
from solon.objectives.kl import KL
from solon.objectives.policy import RLOO
from solon.records import Completion, flat
from solon.run import lines
from solon.run.guard import Guard
from solon.run.run import Run

MINDS = Weights(concise=2.0)
LIKES = Dials(discernment=1.0, length=0.1)
EVEN = Dials(discernment=1.0)
# errors of its own: a judge that sees the truth dimly, and that no training asks
AUDITOR = PlantedPair(dials=Dials(discernment=2.0, noise=1.0, weights=MINDS), name="auditor")
PRESSURES: Mapping[str, float] = {"low": 0.3, "middle": 0.1, "high": 0.03}
"""By name, the coefficient of the KL penalty: the less, the more pressure."""
STEPS = 60
WATCHED = 96
TEST = 300


def arms(root: Path, seeds: Sequence[int]) -> None:
    """Every pressure with the proxy that likes length, and the highest with one that does not."""
    jobs = [
        (arm, (root, f"length-{name}", seed, LIKES, name)) for seed in seeds for name in PRESSURES
    ]
    side_by_side([*jobs, *[(arm, (root, "even-high", seed, EVEN, "high")) for seed in seeds]])


def arm(
    root: Path, name: str, seed: int, dials: Dials, pressure: str, guard: Guard = Guard()
) -> None:
    """One arm, from its seed's supervised start; what was found is kept as ``found.json``."""
    folder = folder_of(root, name, seed)
    if (folder / "found.json").exists():
        return
    with Run(folder, seed=seed) as run:
        town, policy = Town(weights=MINDS).open(run), supervised(root, seed).open(run)
        start = policy.freeze()
        run.keep("sft", start)
        run.guard(guard)
        run.watch(watch(run), every=5)
        objective = RLOO(kl=KL(coefficient=PRESSURES[pressure]))
        with run.stage("climb"):
            climb = replace(CLIMB, steps=STEPS, objective=objective)
            climb(run, policy, PlantedReward(dials=dials).open(run), town, anchor=start)
            run.keep("final", policy.freeze())
        tests = town.take(TEST, split="test")
        found = {
            which: means(flat(run.policies[which].sample(tests))) for which in ("sft", "final")
        }
        (folder / "found.json").write_bytes(orjson.dumps(found))


def watch(run: Run) -> Watch:
    """Gold, features beside the start's, and the auditor, on fixed test prompts."""
    prompts = tuple(Town(weights=MINDS).open(run).take(WATCHED, split="test"))
    judge = AUDITOR.open(run)
    return Watch(prompts=prompts, measure=measure, run=run, sights=(Drift(), HeldOut(judge=judge)))


def measure(completions: Sequence[Completion]) -> list[Mapping[str, float | None]]:
    """The gold of this town."""
    return [{"gold": gold(one, MINDS)} for one in completions]


def means(texts: Sequence[Completion]) -> dict[str, float]:
    """Mean gold and mean words."""
    golds = [gold(one, MINDS) for one in texts]
    words = [len(one.text.split()) for one in texts]
    return {"gold": float(np.mean(golds)), "words": float(np.mean(words))}


def folder_of(root: Path, name: str, seed: int) -> Path:
    return root / f"pressure-{name}-s{seed}"


def found(root: Path, name: str, seed: int) -> dict[str, dict[str, float]]:
    """Means of the start's and the result's answers to test prompts."""
    return orjson.loads((folder_of(root, name, seed) / "found.json").read_bytes())


def curve(root: Path, name: str, seed: int) -> list[dict[str, Any]]:
    """Each watched step with what was logged of it, in order."""
    folder = folder_of(root, name, seed)
    logged = {line["step"]: line for line in lines.read(folder / "metrics.jsonl")}
    return [logged[line["step"]] | line for line in lines.read(folder / "watched.jsonl")]


def alarms(root: Path, name: str, seed: int) -> list[dict[str, Any]]:
    """What rang, in order."""
    return lines.read(folder_of(root, name, seed) / "alarms.jsonl")
