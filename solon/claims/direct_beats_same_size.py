"""Direct RLAIF beats RLAIF by a reward model of the same judge, whose reward model goes stale.

Lee et al. (arXiv 2309.00267): direct RLAIF wins 60 % against same-size distilled RLAIF (56 % at
equal length), and motivates it by the reward model growing stale as the policy drifts.

Two arms from one supervised start per seed: one judge, one optimiser, KL coefficient and length.
Predictions, fixed before looking: direct wins above 50 % by gold; the rank correlation of reward
model and judge over the policy's current completions is lower in the last tenth of the steps than
in the first. Both arms' calls of the judge are reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.bench.town_models import scorer
from solon.claims._arms import Arm, answers, climb, prepare, taught
from solon.claims._claim import ABOVE_HALF, LESS, SEEDS, Outcome
from solon.claims._pairs import Pairs
from solon.records import Abstains, Rollout
from solon.run.run import Run
from solon.run.shards import read_records, shards
from solon.seams.feedback import Reward
from solon.statistics import mean, spearman


@dataclass(frozen=True, kw_only=True)
class DirectBeatsSameSize:
    """Two arms from one start per seed."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        distilled = [Arm(name="rlaif", recipe="canonical", seed=seed) for seed in self.seeds]
        direct = [Arm(name="direct", recipe="direct", seed=seed) for seed in self.seeds]
        climb(root, [*distilled, *direct])
        pairs = Pairs.of([answers(root, a) for a in direct], [answers(root, a) for a in distilled])
        calls = self.calls(root, distilled[0], direct[0])
        return [
            Outcome.of(
                "direct against distilled, win rate",
                pairs.rate,
                ABOVE_HALF,
                published="60 %",
                note=calls,
            ),
            Outcome.of("the same at equal length", pairs.fair, ABOVE_HALF, published="56 %"),
            self.stale(root, distilled),
        ]

    def stale(self, root: Path, arms: list[Arm]) -> Outcome:
        """Correlation of reward model and judge on current completions: last tenth less first."""
        with Run(root / "staleness") as run:
            judge = scorer(taught(root)).open(run)
            ends = np.array(
                [_ends(judge, arm.folder(root) / "records" / "rollouts") for arm in arms]
            )
        first, last = ends.mean(axis=0)
        says = "rank correlation of reward model and judge on current completions, last less first"
        note = f"first {first:.2f}, last {last:.2f}"
        return Outcome.of(says, mean(ends[:, 1] - ends[:, 0]), LESS, note=note)

    def calls(self, root: Path, distilled: Arm, direct: Arm) -> str:
        """Judge calls of each arm: two a pair, one a rollout."""
        judged = len(read_records(distilled.folder(root) / "records" / "judgements"))
        rolled = len(read_records(direct.folder(root) / "records" / "rollouts"))
        return f"judge calls a seed: {2 * judged} distilled, {rolled} direct"


def _ends(judge: Reward, folder: Path) -> tuple[float, float]:
    """(first tenth, last tenth) of the steps."""
    steps = len(shards(folder))
    tenth = max(1, steps // 10)
    rollouts: list[list[Rollout]] = [
        read_records(folder, first=0, last=tenth),
        read_records(folder, first=steps - tenth),
    ]
    return _agreement(judge, rollouts[0]), _agreement(judge, rollouts[1])


def _agreement(judge: Reward, rollouts: list[Rollout]) -> float:
    said = judge([rollout.completion for rollout in rollouts])
    both = [
        (rollout.reward, score)
        for rollout, score in zip(rollouts, said, strict=True)
        if not isinstance(score, Abstains)
    ]
    rewards, scores = np.array(both).T
    return spearman(rewards, scores).estimate
