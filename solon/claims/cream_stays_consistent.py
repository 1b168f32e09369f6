"""A policy that rewards itself goes astray, less so where it learns as much as it agrees.

Wang et al. (CREAM, arXiv 2410.12735): by the implicit reward log M_t - log M_0 self-rewarding
improves no more after the first rounds, or collapses, while with the consistency of two rounds in
its labels it goes on; the ranks of two models in a row agree far better (tau .84, not -.08).

Per seed M_0 is the town's supervised start and M_1 what 640 answers of better people make of it;
then four rounds on 300 fresh prompts each, five completions of a prompt. Arms, which differ in the
label alone: CREAM (p = C of the round), SRLM (p = 1), and as a control CREAM whose former ranks are
drawn by chance. Measured of every model on test prompts: gold, length, the accuracy of its reward
against gold over pairs of its own completions, and nats to M_1.

Predictions, fixed before looking at any seed but 0, on which the settings were chosen: SRLM's gold
after three rounds is below M_1's, and so is its reward's accuracy; CREAM's gold is then above
SRLM's, and its tau, over the rounds after the first, higher; ranks by chance give C between 0.45
and 0.55, and the policy that learns from them stays nearer to M_1 than either.

What differs from the paper: two rounds there, at a rate of 1e-6; four here that move far, so that
what goes astray is seen. M_0 has learnt from people like those whom it is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from solon.bench.town import CAREFUL, TownDemonstrations
from solon.bench.watching import agreement, clean
from solon.claims._arms import prepare, supervised
from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.engines.local import Transformer
from solon.judges.questions import pairs
from solon.lab.gold import gold
from solon.lab.town import Town
from solon.objectives.adam import Adam
from solon.objectives.pairwise import DPO
from solon.recipes.cream import Cream, Implicit
from solon.records import Completion, Judgement, Rate, ScoreJudgement, Scores
from solon.run import lines
from solon.run.run import Run
from solon.seams.feedback import ScoreJudge
from solon.seams.learning import Frozen
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer, implicit_margins, log_ratios
from solon.statistics import mean

ROUNDS = 4
AFTER = 4  # M_4: three rounds after M_1


@dataclass(frozen=True, kw_only=True)
class Chance:
    """A score judge that draws its scores."""

    seed: int
    id: str = "chance"

    def __call__(self, questions: Sequence[Rate], /) -> list[ScoreJudgement]:
        drawn = np.random.default_rng([self.seed, len(questions)]).random(len(questions))
        return [
            Judgement(question=one, answer=Scores(value=float(score)), judge=self.id)
            for one, score in zip(questions, drawn, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class ByChance(Cream):
    """The control: the former model's ranks are drawn."""

    draw: int = 0

    def judges(
        self, model: Frozen, earlier: Frozen, reference: Frozen
    ) -> tuple[ScoreJudge, ScoreJudge]:
        del earlier
        version = int(model.id.rpartition("@")[2])
        return Implicit(model=model, reference=reference), Chance(seed=self.draw + version)


@dataclass(frozen=True, kw_only=True)
class CreamStaysConsistent:
    """Self-rewarding with its consistency, without, and with one by chance."""

    seeds: tuple[int, ...] = SEEDS
    tests: int = 250
    """Test prompts; two completions each."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""

    def less(what: str, arm: str, other: str) -> NDArray[np.float64]:
        return column[f"{arm}/{what}"] - column[f"{other}/{what}"]

    late = {arm: np.mean([column[f"{arm} {t}/tau"] for t in (2, 3, 4)], axis=0) for arm in ARMS}
    rates = np.mean([(column[f"chance {t}/tau"] + 1) / 2 for t in range(1, ROUNDS + 1)], axis=0)
    last, first = f"srlm {AFTER}", "srlm 1"
    moved = {arm: column[f"{arm} {ROUNDS + 1}/nats to M_1"] for arm in ARMS}
    nearer = moved["chance"] - np.minimum(moved["cream"], moved["srlm"])
    return [
        Outcome.of("SRLM after three rounds less M_1, gold", mean(less("gold", last, first)), LESS),
        Outcome.of("the same, accuracy of its reward", mean(less("accuracy", last, first)), LESS),
        Outcome.of(
            "CREAM less SRLM after three rounds, gold",
            mean(less("gold", f"cream {AFTER}", last)),
            MORE,
            published="ahead, on five benchmarks",
        ),
        Outcome.of(
            "CREAM less SRLM, tau of the rounds after the first",
            mean(late["cream"] - late["srlm"]),
            MORE,
            published=".84 and -.08",
            note=f"CREAM {late['cream'].mean():.2f}, SRLM {late['srlm'].mean():.2f}",
        ),
        Outcome.of("C where the former ranks are by chance", mean(rates), (0.45, 0.55)),
        Outcome.of(
            "nats to M_1 after four rounds, by chance less the nearer of the others",
            mean(nearer),
            LESS,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Gold of every model of every arm, with what else was measured beside it."""
    rows: list[Outcome] = []
    for arm in ARMS:
        for model in range(1, ROUNDS + 2):
            key = f"{arm} {model}"
            also = [
                f"{what} {column[f'{key}/{what}'].mean():.2f}"
                for what in ("accuracy", "tau", "tokens", "nats to M_1")
                if f"{key}/{what}" in column
            ]
            says = f"{arm}: M_{model}, gold"
            found = mean(column[f"{key}/gold"])
            rows.append(Outcome.of(says, found, UNBOUND, note=", ".join(also)))
    return rows


ARMS = ("cream", "srlm", "chance")


def folder(root: Path, seed: int) -> Path:
    return root / f"cream-s{seed}"


def recipe(arm: str, start: Transformer, seed: int) -> Cream:
    """The arm's recipe: they differ in where a label comes from, and in nothing else."""
    made: Callable[..., Cream] = partial(ByChance, draw=1000 * seed) if arm == "chance" else Cream
    return made(
        prompts=Town(),
        policy=start,
        seed_data=TownDemonstrations(n=640, manners=CAREFUL),
        imitate=Imitate(epochs=0),  # M_0 as it comes
        teach=Imitate(batch=64, epochs=2, adam=Adam(lr=5e-4, warmup=5)),
        iterations=ROUNDS,
        take=300,
        prefer=Prefer(
            batch=32,
            holdout=0.0,
            probe=0,
            adam=Adam(lr=3e-4, warmup=5),
            objective=DPO(beta=0.1),
        ),
        consistency="off" if arm == "srlm" else "set",
    )


def measure(root: Path, claim: CreamStaysConsistent, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    start = supervised(root, seed)
    found: dict[str, float] = {}
    for arm in ARMS:
        with Run(folder(root, seed) / arm, seed=seed) as run:
            recipe(arm, start, seed)(run)
            for model in range(1, ROUNDS + 2):
                seen = measured(run, model, claim.tests)
                found |= {f"{arm} {model}/{what}": value for what, value in seen.items()}
            for line in lines.read(run.dir / "metrics.jsonl"):
                stage, _, turn = line["stage"].partition("-")
                if stage == "rank":
                    found[f"{arm} {turn}/tau"] = line["tau"]
    return found


def measured(run: Run, model: int, tests: int) -> dict[str, float]:
    """Gold and length of what M_t says, how right its reward is about it, and how far it is."""
    policy, first, reference = (run.policies[name] for name in (f"m{model}", "m1", "sft"))
    groups = policy.sample(Town().open(run).take(tests, split="test"), n=2)
    own = [group.completions[0] for group in groups]
    differ = clean(pairs(groups), golds)
    return {
        "gold": fmean(golds(own)),
        "tokens": fmean(policy.lengths(own)),
        "accuracy": agreement(implicit_margins(policy, reference, differ)),
        "nats to M_1": fmean(log_ratios(policy, first, own)),
    }


def golds(completions: Sequence[Completion]) -> list[float]:
    return [gold(one) for one in completions]
