"""Fitting a reward: from the policy's weights, on soft labels, measured on pairs kept aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from solon.judges.prompts import opening
from solon.objectives.adam import Adam
from solon.objectives.reward import BradleyTerry
from solon.records import Abstains, Completion, Preference, Prompt
from solon.run.run import Run
from solon.seams.feedback import Reward
from solon.seams.learning import Frozen, RewardLearner, RewardObjective

CENTRE_ON = 512
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class FitReward:
    """Fit a reward model to preferences."""

    batch: int = 32
    """Preferences per update."""
    epochs: int = 2
    """Passes over the preferences (Lee et al.: 2 to 3, until it plateaus)."""
    holdout: float = 0.1
    """Share of the preferences kept aside to measure it; whole dialogues are kept aside."""
    adam: Adam = Adam(lr=1e-5, warmup=10)
    """Optimiser."""
    objective: RewardObjective = field(default_factory=BradleyTerry)
    """Loss."""

    def __call__(
        self,
        run: Run,
        reward: RewardLearner,
        start: Frozen,
        data: Sequence[Preference],
        *,
        ordered: bool = False,
    ) -> None:
        """From the weights of ``start``; the mean reward of what it has learnt from becomes 0.

        Every pass over ``ordered`` data takes it as it stands; of others each is shuffled anew.
        """
        held, kept = split(data, self.holdout, seed=run.seed_for("holdout"))
        reward.adopt(start)
        reward.optimise(self.adam)
        if ordered:
            turns = in_order(kept, self.batch) * self.epochs
        else:
            turns = run.batches(kept, self.batch, epochs=self.epochs)
        for step, batch in run.steps(turns, reward):
            metrics = dict(reward.fit(batch, self.objective))
            if held and step + 1 == len(turns):
                metrics |= {"heldout_accuracy": accuracy(reward, held), "heldout": len(held)}
            run.log(step, **metrics)
        reward.centre(both(kept[-CENTRE_ON:]))


def in_order(data: Sequence[Preference], size: int) -> list[list[Preference]]:
    """Batches of the data as it stands."""
    return [list(data[start : start + size]) for start in range(0, len(data), size)]


def split(
    data: Sequence[Preference], share: float, *, seed: int
) -> tuple[list[Preference], list[Preference]]:
    """(held, kept): pairs of dialogues that begin alike stay together, so that nothing leaks."""
    return apart(data, lambda one: one.chosen.prompt, share, seed=seed)


def apart(
    data: Sequence[T], prompt: Callable[[T], Prompt], share: float, *, seed: int
) -> tuple[list[T], list[T]]:
    """(held, kept): whole dialogues, by the beginning of each record's prompt."""
    from numpy.random import default_rng

    begun = [opening(prompt(one)) for one in data]
    names = sorted(set(begun))
    order = default_rng(seed).permutation(len(names))
    held = {names[i] for i in order[: round(len(names) * share)]}
    rows = list(zip(data, begun, strict=True))
    return [one for one, name in rows if name in held], [
        one for one, name in rows if name not in held
    ]


def accuracy(reward: Reward, data: Sequence[Preference]) -> float:
    """Share of pairs whose chosen completion has the higher reward; an unmeasured pair is wrong."""
    scores = reward(both(data))
    return sum(map(_higher, scores[::2], scores[1::2])) / len(data)


def _higher(chosen: float | Abstains, rejected: float | Abstains) -> bool:
    if isinstance(chosen, Abstains) or isinstance(rejected, Abstains):
        return False
    return chosen > rejected


def both(data: Sequence[Preference]) -> list[Completion]:
    """Chosen, rejected, chosen, rejected..."""
    return [completion for one in data for completion in (one.chosen, one.rejected)]
