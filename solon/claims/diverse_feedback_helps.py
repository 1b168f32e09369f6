"""Feedback of a kind chosen by the policy's uncertainty helps more than the same kinds dealt out.

Yu et al. (DAIF, TACL 2025; CDF, arXiv 2310.06450): critiques for answers that the policy is sure
of, refinements for the middle third, comparisons with a stronger model's answers for the rest give
a better policy than one kind alone, and one that over-fits less. Reviewers missed the control that
decides: the same three kinds dealt out at random, which are as diverse.

Six arms a seed, from one start that was taught to revise: by uncertainty (perplexity), reversed, at
random, and each kind alone. Every arm answers the same prompts, asks its teacher once about each
answer, and learns from as many pairs in as many updates. The teacher (a planted critic that errs in
three of ten cases, a planted judge) and the rival (people of half the flaws) are the same for all.
Gold is that of fresh samples: of test prompts, and of the training prompts that were asked about,
whose difference is the gap.

Predictions, fixed before looking at any seed but 0, on which the settings were chosen, and in the
paper's direction although seed 0 went against all but the last: by uncertainty ends above random in
gold, above reversed, and above the mean of the single kinds; its gap is smaller than the mean gap
of the single kinds.

What the town lacks: here a low perplexity means that the answer is right, so that a critique of the
surest third finds little to mend; and people who answer better than the policy are cheap, so that
whoever gets most refinements learns most. Our formulation throughout: the paper's thresholds,
templates and figures were not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from solon.bench.town import CAREFUL, TownDemonstrations
from solon.claims._arms import ended, prepare, supervised
from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.engines.local import Transformer
from solon.lab.critic import PlantedCritic
from solon.lab.gold import gold
from solon.lab.judges import Dials, PlantedPair
from solon.lab.revisions import REVISE
from solon.lab.town import Town
from solon.lab.townsfolk import Townsfolk
from solon.objectives.adam import Adam
from solon.objectives.pairwise import DPO
from solon.recipes.diverse import KINDS, Diverse
from solon.recipes.supervised import Supervised
from solon.records import Preference, flat
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.seams.learning import Frozen
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer
from solon.statistics import mean

ARMS = ("uncertainty", "random", "reversed", *KINDS)
TEACH = Imitate(batch=64, adam=Adam(lr=1e-3, warmup=10, schedule="linear", steps=63))
LEARN = Prefer(
    batch=32, epochs=3, holdout=0.0, probe=0, adam=Adam(lr=2e-4, warmup=5), objective=DPO(beta=0.3)
)


@dataclass(frozen=True, kw_only=True)
class DiverseFeedbackHelps:
    """Six ways of dealing out three kinds of feedback, from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    lessons: TownDemonstrations = TownDemonstrations(n=4000, revised=0.5)
    """What teaches the supervised policy to revise."""
    pairs: int = 240
    """Pairs that each arm learns from."""
    spare: float = 2.0
    """Share of prompts beyond them."""
    tests: int = 250
    """Prompts of each split whose samples are measured."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    own = column["uncertainty/gold"]
    single = np.mean([column[f"{kind}/gold"] for kind in KINDS], axis=0)
    gaps = np.mean([column[f"{kind}/gap"] for kind in KINDS], axis=0)
    says = "gold of test samples, by uncertainty less {}"
    return [
        Outcome.of(says.format("at random"), mean(own - column["random/gold"]), MORE),
        Outcome.of(says.format("reversed"), mean(own - column["reversed/gold"]), MORE),
        Outcome.of(says.format("the single kinds' mean"), mean(own - single), MORE),
        Outcome.of(
            "gap of gold, train less test, by uncertainty less the single kinds' mean",
            mean(column["uncertainty/gap"] - gaps),
            LESS,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """The gold of every arm, with what it was taught by."""
    start = Outcome.of("the start, gold of test samples", mean(column["start/gold"]), UNBOUND)
    rows = [start]
    for arm in ARMS:
        calls, pairs = column[f"{arm}/calls"].mean(), column[f"{arm}/pairs"].mean()
        note = (
            f"gap {column[f'{arm}/gap'].mean():.3f}, right labels "
            f"{column[f'{arm}/right'].mean():.2f}, {calls:.0f} calls, {pairs:.0f} pairs"
        )
        says = f"{arm}: gold of test samples"
        rows.append(Outcome.of(says, mean(column[f"{arm}/gold"]), UNBOUND, note=note))
    return rows


def folder(root: Path, seed: int) -> Path:
    return root / f"diverse-s{seed}"


def measure(root: Path, claim: DiverseFeedbackHelps, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    own = folder(root, seed)
    with Run(own / "taught", seed=seed) as run:
        start = supervised(root, seed)
        policy = Supervised(policy=start, demonstrations=claim.lessons, imitate=TEACH)(run)
        found = measured("start", claim, run, policy)
    for arm in ARMS:
        with Run(own / arm, seed=seed) as run:
            policy = recipe(claim, arm, ended(own / "taught"))(run)
            found |= measured(arm, claim, run, policy) | taught(arm, run.dir)
    return found


def recipe(claim: DiverseFeedbackHelps, arm: str, start: Transformer) -> Diverse:
    """One arm; the teacher and the rival are the same for all."""
    return Diverse(
        prompts=Town(),
        policy=start,
        judge=PlantedPair(dials=Dials(discernment=2.0)),
        critic=PlantedCritic(),
        rival=Townsfolk(manners=CAREFUL),
        pairs=claim.pairs,
        spare=claim.spare,
        assign=arm,  # pyright: ignore[reportArgumentType] - ARMS are its choices
        revise=REVISE,
        prefer=LEARN,
    )


def measured(name: str, claim: DiverseFeedbackHelps, run: Run, policy: Frozen) -> dict[str, float]:
    """Gold of a sample of each test prompt, and how much more training prompts have."""
    town = Town().open(run)
    train, test = (
        fmean(town.gold(flat(policy.sample(town.take(claim.tests, split=split)))))
        for split in ("train", "test")
    )
    return {f"{name}/gold": test, f"{name}/gap": train - test}


def taught(name: str, run: Path) -> dict[str, float]:
    """What the arm's teacher was asked, the pairs it made, and the share that gold agrees with."""
    [said] = [one for one in lines.read(run / "metrics.jsonl") if one["stage"] == "feedback"]
    data = pairs(run)
    right = [np.sign(gold(one.chosen) - gold(one.rejected)) for one in data]
    return {
        f"{name}/calls": sum(value for key, value in said.items() if key.endswith("_asked")),
        f"{name}/pairs": said["learnt"],
        f"{name}/right": (1 + fmean(right)) / 2,
    }


def pairs(run: Path) -> list[Preference]:
    """All pairs that a run learnt from."""
    found: list[list[Preference]] = [
        read_records(run / "records" / f"preferences-{kind}") for kind in KINDS
    ]
    return [one for part in found for one in part]
