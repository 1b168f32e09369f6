"""Preference objectives made for wrong labels: what they learn, and what they memorise, from flips.

Ray Chowdhury et al. (rDPO, arXiv 2403.00409): better than DPO, cDPO and IPO under injected flips.
Bukharin et al. (R3M, arXiv 2406.15568): a few outliers do no harm. Noise-aware DPO for RLAIF, of
which only the abstract is public (nrDPO is our formulation): gated about 60 % where half of the
labels are flipped and DPO stays at 49 to 50 %.

Per seed, one set of pairs of the supervised policy's own completions, labelled by gold, and then
flipped: none, 30 % or 50 % at random, or as a judge that follows length would. One start, one
optimiser, the same pairs in the same order, several passes: the regime in which a policy can
memorise its labels. The flip rate is told to cDPO and rDPO (at most 0.45). Accuracy is that of
log policy - log reference on fresh pairs of the same policy, against gold. Controls: the
reference's own accuracy (its mean token log-probability, no learning at all), which whatever is
weighed by the reference has to beat; random labels (the flips at 50 %).

Predictions, fixed before looking: at 30 % random flips rDPO and trimming are more accurate than DPO
and memorise fewer flips; under structured flips trimming is less accurate than DPO; at 50 % what
has only the labels stays between 45 and 55 %, and the gate is within 5 points of the reference that
it copies.

What the town lacks: a policy that is large beside its data is here one of 300,000 weights on a few
hundred pairs, and the judge's flips are planted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from solon.bench.watching import against, agreement, clean
from solon.claims._arms import prepare, supervised
from solon.claims._claim import LESS, MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import columns
from solon.engines.local import Transformer
from solon.judges.human import LabelledPairs
from solon.judges.questions import pairs
from solon.lab.gold import gold
from solon.lab.judges import Dials, PlantedPair
from solon.lab.town import Town
from solon.objectives.adam import Adam
from solon.objectives.noise import CDPO, R3M, RDPO, NrDPO, Trimmed
from solon.objectives.pairwise import DPO
from solon.recipes import preference
from solon.records import Compare, Completion, Preference, Prefers, flat
from solon.run.given import Given
from solon.run.run import Run
from solon.run.shards import read_records
from solon.seams.learning import Frozen, PairObjective
from solon.stages.prefer import Prefer, evidence, implicit_margins, log_ratios
from solon.statistics import Interval, auc, mean

NOISES: Mapping[str, float] = {
    "clean": 0.0,
    "random 0.3": 0.3,
    "random 0.5": 0.5,
    "structured": 0.3,
}
ALONE = ("dpo", "cdpo", "rdpo", "r3m", "trimmed")  # nothing but the labels
Rows = Mapping[tuple[str, str], NDArray[np.float64]]


def objectives(flip: float) -> Mapping[str, PairObjective]:
    """The losses side by side, told the flip rate where they can be."""
    known = min(flip, 0.45)
    return {
        "dpo": DPO(),
        "cdpo": CDPO(flip=known),
        "rdpo": RDPO(flip=known),
        "r3m": R3M(lam=0.4),
        "trimmed": Trimmed(cap=1.0),
        "nrdpo": NrDPO(),
        "nrdpo_gated": NrDPO.gated(),
    }


@dataclass(frozen=True, kw_only=True)
class NoiseRobustPreference:
    """Seven objectives at four kinds of noise, from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    n: int = 160
    """Pairs to learn from."""
    fresh: int = 200
    """Test prompts: of the fresh pairs, and of the samples whose gold is measured."""
    adam: Adam = Adam(lr=3e-4, warmup=5)
    """Optimiser, the same for all."""
    epochs: int = 10
    """Passes over the pairs."""
    length: float = 0.6
    """Logits per word of the judge whose flips have a pattern."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*self.predictions(column), *self.levels(column)]

    def predictions(self, column: Mapping[str, NDArray[np.float64]]) -> list[Outcome]:
        """What was fixed before looking."""

        def less(noise: str, name: str, what: str) -> Interval:
            return mean(column[f"{noise}/{name}/{what}"] - column[f"{noise}/dpo/{what}"])

        half = [column[f"random 0.5/{name}/accuracy"] for name in ALONE]
        copied = column["random 0.5/nrdpo_gated/accuracy"] - column["reference"]
        says = "at 30 % random flips, {} less DPO, {}"
        return [
            Outcome.of(
                says.format("rDPO", "accuracy"), less("random 0.3", "rdpo", "accuracy"), MORE
            ),
            Outcome.of(
                says.format("trimmed", "accuracy"), less("random 0.3", "trimmed", "accuracy"), MORE
            ),
            Outcome.of(
                says.format("rDPO", "flips memorised"),
                less("random 0.3", "rdpo", "memorised"),
                LESS,
            ),
            Outcome.of(
                says.format("trimmed", "flips memorised"),
                less("random 0.3", "trimmed", "memorised"),
                LESS,
            ),
            Outcome.of(
                "under structured flips, trimmed less DPO, accuracy",
                less("structured", "trimmed", "accuracy"),
                LESS,
            ),
            Outcome.of(
                "at 50 % flips, accuracy of those that have only the labels",
                mean(np.mean(half, axis=0)),
                (0.45, 0.55),
                published="DPO 49 to 50 %",
            ),
            Outcome.of(
                "at 50 % flips, gated nrDPO less the reference alone",
                mean(copied),
                (-0.05, 0.05),
                note=f"reference alone {column['reference'].mean():.3f}",
            ),
        ]

    def levels(self, column: Mapping[str, NDArray[np.float64]]) -> list[Outcome]:
        """Accuracy of every arm, with what else was measured beside it."""
        rows = [Outcome.of("the reference alone, accuracy", mean(column["reference"]), UNBOUND)]
        for noise in NOISES:
            for name in objectives(0.0):
                key = f"{noise}/{name}"
                also = ("gold", "KL", "memorised", "kept", "AUC of weights")
                note = ", ".join(
                    f"{what} {column[f'{key}/{what}'].mean():.2f}"
                    for what in also
                    if f"{key}/{what}" in column
                )
                says = f"{noise}: {name}, accuracy"
                rows.append(Outcome.of(says, mean(column[f"{key}/accuracy"]), UNBOUND, note=note))
        return rows


def folder(root: Path, seed: int) -> Path:
    return root / f"noise-s{seed}"


def measure(root: Path, claim: NoiseRobustPreference, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    start = supervised(root, seed)
    with Run(folder(root, seed) / "pairs", seed=seed) as run:
        town, reference = Town().open(run), start.open(run).freeze()
        draw = partial(reference.sample, n=2)
        asked = run.map("train", draw, town.take(2 * claim.n))
        right = clean(pairs(asked), town.gold)[: claim.n]
        tests = town.take(claim.fresh, split="test")
        fresh = clean(pairs(run.map("fresh", draw, tests)), town.gold)
    found = {"reference": agreement(evidence(fresh, (), reference).margin.tolist())}
    for noise, rate in NOISES.items():
        labels = flipped(right, noise, claim.length, np.random.default_rng([seed, 17]))
        told = len(against(labels, golds)) / len(labels)
        for name, objective in objectives(told if rate else 0.0).items():
            arm = Arm(name=name, objective=objective, labels=labels, start=start, fresh=fresh)
            measured = arm.run(folder(root, seed) / f"{noise}-{name}", claim, seed)
            found |= {f"{noise}/{name}/{what}": value for what, value in measured.items()}
    return found


def golds(completions: Sequence[Completion]) -> list[float]:
    return [gold(one) for one in completions]


def flipped(
    right: Sequence[Preference], noise: str, length: float, draw: np.random.Generator
) -> list[Preference]:
    """The labels with this noise; at random, what is flipped at 30 % is flipped at 50 % too."""
    if noise == "structured":
        judge = PlantedPair(dials=Dials(discernment=2.0, length=length))
        said = judge([Compare(first=one.chosen, second=one.rejected) for one in right])
        wrong = [isinstance(j.answer, Prefers) and j.answer.p_first < 0.5 for j in said]
    else:
        wrong = list(draw.random(len(right)) < NOISES[noise])
    return [
        replace(one, chosen=one.rejected, rejected=one.chosen) if bad else one
        for one, bad in zip(right, wrong, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One objective on one set of labels."""

    name: str
    objective: PairObjective
    labels: Sequence[Preference]
    start: Transformer
    fresh: Sequence[Preference]

    def run(self, folder: Path, claim: NoiseRobustPreference, seed: int) -> Mapping[str, float]:
        """Runs the recipe on the labels, and measures what came of it."""
        recipe = preference.Preference(
            prompts=Town(),
            policy=self.start,
            judge=Given(LabelledPairs(id=self.name, labels=self.labels)),
            prefer=Prefer(
                batch=32,
                epochs=claim.epochs,
                holdout=0.0,
                adam=claim.adam,
                objective=self.objective,
                probe=0,
            ),
        )
        with Run(folder, seed=seed) as run:
            policy = recipe(run)
            tests = Town().open(run).take(claim.fresh, split="test")
            texts = flat(policy.sample(tests))
            return self._measured(policy, run.policies["sft"], texts) | self._weights(folder)

    def _measured(
        self, policy: Frozen, reference: Frozen, texts: Sequence[Completion]
    ) -> dict[str, float]:
        flips = against(self.labels, golds)
        margins = implicit_margins(policy, reference, self.labels)
        found = {
            "accuracy": agreement(implicit_margins(policy, reference, self.fresh)),
            "gold": fmean(golds(texts)),
            "KL": fmean(log_ratios(policy, reference, texts)),
            "size of margin": fmean(map(abs, margins)),
        }
        if flips:
            found["memorised"] = agreement(implicit_margins(policy, reference, flips))
        return found

    def _weights(self, folder: Path) -> dict[str, float]:
        """How well small weights tell the flips: 1 always, a half not at all."""
        weighed: list[Preference] = read_records(folder / "records" / "weighed")
        if not weighed:
            return {}
        weights, flips = [one.weight for one in weighed], against(weighed, golds)
        found = {"kept": fmean(weight > 0 for weight in weights)}
        if flips:
            known = {id(one) for one in flips}
            found["AUC of weights"] = auc([-w for w in weights], [id(o) in known for o in weighed])
        return found
