"""Rollouts ahead of the learner in the town: what waiting is hidden, and what staleness costs.

    python benches/ahead.py wait [--seconds 0.2 0.6] [--rounds 3]
    python benches/ahead.py stale [--seeds 1 2 3 4] [--lr 0.0003]

``wait``: how long a climb takes whose reward takes so many seconds a batch, as a judge behind a
network would, with 0, 1 and 2 batches ahead, by turns. ``stale``: gold that the same climb reaches
where the sampler's weights are so many updates old, without a correction and with each.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from scipy import stats

from solon.bench.bench import compose
from solon.bench.town import lab
from solon.catalogue import find
from solon.lab.gold import gold
from solon.records import Completion, flat
from solon.run import lines
from solon.run.run import Run

ROOT = Path(__file__).resolve().parents[1]
START = ROOT / "bench-out" / "ahead-start"
ARMS = [(0, "none"), *((k, how) for k in (4, 16) for how in ("none", "token", "sequence"))]


@dataclass(frozen=True)
class Waits:
    """The town's gold, after so many seconds."""

    seconds: float = 0.0

    def __call__(self, completions: Sequence[Completion], /) -> list[float]:
        time.sleep(self.seconds)
        return [gold(one) for one in completions]


@cache
def parts() -> Any:
    recipe, _ = compose(find("recipes", "direct").load(), lab(), {})
    return recipe


def started() -> Path:
    """A policy that has learnt to speak, made once."""
    if not (START / "state.json").exists():
        with tempfile.TemporaryDirectory() as folder, Run(Path(folder), seed=0) as run:
            policy = parts().policy.open(run)
            parts().imitate.start(run, policy, parts().demonstrations)
            policy.save_state(START)
    return START


def climbed(climb: Any, *, seed: int, seconds: float = 0.0) -> dict[str, float]:
    """Seconds of the climb, and the gold of what the policy then says to test prompts."""
    with tempfile.TemporaryDirectory() as folder, Run(Path(folder), seed=seed) as run:
        policy, prompts = parts().policy.open(run), parts().prompts.open(run)
        policy.load_state(started())
        anchor = policy.freeze()
        began = time.monotonic()
        climb(run, policy, Waits(seconds), prompts, anchor=anchor)
        took = time.monotonic() - began
        said = flat(policy.sample(prompts.take(256, split="test"), n=2))
        seen = lines.read(Path(folder) / "metrics.jsonl")
    late = seen[len(seen) // 2 :]
    found = {"seconds": took, "gold": fmean(gold(one) for one in said), "kl": seen[-1]["kl"]}
    for name in ("staleness", "importance_ess", "approx_kl", "sampler_kl"):
        if name in seen[-1]:
            found[name] = fmean(line[name] for line in late)
    return found


def wait(waits: Sequence[float], rounds: int) -> None:
    climb = replace(parts().climb, steps=12, batch=8)
    for seconds in waits:
        took: dict[int, list[float]] = {0: [], 1: [], 2: []}
        for number in range(rounds):
            for ahead, times in took.items():
                setting = replace(climb, ahead=ahead)
                times.append(climbed(setting, seed=number, seconds=seconds)["seconds"])
        on_policy = median(took[0])
        for ahead, times in took.items():
            ratios = [base / one for base, one in zip(took[0], times, strict=True)]
            line = {"wait": seconds, "ahead": ahead, "seconds": round(median(times), 2)}
            line |= {"times as fast": round(median(ratios), 2)}
            line |= {"hidden": round((on_policy - median(times)) / (seconds * climb.steps), 2)}
            print(json.dumps(line), flush=True)


def stale(seeds: Sequence[int], lr: float) -> None:
    base = replace(parts().climb, batch=8, adam=replace(parts().climb.adam, lr=lr))
    reached: dict[tuple[int, str], list[float]] = {arm: [] for arm in ARMS}
    for seed in seeds:
        for ahead, how in ARMS:
            objective = replace(base.objective, importance=how)
            found = climbed(replace(base, ahead=ahead, objective=objective), seed=seed)
            reached[ahead, how].append(found["gold"])
            rounded = {name: round(value, 4) for name, value in found.items()}
            print(
                json.dumps({"seed": seed, "ahead": ahead, "importance": how} | rounded), flush=True
            )
    for arm in ARMS if len(seeds) > 1 else ():
        lost = [one - base for one, base in zip(reached[arm], reached[0, "none"], strict=True)]
        print(
            json.dumps({"arm": arm, "gold": interval(reached[arm]), "to ahead=0": interval(lost)})
        )
    for ahead in (4, 16) if len(seeds) > 1 else ():
        for how in ("token", "sequence"):
            pairs = zip(reached[ahead, how], reached[ahead, "none"], strict=True)
            gain = interval([one - none for one, none in pairs])
            print(json.dumps({"ahead": ahead, "importance": how, "gain over none": gain}))


def interval(values: Sequence[float]) -> list[float]:
    """Mean and its 95 % interval by Student's t."""
    mean = fmean(values)
    half = float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return [round(x, 3) for x in (mean, mean - half, mean + half)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("wait", "stale"))
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.2, 0.6])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--lr", type=float, default=3e-4)
    given = parser.parse_args()
    if given.what == "wait":
        wait(given.seconds, given.rounds)
    else:
        stale(given.seeds, given.lr)
