"""Watchers: what the caller sees of a policy while a recipe trains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solon.bench.bench import Measure
from solon.records import Prompt, flat
from solon.seams.feedback import Policy


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Means over fixed test prompts of whatever the measure says, and of the length.

    Example:
        run.watch(Watch(prompts=tuple(world.take(64, split="test")), measure=measure), every=10)
    """

    prompts: tuple[Prompt, ...]
    measure: Measure

    def __call__(self, step: int, policy: Policy, /) -> Mapping[str, float]:
        del step
        texts = flat(policy.sample(self.prompts))
        seen: dict[str, list[float]] = {}
        for one in self.measure(texts):
            for name, value in one.items():
                if value is not None:
                    seen.setdefault(name, []).append(value)
        means = {name: float(np.mean(values)) for name, values in seen.items()}
        return means | {"length, characters": float(np.mean([len(one.text) for one in texts]))}
