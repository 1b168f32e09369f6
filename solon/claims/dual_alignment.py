"""Two stages of preference learning, people's labels and then a judge's by principle, add nothing.

What is called dual alignment has no paper that states an algorithm; this is our formulation of it,
with constitutional labels as in arXiv 2212.08073. The finding nearest to it is negative: Lee et al.
(arXiv 2309.00267) saw no gain from mixing both sorts of labels in one reward model.

Four arms a seed, from one supervised start, at as many pairs, passes and updates: people and then
the judge (half the pairs each), people alone, the judge alone, and as a control people twice, which
has the second draw and the second anchor but not the second sort of label. People err as they do in
the other claims (noise 1.5), and mind all that the gold minds. The judge is planted, because the
town's small one follows no single principle: of coherence, safety and sycophancy one is drawn for
each label, and where that one sees no difference the label is even. Both stages draw the present
policy's own pairs, each with an anchor of its own; the KL from the start is reported.

Predictions, fixed before looking at any seed but 0, on which the settings were chosen: the two
stages end within 0.1 of gold of people alone, of the judge alone, and of people twice.

What the town lacks: principles of which only the judge knows. Here people mind the same facets, so
that the judge's labels are another reading of one gold and not another gold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from solon.claims._arms import prepare, supervised
from solon.claims._claim import SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.engines.local import Transformer
from solon.lab.gold import FACETS, gold
from solon.lab.people import People
from solon.lab.principled import PlantedPrinciples
from solon.lab.town import Town
from solon.objectives.adam import Adam
from solon.objectives.pairwise import DPO
from solon.recipes.dual import Dual
from solon.records import Preference, flat
from solon.run.run import Run
from solon.run.shards import read_records
from solon.seams.learning import Frozen
from solon.stages.prefer import Prefer, log_ratios
from solon.statistics import mean

NO_MORE = (-0.1, 0.1)
PEOPLE = People(noise=1.5)
LEARN = Prefer(
    batch=32, epochs=2, holdout=0.0, probe=0, adam=Adam(lr=2e-4, warmup=5), objective=DPO(beta=0.3)
)


@dataclass(frozen=True, kw_only=True)
class DualAlignment:
    """Both stages, each alone, and people twice, from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    pairs: int = 640
    """Pairs that each arm has labelled."""
    tests: int = 300
    """Test prompts whose samples are measured."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""

    def less(arm: str, published: str = "") -> Outcome:
        gap = mean(column["both/gold"] - column[f"{arm}/gold"])
        says = f"gold of test samples, both stages less {arm}"
        return Outcome.of(says, gap, NO_MORE, published=published)

    return [less("people", "no gain, in one reward model"), less("judge"), less("people twice")]


def levels(column: Column) -> list[Outcome]:
    """The gold of every arm, its facets, and how far it went."""
    rows: list[Outcome] = []
    for arm in ("start", *arms(DualAlignment())):
        also = (*FACETS, "KL", "right", "even", "pairs")
        note = ", ".join(
            f"{what} {column[f'{arm}/{what}'].mean():.2f}"
            for what in also
            if f"{arm}/{what}" in column
        )
        says = f"{arm}: gold of test samples"
        rows.append(Outcome.of(says, mean(column[f"{arm}/gold"]), UNBOUND, note=note))
    return rows


def arms(claim: DualAlignment) -> Mapping[str, Dual]:
    """The recipe of each arm; its start is filled in for each seed."""
    both = Dual(
        prompts=Town(),
        policy=Transformer(),
        labels=PEOPLE,
        judge=PlantedPrinciples(),
        pairs=claim.pairs,
        spare=0.2,
        people=LEARN,
        ai=LEARN,
    )
    return {
        "both": both,
        "people": replace(both, stages="people"),
        "judge": replace(both, stages="judge"),
        "people twice": replace(both, judge=PEOPLE),
    }


def folder(root: Path, seed: int) -> Path:
    return root / f"dual-s{seed}"


def measure(root: Path, claim: DualAlignment, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    own = folder(root, seed)
    start = supervised(root, seed)
    found: dict[str, float] = {}
    for name, recipe in arms(claim).items():
        with Run(own / name.replace(" ", "-"), seed=seed) as run:
            policy = replace(recipe, policy=start)(run)
            reference = run.policies["sft"]
            found |= measured("start", claim, run, reference, reference) if not found else {}
            found |= measured(name, claim, run, policy, reference) | labelled(name, run.dir)
    return found


def measured(
    name: str, claim: DualAlignment, run: Run, policy: Frozen, reference: Frozen
) -> dict[str, float]:
    """Gold and facets of a sample of each test prompt, and the KL from the start in nats."""
    town = Town().open(run)
    texts = flat(policy.sample(town.take(claim.tests, split="test")))
    seen = town.facets(texts)
    facets = {f"{name}/{facet}": fmean(one[facet] for one in seen) for facet in FACETS}
    kl = fmean(log_ratios(policy, reference, texts))
    return {f"{name}/gold": fmean(town.gold(texts)), f"{name}/KL": kl, **facets}


def labelled(name: str, run: Path) -> dict[str, float]:
    """How many pairs, and how often their label is right, wrong (both even: a half) or even."""
    folders = sorted((run / "records").glob("preferences-*"))
    data: list[Preference] = [one for path in folders for one in read_records(path)]
    return {f"{name}/{what}": value for what, value in rates(data).items()}


def rates(data: list[Preference]) -> dict[str, float]:
    """Share of pairs whose label gold agrees with, ties and even labels half; and of even ones."""
    right = [np.sign(gold(one.chosen) - gold(one.rejected)) if one.p > 0.5 else 0.0 for one in data]
    return {
        "right": float((1 + fmean(right)) / 2),
        "even": fmean(one.p == 0.5 for one in data),
        "pairs": float(len(data)),
    }
