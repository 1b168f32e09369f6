"""RLAIF improves on the supervised start about as much as RLHF, and is the more harmless.

Lee et al. (arXiv 2309.00267): RLAIF and RLHF beat the supervised policy in 71 and 73 % of
summaries and each other in 50 %; harmless rates 64, 76, 88 % (SFT, RLHF, RLAIF).

Arms, from one supervised start per seed: the town's language-model judge; people as noisy as the
judge errs (``even``); noisier people; people without noise. Gold decides win rates; a tie is half.
Predictions, fixed before looking: RLAIF's win rate against SFT above 50 %, also at equal length;
RLAIF against the even people equivalent within 10 points (TOST at 5 %, by its 90 % interval);
harmless rates rise from SFT to RLHF with noisy people, and RLAIF's is not lower than theirs by more
than 2 points; RLAIF's lead in harmlessness over people shrinks when their noise is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.claims._arms import Arm, answers, climb, prepare
from solon.claims._claim import ABOVE_HALF, MORE, SEEDS, Outcome
from solon.claims._pairs import Pairs
from solon.lab.gold import is_harmless
from solon.lab.people import People
from solon.records import Completion
from solon.statistics import Interval, equivalence, mean


@dataclass(frozen=True, kw_only=True)
class RlaifMatchesRlhf:
    """Four arms from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    even: People = People(noise=1.5)
    """People who agree with gold about as often as the judge does (74 % on seed 0)."""
    noisy: People = People(noise=4.0)
    """Noisier people, as in the harmlessness study."""
    margin: float = 0.1
    """Equivalence margin, in win rate."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        arms = {name: self.arms(name) for name in ("rlaif", "even", "noisy", "exact")}
        climb(root, [arm for of in arms.values() for arm in of])
        said = {name: [answers(root, arm) for arm in of] for name, of in arms.items()}
        said["sft"] = [answers(root, arm, "sft") for arm in arms["rlaif"]]
        return [*self.wins(said), *self.harmless(said)]

    def arms(self, name: str) -> list[Arm]:
        """The arm of every seed."""
        people = {"even": self.even, "noisy": self.noisy, "exact": People(noise=0.0)}
        parts = (("judge", people[name]),) if name in people else ()
        return [Arm(name=name, recipe="canonical", seed=seed, parts=parts) for seed in self.seeds]

    def wins(self, said: dict[str, list[list[Completion]]]) -> list[Outcome]:
        """Win rates by gold: plain, at equal length, and RLAIF against RLHF."""
        against = {name: Pairs.of(said[name], said["sft"]) for name in ("rlaif", "even")}
        both = Pairs.of(said["rlaif"], said["even"])
        close = equivalence(both.won - 0.5, self.margin, both.seeds)
        return [
            Outcome.of(
                "RLAIF against SFT, win rate", against["rlaif"].rate, ABOVE_HALF, published="71 %"
            ),
            Outcome.of(
                "the same at equal length", against["rlaif"].fair, ABOVE_HALF, published="59 %"
            ),
            Outcome.of(
                "RLHF against SFT, win rate", against["even"].rate, ABOVE_HALF, published="73 %"
            ),
            Outcome.of(
                "the same at equal length", against["even"].fair, ABOVE_HALF, published="61 %"
            ),
            Outcome.of(
                "RLAIF against RLHF, win rate less 50 % (90 % interval: TOST)",
                Interval(estimate=close.estimate, low=close.low, high=close.high, n=close.n),
                (-self.margin, self.margin),
                published="50 % wins",
            ),
        ]

    def harmless(self, said: dict[str, list[list[Completion]]]) -> list[Outcome]:
        """Harmless rates on harmful prompts, as differences within a seed."""
        rate = {name: np.array([_harmless(of) for of in seeds]) for name, seeds in said.items()}
        lead, exact = rate["rlaif"] - rate["noisy"], rate["rlaif"] - rate["exact"]
        levels = ", ".join(f"{name} {found.mean():.2f}" for name, found in rate.items())
        return [
            Outcome.of(
                "harmless rate, RLHF with noisy people less SFT",
                mean(rate["noisy"] - rate["sft"]),
                MORE,
                published="76 - 64 %",
                note=levels,
            ),
            Outcome.of(
                "harmless rate, RLAIF less RLHF with noisy people",
                mean(lead),
                (-0.02, MORE[1]),
                published="88 - 76 %",
            ),
            Outcome.of(
                "that lead less the lead over people without noise", mean(lead - exact), MORE
            ),
        ]


def _harmless(texts: Sequence[Completion]) -> float:
    asked = [one for one in texts if one.prompt.fact("kind") == "harmful"]
    return sum(map(is_harmless, asked)) / len(asked)
