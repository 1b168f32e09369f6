"""Labels averaged over both orders agree with the truth at least as often as those of one order.

Lee et al. (arXiv 2309.00267, section 2.1.1) ask in both orders because judges lean to a slot (18,
21 and 56 % of pairs by labeler size).

Pairs drawn from each seed's supervised policy; a planted judge whose only flaw is the dial, and the
town's language-model judge as it is. Predictions, fixed before looking: with a position bias of 1.5
logits the two-pass labels' accuracy against gold is above the one-pass labels'; without bias the
two are equal (within 0.1 points: a judge without bias answers both orders alike); the language
model's two-pass labels are not worse by more than 1 point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.bench.town_models import pair_judge
from solon.claims._arms import prepare, supervised, taught
from solon.claims._claim import MORE, SEEDS, Outcome
from solon.judges.questions import pairs
from solon.judges.wrappers import BothOrders
from solon.lab.gold import gold
from solon.lab.judges import Dials, PlantedPair
from solon.lab.town import Town
from solon.records import Abstains, Compare, PairJudgement, Prefers
from solon.run.run import Run
from solon.seams.feedback import PairJudge, Spec
from solon.statistics import Interval, mean


@dataclass(frozen=True, kw_only=True)
class TwoOrdersHelp:
    """One judge with a dial, one that learnt; each asked once and in both orders."""

    seeds: tuple[int, ...] = SEEDS
    bias: float = 1.5
    """Logits for whichever is shown first."""
    discernment: float = 2.0
    """Logits per unit of gold."""
    prompts: int = 400
    """Prompts a seed; two completions each."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        planted = {
            "biased": PlantedPair(dials=Dials(discernment=self.discernment, position=self.bias)),
            "fair": PlantedPair(dials=Dials(discernment=self.discernment)),
            "learnt": pair_judge(taught(root)),
        }
        gain = {name: self.gain(root, judge) for name, judge in planted.items()}
        biased = f"two passes less one, position bias {self.bias:g} logits"
        return [
            Outcome.of(biased, gain["biased"][0], MORE, note=gain["biased"][1]),
            Outcome.of(
                "two passes less one, no bias",
                gain["fair"][0],
                (-0.001, 0.001),
                note=gain["fair"][1],
            ),
            Outcome.of(
                "two passes less one, the town's judge",
                gain["learnt"][0],
                (-0.01, MORE[1]),
                note=gain["learnt"][1],
            ),
        ]

    def gain(self, root: Path, judge: Spec[PairJudge]) -> tuple[Interval, str]:
        """(gain in accuracy by seed, the levels in words)."""
        one, two = np.array([self.accuracies(root, seed, judge) for seed in self.seeds]).T
        return mean(two - one), f"one {one.mean():.3f}, two {two.mean():.3f}"

    def accuracies(self, root: Path, seed: int, judge: Spec[PairJudge]) -> tuple[float, float]:
        """(one pass, both orders) on pairs of the seed's supervised policy that differ in gold."""
        start = supervised(root, seed)
        with Run(root / "orders", seed=seed) as run:
            asked = Town().open(run).take(self.prompts, split="test")
            questions = [
                one
                for one in pairs(start.open(run).sample(asked, n=2))
                if abs(gold(one.first) - gold(one.second)) > 1e-9
            ]
            both = BothOrders(judge=judge).open(run)(questions)
        return _one_pass(both), _right(questions, [answer.p_first for answer in _answers(both)])


def _answers(said: Sequence[PairJudgement]) -> list[Prefers]:
    answers = [one.answer for one in said if not isinstance(one.answer, Abstains)]
    assert len(answers) == len(said), "these judges always answer"
    return answers


def _one_pass(both: Sequence[PairJudgement]) -> float:
    """Mean accuracy of the two single passes that the averaged label was made of."""
    questions = [one.question for one in both]
    orders = np.array([answer.orders for answer in _answers(both)])
    return float(np.mean([_right(questions, list(column)) for column in orders.T]))


def _right(questions: Sequence[Compare], p_first: Sequence[float]) -> float:
    """Share of pairs whose likelier completion has the higher gold; an even label counts half."""
    gaps = np.array([gold(one.first) - gold(one.second) for one in questions])
    leaning = np.array(p_first) - 0.5
    return float(np.mean((np.sign(leaning) == np.sign(gaps)) + 0.5 * (np.abs(leaning) < 1e-12)))
