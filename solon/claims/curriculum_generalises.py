"""A reward model taught from easy to hard pairs generalises better than one taught in another way.

Curriculum-RLAIF (arXiv 2505.20075): distribution shift, label noise and pairs that are too hard
hurt a reward model's generalisation; contrastive, then bridging, then random pairs mend that at
fewer labels. RLCD (arXiv 2307.12950) is the contrastive pairs alone. The authors' bridging rule and
sizes were not at hand: the pairs are our formulation, and no figure of theirs stands beside it.

Per seed, one start that can follow guidance, one set of draws, one judge (the town's language
model), one rate, batch and number of updates. Arms: the curriculum; its very pairs shuffled, and
from hard to easy; random pairs alone, as many pairs (four times the judge's calls) and as many
calls (its hard pairs alone, passed over four times); contrastive pairs alone, without any call.
Measured: accuracy against gold's order on easy, medium and random pairs of test prompts, on pairs
of careful people's answers (out of distribution: another author, and better than the policy), and
on bridging pairs where the completion without guidance is the better one (a reward for the style of
guidance is wrong there); gold of the best of 16 by each reward.

Predictions, fixed before looking: on random pairs, on people's pairs and in the gold of the best of
16, the curriculum is above each of the five others; contrastive pairs alone are above it on easy
pairs. Controls: the random pairs at equal pairs and at equal calls. The benefit may be about 0: the
intervals say how large it can be.

What the town lacks: guidance that a pretrained policy follows by itself (here a share of the
demonstrations teaches it), and a reward model that is large beside its data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from solon.bench.town import CAREFUL, IMITATE, TownDemonstrations
from solon.bench.town_models import SHAPE, pair_judge
from solon.bench.watching import clean
from solon.claims._arms import prepare, taught
from solon.claims._claim import MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.engines.local import RewardTransformer, Transformer
from solon.judges.questions import preferences
from solon.judges.wrappers import BothOrders
from solon.lab.demonstrations import GUIDANCE, answer
from solon.lab.gold import gold
from solon.lab.grammar import words
from solon.lab.town import Town
from solon.objectives.adam import Adam
from solon.recipes.best_of_n import best
from solon.records import Compare, Group, Preference, Prompt, Rollout, flat
from solon.run.run import Run
from solon.seams.feedback import Reward
from solon.seams.learning import Frozen
from solon.stages.course import Course, Graded
from solon.stages.draws import Draws
from solon.stages.fit_reward import FitReward, accuracy
from solon.statistics import mean

OTHERS = {
    "shuffled": "the same pairs shuffled",
    "reversed": "the same pairs from hard to easy",
    "random": "random pairs alone, equal pairs",
    "calls": "random pairs alone, equal calls",
    "contrastive": "contrastive pairs alone",
}
MEASURES = {
    "hard": "accuracy on random pairs",
    "people": "accuracy on people's pairs",
    "gold": "gold of the best of 16",
}


@dataclass(frozen=True, kw_only=True)
class CurriculumGeneralises:
    """Six reward models from one start and one set of draws per seed."""

    seeds: tuple[int, ...] = SEEDS
    demonstrations: TownDemonstrations = TownDemonstrations(share=0.4)
    """What the start imitates."""
    pairs: int = 1200
    """Pairs of every arm but that of equal calls."""
    fresh: int = 300
    """Test prompts of each slice and of the best of n."""
    n: int = 16
    """Completions that a reward chooses among."""
    adam: Adam = Adam(lr=1e-3, warmup=5)
    """Optimiser of every reward model: constant, so that what comes last is not learnt least."""
    batch: int = 32
    """Pairs per update."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*self.predictions(column), *self.levels(column)]

    def predictions(self, column: Column) -> list[Outcome]:
        """What was fixed before looking."""
        rows = [
            Outcome.of(
                f"curriculum less {says}, {what}",
                mean(column[f"curriculum/{measure}"] - column[f"{other}/{measure}"]),
                MORE,
            )
            for other, says in OTHERS.items()
            for measure, what in MEASURES.items()
        ]
        shortcut = column["contrastive/easy"] - column["curriculum/easy"]
        says = "contrastive pairs alone less curriculum, accuracy on easy pairs"
        return [*rows, Outcome.of(says, mean(shortcut), MORE)]

    def levels(self, column: Column) -> list[Outcome]:
        """Accuracy of every arm on random pairs, with what else was measured beside it."""
        also = ("easy", "medium", "people", "style", "gold")
        rows: list[Outcome] = []
        for name in ("curriculum", *OTHERS):
            note = ", ".join(f"{what} {column[f'{name}/{what}'].mean():.3f}" for what in also)
            says = f"{name}, accuracy on random pairs"
            rows.append(Outcome.of(says, mean(column[f"{name}/hard"]), UNBOUND, note=note))
        facts = ("guided labels right", "judge right", "gold of the start")
        note = ", ".join(f"{what} {column[what].mean():.3f}" for what in facts[1:])
        says = "easy pairs whose construction is gold's order (no tie counted)"
        return [*rows, Outcome.of(says, mean(column[facts[0]]), UNBOUND, note=note)]

    def courses(self) -> dict[str, tuple[Course, int]]:
        """Each arm's course, and the passes over it."""
        calls = Course(pairs=self.pairs).fresh["hard"]
        return {
            "curriculum": (Course(pairs=self.pairs), 1),
            "shuffled": (Course(pairs=self.pairs, order="shuffled"), 1),
            "reversed": (Course(pairs=self.pairs, order="reversed"), 1),
            "random": (Course(pairs=self.pairs, stages=("hard",)), 1),
            "calls": (Course(pairs=calls, stages=("hard",)), round(self.pairs / calls)),
            "contrastive": (Course(pairs=self.pairs, stages=("easy",)), 1),
        }


def folder(root: Path, seed: int) -> Path:
    return root / f"curriculum-s{seed}"


def measure(root: Path, claim: CurriculumGeneralises, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    place = folder(root, seed)
    with Run(place / "start", seed=seed) as run:
        start = begun(run, claim)
        graded = drawn(run, claim, start, root)
    with Run(place / "tests", seed=seed) as run:
        tests = Slices.of(run, claim, start)
    found = {
        "guided labels right": fmean(gold_order(graded["easy"])),
        "judge right": fmean(gold_order(graded["hard"])),
        "gold of the start": fmean(gold(one) for one in flat(tests.groups)),
    }
    for name, (course, epochs) in claim.courses().items():
        with Run(place / name, seed=seed) as run:
            reward = RewardTransformer().open(run)
            cut: Graded = {each: graded[each][:size] for each, size in course.fresh.items()}
            assert sum(map(len, cut.values())) == course.pairs, "arms of equal size"
            fit = FitReward(batch=claim.batch, epochs=epochs, holdout=0.0, adam=claim.adam)
            with run.stage("reward"):
                data = course.arranged(cut, seed=run.seed_for("course"))
                fit(run, reward, start, data, ordered=True)
        found |= {f"{name}/{what}": value for what, value in tests.measured(reward).items()}
    return found


def begun(run: Run, claim: CurriculumGeneralises) -> Frozen:
    """The seed's start: it has learnt to follow guidance."""
    policy = Transformer(shape=SHAPE, tokenizer=words(), chat="never", max_new_tokens=32)
    return IMITATE.start(run, policy.open(run), claim.demonstrations)


def drawn(run: Run, claim: CurriculumGeneralises, start: Frozen, root: Path) -> Graded:
    """Pairs of each difficulty, enough for the arm that needs the most of them."""
    asked = Town().open(run).take(round(1.3 * claim.pairs))
    draws = Draws(run=run, policy=start, prompts=asked, guidance=GUIDANCE)
    bridging = draws.medium()[: Course(pairs=claim.pairs).fresh["medium"]]
    judge = BothOrders(judge=pair_judge(taught(root))).open(run)
    return {
        "easy": draws.easy(),
        "medium": draws.widest_first(bridging),
        "hard": preferences(run.map("judgements", judge, draws.hard()[: claim.pairs])),
    }


@dataclass(frozen=True, kw_only=True)
class Slices:
    """What every reward is measured on: slices in gold's order, and siblings to choose among."""

    slices: Mapping[str, Sequence[Preference]]
    groups: Sequence[Group]

    @classmethod
    def of(cls, run: Run, claim: CurriculumGeneralises, start: Frozen) -> Slices:
        asked = Town().open(run).take(claim.fresh, split="test")
        draws = Draws(run=run, policy=start, prompts=asked, guidance=GUIDANCE)
        above = [
            Compare(first=good, second=group.completions[0])
            for good, group in zip(draws.positive(), draws.plain(), strict=True)
        ]
        guided = {one.first for one in above}
        slices = {
            "easy": ordered([compare(one) for one in draws.easy()]),
            "medium": ordered([compare(one) for one in draws.medium()]),
            "hard": ordered(draws.hard()),
            "people": ordered(peoples(asked, run.seed_for("people"))),
            "style": [one for one in ordered(above) if one.rejected in guided],
        }
        draw = partial(start.sample, n=claim.n)
        return cls(slices=slices, groups=run.map("candidates", draw, asked))

    def measured(self, reward: Reward) -> dict[str, float]:
        """Accuracy on each slice, and the gold of the best of n."""
        found = {name: accuracy(reward, data) for name, data in self.slices.items()}
        texts = flat(self.groups)
        chosen = best(
            [
                Rollout(completion=one, reward=value)
                for one, value in zip(texts, reward(texts), strict=True)
                if isinstance(value, float)
            ]
        )
        return found | {"gold": fmean(gold(one) for one in chosen)}


def ordered(questions: Sequence[Compare]) -> list[Preference]:
    """The pairs that differ in gold, in its order."""
    return clean(questions, lambda texts: [gold(one) for one in texts])


def compare(one: Preference) -> Compare:
    return Compare(first=one.chosen, second=one.rejected)


def peoples(asked: Sequence[Prompt], seed: int) -> list[Compare]:
    """Two answers of careful people to each prompt."""
    draw = np.random.default_rng(seed)
    rows = [(answer(one, CAREFUL, draw), answer(one, CAREFUL, draw)) for one in asked]
    return [Compare(first=a, second=b) for a, b in rows if a.text != b.text]


def gold_order(data: Sequence[Preference]) -> list[float]:
    """1 where the label is gold's order, 0 where it is not; ties in gold are left out."""
    gaps = [gold(one.chosen) - gold(one.rejected) for one in data]
    return [float(gap > 0) for gap in gaps if abs(gap) > 1e-9]
