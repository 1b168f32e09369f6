"""What copies on Ray cost: beside the part itself, and beside a bare pool of actors that hold it.

    python benches/on_ray.py [--rounds 15] [--questions 256]

Overhead: a judge that answers at once, so that all the time is the way there and back. Throughput:
a judge that waits for each question, as for a server. Each round takes all contenders in turn, in
changing order; times are medians, and ratios are of medians. Weights: how long a push to every
copy takes, with the first answer that needs them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.util import ActorPool

from solon.engines.local import Shape, Transformer
from solon.engines.ray import OnRay
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.records import Compare, Completion, Judgement, Prefers, Prompt
from solon.run.run import Run

ANSWER = "the same answer, about as long as a sentence or two of a real one is. " * 4
COPIES = (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Prefers the first after so many seconds for each question."""

    seconds: float
    id: str = "waiting"

    def open(self, run: object) -> Waiting:
        del run
        return self

    def __call__(self, questions: Sequence[Compare], /) -> list[Judgement[Compare, Prefers]]:
        time.sleep(self.seconds * len(questions))
        answer = Prefers(p_first=0.75)
        return [Judgement(question=q, answer=answer, judge=self.id) for q in questions]


@dataclass
class Holder:
    """The bare actor."""

    judge: Waiting

    def ask(self, questions: Sequence[Compare]) -> list[Any]:
        return self.judge(questions)


class Pool:
    """What a user would write by hand: cuts, asks, joins; no deaths, money or noise in mind."""

    def __init__(self, judge: Waiting, copies: int) -> None:
        self.actors = [
            ray.remote(Holder).options(num_cpus=0.5).remote(judge) for _ in range(copies)
        ]

    def __call__(self, questions: Sequence[Compare]) -> list[Any]:
        size = -(-len(questions) // len(self.actors))
        parts = [questions[i : i + size] for i in range(0, len(questions), size)]
        found = ActorPool(self.actors).map(lambda actor, part: actor.ask.remote(part), parts)
        return [one for part in found for one in part]


def questions(count: int) -> list[Compare]:
    def one(prompt: Prompt, text: str) -> Completion:
        return Completion(prompt=prompt, text=f"{text} {ANSWER}", policy="policy@3")

    prompts = [Prompt.of(f"question {number}: {ANSWER}") for number in range(count)]
    return [Compare(first=one(p, "one"), second=one(p, "two")) for p in prompts]


def by_turns(contenders: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each."""
    names, took = list(contenders), {name: [] for name in contenders}
    for number in range(rounds + 2):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            began = time.perf_counter()
            contenders[name]()
            if number >= 2:  # the first ones warm up
                took[name].append(1e3 * (time.perf_counter() - began))
    return {name: statistics.median(times) for name, times in took.items()}


def overhead(run: Run, asked: list[Compare], rounds: int) -> None:
    judge = Waiting(seconds=0.0)
    live = OnRay(inner=judge, copies=1, num_cpus=0.5).open(run)
    pool = Pool(judge, 1)
    for some in (asked[:1], asked):
        found = by_turns(
            {
                "inner": partial(judge, some),
                "pool": partial(pool, some),
                "OnRay": partial(live, some),
            },
            rounds,
        )
        count = len(some)
        ratio = found["OnRay"] / found["pool"]
        each = 1e3 * (found["OnRay"] - found["inner"]) / count
        told = ", ".join(f"{name} {ms:.2f} ms" for name, ms in found.items())
        print(f"{count} at once: {told}; OnRay/pool {ratio:.2f}, {each:.0f} us a question")


def throughput(run: Run, asked: list[Compare], rounds: int) -> None:
    judge = Waiting(seconds=0.004)
    fleets = {k: OnRay(inner=judge, copies=k, num_cpus=0.5).open(run) for k in COPIES}
    pools = {k: Pool(judge, k) for k in COPIES}
    contenders: dict[str, Callable[[], Any]] = {"inner": partial(judge, asked)}
    for k in COPIES:
        contenders[f"OnRay {k}"] = partial(fleets[k], asked)
        contenders[f"pool {k}"] = partial(pools[k], asked)
    found = by_turns(contenders, max(3, rounds // 3))
    print(f"{len(asked)} questions of 4 ms: inner {len(asked) / found['inner'] * 1e3:.0f} a second")
    for k in COPIES:
        ours, bare = found[f"OnRay {k}"], found[f"pool {k}"]
        times = found["inner"] / ours
        print(f"  {k} copies: {times:.2f} times as many, {ours / bare:.2f} of the pool's time")


def weights(run: Run, rounds: int) -> None:
    shape = Shape(hidden=512, layers=6, heads=8, inner=1536, context=64)
    spec = Transformer(shape=shape, tokenizer=tuple("abcdefgh"), max_new_tokens=2)
    policy: Any = OnRay(inner=spec, copies=2, num_cpus=0.5).open(run)
    policy.optimise(Adam(lr=1e-4))
    size = sum(p.numel() * 4 for p in policy.local.voice.decoder.trained().values()) / 2**20
    texts = [
        Completion(prompt=Prompt.of("a b"), text="c d"),
        Completion(prompt=Prompt.of("b"), text="e"),
    ]
    again: list[float] = []
    pushed: list[float] = []
    for _ in range(max(3, rounds // 3)):
        policy.fit_texts(texts, NLL())
        for times in (pushed, again):
            began = time.perf_counter()
            policy.logp(texts)
            times.append(time.perf_counter() - began)
    more = statistics.median(pushed) - statistics.median(again)
    print(f"{size:.0f} MiB of weights to 2 copies: {1e3 * more:.0f} ms more than an answer without")


def main() -> None:
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--rounds", type=int, default=15)
    said.add_argument("--questions", type=int, default=256)
    given = said.parse_args()
    ray.init(address="local", num_cpus=8, include_dashboard=False, log_to_driver=False)
    asked = questions(given.questions)
    with tempfile.TemporaryDirectory() as folder, Run(Path(folder)) as run:
        overhead(run, asked, given.rounds)
        throughput(run, asked, given.rounds)
        weights(run, given.rounds)


if __name__ == "__main__":
    main()
