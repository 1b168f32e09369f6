"""One model that answers and judges: its start, and what is measured of it in every round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

import numpy as np

from solon.bench.town import TownDemonstrations, TownEvaluations
from solon.claims._arms import ended, supervised
from solon.claims._claim import UNBOUND, Outcome
from solon.claims._seeds import Column
from solon.engines.local import Transformer
from solon.judges.logits import LogitScore
from solon.judges.questions import pairs
from solon.lab.evaluation import SCORE
from solon.lab.gold import gold
from solon.lab.town import Town
from solon.objectives.adam import Adam
from solon.objectives.pairwise import DPO
from solon.records import Compare, Completion, Group, Rate, Scores, flat
from solon.run import lines
from solon.run.given import Given
from solon.run.run import Run
from solon.seams.feedback import Chooser
from solon.seams.learning import Frozen
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer
from solon.stages.together import Together
from solon.statistics import mean

ANSWERS = TownDemonstrations(n=3_000)
JUDGEMENTS = TownEvaluations()
TEACH = Imitate(batch=64, adam=Adam(lr=3e-3, warmup=30, schedule="linear", steps=360))

ROUNDS = 4
FIT = Prefer(
    batch=32,
    epochs=2,
    holdout=0.0,
    probe=0,
    adam=Adam(lr=2e-4, warmup=5),
    objective=DPO(beta=0.1),
)


def joint(root: Path, seed: int) -> Transformer:
    """The seed's supervised start after answers and judgements in one set: M_1."""
    folder = root / f"joint-s{seed}"
    if not (folder / "policies" / "sft" / "config.json").exists():
        with Run(folder, seed=seed) as run:
            policy = supervised(root, seed).open(run)
            TEACH.start(run, policy, Together.of(ANSWERS, JUDGEMENTS))
    return ended(folder, "sft")


@dataclass(frozen=True)
class Yardstick:
    """What every model of a seed is measured on: test prompts, and pairs that M_1 wrote to them."""

    run: Run
    first: Frozen
    n: int

    @cached_property
    def groups(self) -> list[Group]:
        return self.first.sample(Town().open(self.run).take(self.n, split="test"), n=3)

    @cached_property
    def questions(self) -> list[Compare]:
        """The pairs that differ in gold."""
        return [q for q in pairs(self.groups) if abs(gold(q.first) - gold(q.second)) > 1e-9]

    def accuracy(self, model: Frozen) -> float:
        """Share of M_1's pairs in which higher gold has the higher expected score, ties half."""
        assert isinstance(model, Chooser), "a model of the laboratory says its probabilities"
        judge = LogitScore(policy=Given(model), template=SCORE).open(self.run)
        texts = list(dict.fromkeys(flat(self.groups)))
        said = judge([Rate(completion=one) for one in texts])
        score = {
            one.question.completion: one.answer.value
            for one in said
            if isinstance(one.answer, Scores)
        }
        gaps = np.array([score[q.first] - score[q.second] for q in self.questions])
        true = np.array([gold(q.first) - gold(q.second) for q in self.questions])
        gaps = np.where(np.abs(gaps) < 1e-9, 0.0, gaps)
        return float(np.mean((np.sign(gaps) * np.sign(true) + 1) / 2))

    def answers(self, model: Frozen) -> list[Completion]:
        return flat(model.sample([group.prompt for group in self.groups]))

    def rounds(self, models: Sequence[Frozen]) -> dict[str, list[float]]:
        """By name, one number for each model: gold, characters, judge's accuracy, wins."""
        said = [self.answers(model) for model in models]
        return {
            "gold": [fmean(map(gold, texts)) for texts in said],
            "length": [fmean(len(one.text) for one in texts) for texts in said],
            "accuracy": [self.accuracy(model) for model in models],
            "against M1": [won(texts, said[0]) for texts in said],
            "against the one before": [
                won(texts, before)
                for texts, before in zip(said, [said[0], *said[:-1]], strict=True)
            ],
        }


def measured(run: Run, arm: str, tests: int, also: Sequence[str]) -> dict[str, list[float]]:
    """Every model of a run on its yardstick, and what the run itself logged in each round."""
    models = [run.policies[f"m{turn}"] for turn in range(1, ROUNDS + 2)]
    found = Yardstick(run, models[0], tests).rounds(models)
    found |= {name: logged(run.dir, "judge", name, ROUNDS) for name in also}
    return {f"{arm}/{name}": values for name, values in found.items()}


def level(column: Column, arm: str, says: str, also: Sequence[str]) -> Outcome:
    """Win rate of the last model against M1, with every round of the other figures beside it."""
    note = "; ".join(
        f"{name} " + " ".join(f"{level:.3g}" for level in column[f"{arm}/{name}"].mean(axis=0))
        for name in also
    )
    found = mean(column[f"{arm}/against M1"][:, -1])
    return Outcome.of(f"{says}: M5 against M1, win rate", found, UNBOUND, note=note)


def won(mine: Sequence[Completion], other: Sequence[Completion]) -> float:
    """Win rate by gold, a tie as a half."""
    gaps = np.array([gold(a) - gold(b) for a, b in zip(mine, other, strict=True)])
    return float(np.mean((np.sign(np.where(np.abs(gaps) < 1e-9, 0.0, gaps)) + 1) / 2))


def logged(folder: Path, stage: str, name: str, rounds: int) -> list[float]:
    """What a run logged under that name in each of its rounds; 0 where it did not."""
    found: Mapping[str, float] = {
        line["stage"]: line[name] for line in lines.read(folder / "metrics.jsonl") if name in line
    }
    return [found.get(f"{stage}-{turn}", 0.0) for turn in range(1, rounds + 1)]
