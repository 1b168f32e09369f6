"""Watchers: what the caller sees of a policy while a recipe trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from solon.bench.bench import Measure
from solon.records import Compare, Completion, Preference, Prompt, flat
from solon.run.run import Run
from solon.run.shards import read_records
from solon.seams.feedback import Policy
from solon.seams.learning import Scorer
from solon.stages.prefer import implicit_margins

Gold = Callable[[Sequence[Completion]], Sequence[float]]
PAIRS = 256  # enough for a curve; the closing table and the claims measure


class Sight(Protocol):
    """What a watcher makes of completions, and of the start's to the same prompts."""

    def __call__(
        self, now: Sequence[Completion], start: Sequence[Completion], /
    ) -> Mapping[str, float]: ...


@dataclass(kw_only=True)
class Watch:
    """Means over fixed test prompts of whatever the measure says, and of the length.

    Each of the ``sights`` compares what the policy says with what the start said: they are silent
    until the run has kept one.

    Example:
        run.watch(Watch(prompts=tuple(world.take(64, split="test")), measure=measure), every=10)
    """

    prompts: tuple[Prompt, ...]
    measure: Measure | None = None
    run: Run | None = None
    start: str = "sft"
    sights: tuple[Sight, ...] = ()
    _begun: list[Completion] = field(default_factory=list[Completion])

    def __call__(self, step: int, policy: Policy, /) -> Mapping[str, float]:
        del step
        texts = flat(policy.sample(self.prompts))
        seen: dict[str, list[float]] = {}
        for one in self.measure(texts) if self.measure else ():
            for name, value in one.items():
                if value is not None:
                    seen.setdefault(name, []).append(value)
        means = {name: float(np.mean(values)) for name, values in seen.items()}
        means["length, characters"] = float(np.mean([len(one.text) for one in texts]))
        begun = self.begun()
        for sight in self.sights if begun else ():
            means |= sight(texts, begun)
        return means

    def begun(self) -> list[Completion]:
        """What the start says to the prompts; drawn once, and again the same after a restart."""
        start = self.run.policies.get(self.start) if self.run else None
        if not self._begun and start is not None and self.sights:
            self._begun = flat(start.sample(self.prompts))
        return self._begun


@dataclass(kw_only=True)
class WatchPairs:
    """What the truth says of a policy's implicit reward, log policy - log start.

    ``clean accuracy`` is over fresh pairs, on the side of the higher gold. ``flips memorised`` is
    over the pairs learnt from whose label is against gold: the share on which the policy has come
    to agree with the label. Both count a margin of exactly 0 as a half.

    Example:
        run.watch(WatchPairs(run=run, fresh=clean(questions(7), gold), gold=gold), every=10)
    """

    run: Run
    fresh: Sequence[Preference]
    gold: Gold
    start: str = "sft"
    _flipped: dict[Path, list[Preference]] = field(default_factory=dict[Path, list[Preference]])

    def __call__(self, step: int, policy: Policy, /) -> Mapping[str, float]:
        del step
        anchor = self.run.policies.get(self.start)
        if anchor is None or not isinstance(policy, Scorer):
            return {}
        seen = {"clean accuracy": agreement(implicit_margins(policy, anchor, self.fresh))}
        flipped = self.flipped()
        if flipped:
            seen["flips memorised"] = agreement(implicit_margins(policy, anchor, flipped))
        return seen

    def flipped(self) -> list[Preference]:
        """The newest pairs learnt from whose label is against gold."""
        for path in sorted((self.run.dir / "records").glob("preferences*/*.parquet")):
            if path not in self._flipped:
                index = int(path.stem)
                data = read_records(path.parent, first=index, last=index + 1)
                self._flipped[path] = against(data, self.gold)
        return [one for found in self._flipped.values() for one in found][-PAIRS:]


def agreement(margins: Sequence[float]) -> float:
    """Share of margins above 0; one of exactly 0 is a half."""
    return float(np.mean((np.sign(margins) + 1) / 2))


def clean(questions: Sequence[Compare], gold: Gold) -> list[Preference]:
    """The pairs that differ in gold, labelled by it."""
    asked = questions[: 2 * PAIRS]
    firsts, seconds = gold([q.first for q in asked]), gold([q.second for q in asked])
    return [
        Preference(chosen=q.first, rejected=q.second, source="gold")
        if a > b
        else Preference(chosen=q.second, rejected=q.first, source="gold")
        for q, a, b in zip(asked, firsts, seconds, strict=True)
        if abs(a - b) > 1e-9
    ][:PAIRS]


def against(data: Sequence[Preference], gold: Gold) -> list[Preference]:
    """The preferences whose rejected completion has the higher gold."""
    chosen, rejected = gold([one.chosen for one in data]), gold([one.rejected for one in data])
    return [one for one, a, b in zip(data, chosen, rejected, strict=True) if b - a > 1e-9]
