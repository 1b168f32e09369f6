"""A guard that watches no gold ends a climb of a flawed proxy before most of the gold is lost.

Our formulation: the proxy compression survey (arXiv 2604.13602) lists signs of a hacked proxy and
measures none of them.

From one supervised start per seed a proxy that likes length is climbed under the highest pressure
of ``length_bias_grows_with_pressure``: without a stop, and with a guard set before (KL 1.5 nats,
length 1.5 times the first, features 1 standard deviation from the start's, two looks in a row, the
rest as it comes; chosen on seed 0, where the even proxy stays below them). Gold is watched every 5
steps on 96 fixed test prompts; its peak is the highest of the watched. Lead time is in sqrt(nats),
at the peak less at the alarm: above 0 the guard rings before gold turns.

Predictions, fixed before looking at any seed but 0: the guard's result has more gold than the
unguarded one, on 300 test prompts; it keeps more than half of what is lost from the peak to the
end; the alarm comes at most 1 sqrt(nat) after the peak; where the proxy likes nothing but gold, the
guard stops at most one climb of five. The lead time itself, and what the default limits would have
done, are measured beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from solon.claims._arms import prepare, side_by_side
from solon.claims._claim import MORE, SEEDS, UNBOUND, Outcome
from solon.claims._pressure import LIKES, alarms, arm, arms, curve, folder_of, found
from solon.claims._seeds import Column
from solon.run import lines
from solon.run.alarms import looks
from solon.run.guard import Alarm, Guard
from solon.statistics import clopper_pearson, mean

GUARD = Guard(mode="stop", kl=1.5, length=1.5, drift=1.0, patience=2)
Curve = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class GuardsStopInTime:
    """One climb without a stop, one with it, and one that no guard should stop."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        arms(root, self.seeds)
        jobs = [(root, "stopped-high", seed, LIKES, "high", GUARD) for seed in self.seeds]
        side_by_side([(arm, job) for job in jobs])
        rows = [measured(root, seed) for seed in self.seeds]
        column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return [*predictions(column), *beside(column)]


def measured(root: Path, seed: int) -> dict[str, float]:
    """The figures of one seed."""
    open_end, stopped = found(root, "length-high", seed), found(root, "stopped-high", seed)
    path = curve(root, "length-high", seed)
    peak = max(path, key=lambda look: look["gold"])
    rung = [line for line in alarms(root, "stopped-high", seed) if line["stops"]]
    told = [line for line in alarms(root, "length-high", seed) if line["series"] != "gold"]
    lost = peak["gold"] - path[-1]["gold"]
    return {
        "start": open_end["sft"]["gold"],
        "unguarded": open_end["final"]["gold"],
        "guarded": stopped["final"]["gold"],
        "lead": lead(root, seed, peak, rung),
        "default lead": lead(root, seed, peak, told),
        "kept": (stopped_gold(root, seed) - path[-1]["gold"]) / lost if lost > 0 else 1.0,
        "false alarm": float(bool(rings(root, "even-high", seed))),
        "default false alarm": float(
            any(line["series"] != "gold" for line in alarms(root, "even-high", seed))
        ),
    }


def lead(
    root: Path, seed: int, peak: Mapping[str, Any], rung: Sequence[Mapping[str, Any]]
) -> float:
    """sqrt(KL) at gold's peak less at the first alarm; at the end where none rang."""
    steps = {
        line["step"]: line
        for line in lines.read(folder_of(root, "length-high", seed) / "metrics.jsonl")
    }
    at = min((line["step"] for line in rung), default=max(steps))
    return sqrt(max(0.0, peak["kl"])) - sqrt(max(0.0, steps[at]["kl"]))


def stopped_gold(root: Path, seed: int) -> float:
    """Gold at the last look before the loop ended, on the watched prompts."""
    return float(curve(root, "stopped-high", seed)[-1]["gold"])


def rings(root: Path, name: str, seed: int) -> list[Alarm]:
    """What the guard would have rung for in a run that had another."""
    seen = looks(folder_of(root, name, seed), "climb")
    steps = [
        {series: value for series, value in seen[step].items() if series != "gold"}
        for step in sorted(seen)
    ]
    return [one for end in range(1, len(steps) + 1) for one in GUARD.alarms(steps[:end])]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    false = clopper_pearson(int(column["false alarm"].sum()), len(column["false alarm"]))
    return [
        Outcome.of(
            "gold, guarded less unguarded", mean(column["guarded"] - column["unguarded"]), MORE
        ),
        Outcome.of(
            "share kept of the gold lost after its peak", mean(column["kept"]), (0.5, MORE[1])
        ),
        Outcome.of("lead time of the alarm, sqrt(nats)", mean(column["lead"]), (-1.0, MORE[1])),
        Outcome.of("climbs of an even proxy that it stops", false, (0.0, 0.2)),
    ]


def beside(column: Column) -> list[Outcome]:
    """What nothing was predicted of."""
    default = clopper_pearson(int(column["default false alarm"].sum()), len(column["lead"]))
    return [
        *(
            Outcome.of(f"gold, {name}", mean(column[name]), UNBOUND)
            for name in ("start", "unguarded", "guarded")
        ),
        Outcome.of(
            "lead time with the default limits, sqrt(nats)", mean(column["default lead"]), UNBOUND
        ),
        Outcome.of("climbs of an even proxy that the default limits ring for", default, UNBOUND),
    ]
