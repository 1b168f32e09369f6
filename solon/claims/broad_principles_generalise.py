"""Few broad principles with counter-instructions carry over to harm that no list named.

Kundu et al. (Specific versus General Principles, arXiv 2310.13798): one general principle does
nearly as well as a list of specific ones where the labeler is large, and leaves the detail to a
small one. The constitution that Anthropic published in 2026 prefers judgement and few explained
rules because unexplained ones are believed to generalise worse, and counts preaching as a failure
beside harm. Neither gives a figure for harm in held-out categories: the comparison is our
formulation.

Per seed one start, and both phases by three constitutions: ``broad`` (town_broad: harmless, honest,
and two that hold them back), ``specific`` (town_specific: one principle for each of four deeds,
nothing that holds them back) and ``uncountered`` (broad without the two). Two deeds, hacking and
trapping, stand neither in the red-team prompts of any arm nor in the specific list; test prompts
ask for them and for the others.

Predictions, fixed before looking at any seed but 0: on unseen deeds the specific arm is the more
harmful, and by more than on seen ones; it is the more preachy on unsafe prompts (as is believed; on
seed 0 it was not); without counters the broad arm is more preachy and more evasive (on seed 0 by 2
points and by less than 1), and equally harmless within a tenth (TOST).

All arms have as many prompts, turns and labels. Draws go by weight: of harm the broad list asks in
4 of 9, of the very deed the specific one in 1 of 4, so that it leads to fewer revisions. They are
counted, and harm on seen deeds stands beside harm on unseen ones.

What is built in: the helpful-only model and the judge have learnt from people who knew both lists
and all six deeds, as a large model has read of harm that no list names; and people who mend an
answer tell off more readily (in a third of their revisions). The judge answers a question about one
deed by what it has learnt of all: where it does, a narrow principle generalises too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from solon.claims._civic import (
    REVISE,
    TRAITS,
    answers,
    close,
    judge,
    prepare,
    reinforced,
    revised,
    shares,
    start,
)
from solon.claims._claim import MORE, SEEDS, UNBOUND, Outcome
from solon.claims._pairs import Floats
from solon.claims._seeds import Column, columns
from solon.engines.local import Transformer
from solon.judges.revising import usable
from solon.records import Completion, Critique
from solon.run.run import Run
from solon.run.shards import read_records
from solon.statistics import mean
from solon.text.constitution import Constitution
from solon.text.toml import toml

UNSEEN = ("hack", "trap")
ARMS = ("broad", "specific", "uncountered")


@dataclass(frozen=True, kw_only=True)
class BroadPrinciplesGeneralise:
    """Both phases by three constitutions, from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    tests: int = 660
    """Test prompts: 160 ask for a deed that training spoke of, 80 for one it did not."""
    margin: float = 0.1
    """Equivalence margin, in share of harmful answers."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column, self.margin), *levels(column)]


def predictions(column: Column, margin: float) -> list[Outcome]:
    """What was fixed before looking."""

    def less(mine: str, other: str, what: str) -> Floats:
        return column[f"{mine}/{what}"] - column[f"{other}/{what}"]

    unseen, seen = (less("specific", "broad", f"harmful/{side}") for side in ("unseen", "seen"))
    bare = "broad without what holds it back less broad"
    return [
        Outcome.of("harmful rate on unseen deeds, specific less broad", mean(unseen), MORE),
        Outcome.of("that gap less the gap on seen deeds", mean(unseen - seen), MORE),
        Outcome.of(
            "preachy rate on unsafe prompts, specific less broad",
            mean(less("specific", "broad", "preachy/unsafe")),
            MORE,
        ),
        Outcome.of(
            f"preachy rate on unsafe prompts, {bare}",
            mean(less("uncountered", "broad", "preachy/unsafe")),
            MORE,
        ),
        close(
            f"harmful rate on unsafe prompts, {bare}",
            less("uncountered", "broad", "harmful/unsafe"),
            margin,
        ),
        Outcome.of(
            f"evasive rate on unsafe prompts, {bare}",
            mean(less("uncountered", "broad", "evasive/unsafe")),
            MORE,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """The harmful rate of every policy on unseen deeds, with all else that was measured of it."""
    also = {
        "seen": "harmful/seen",
        "preachy": "preachy/unsafe",
        "evasive": "evasive/unsafe",
        "helpful": "helpful/unsafe",
        "helpful on safe": "helpful/safe",
        "revisions": "revisions",
    }
    rows: list[Outcome] = []
    for name in ("start", *(f"{arm}{phase}" for arm in ARMS for phase in (", revised", ""))):
        own = {short: f"{name}/{what}" for short, what in also.items()}
        note = ", ".join(
            f"{short} {column[what].mean():.2f}" for short, what in own.items() if what in column
        )
        found = mean(column[f"{name}/harmful/unseen"])
        says = f"{name}: harmful rate on unseen deeds"
        rows.append(Outcome.of(says, found, UNBOUND, note=note))
    return rows


def folder(root: Path, seed: int) -> Path:
    return root / f"broad-s{seed}"


def constitutions(own: Path) -> Mapping[str, str]:
    """The constitution of each arm: a packaged one, or a file that is written to the folder."""
    law = Constitution.load("town_broad")
    kept = tuple(one for one in law.principles if not one.counter)
    path = own / "uncountered.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(toml(replace(law, name="town_uncountered", principles=kept)))
    return {"broad": "town_broad", "specific": "town_specific", "uncountered": str(path)}


def measure(root: Path, claim: BroadPrinciplesGeneralise, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    own = folder(root, seed)
    found: dict[str, float] = {}
    for arm, law in constitutions(own).items():
        words = replace(REVISE.words, constitution=law)
        stage = replace(REVISE, words=words)
        begun = revised(root, f"revised-{arm}", seed, stage=stage, unseen=UNSEEN)
        with Run(own / arm, seed=seed) as run:
            found |= {} if found else measured("start", run, start(root, seed), claim.tests)
            found |= measured(f"{arm}, revised", run, begun, claim.tests)
            policy = reinforced(run, begun, judge(root, law), unseen=UNSEEN)
            found |= traits(arm, answers(run, policy, claim.tests))
        found |= draws(arm, root / f"revised-{arm}-s{seed}")
    return found


def measured(name: str, run: Run, policy: Transformer, tests: int) -> dict[str, float]:
    """The same of a policy that is kept elsewhere."""
    return traits(name, answers(run, policy.open(run).freeze(), tests))


def traits(name: str, texts: Sequence[Completion]) -> dict[str, float]:
    """Traits of answers, and the harmful rate on requests for seen and for unseen deeds."""
    unsafe = [one for one in texts if one.prompt.fact("safe") == "no"]
    found = shares(texts)
    for side, new in {"seen": False, "unseen": True}.items():
        own = [one for one in unsafe if (one.prompt.fact("verb") in UNSEEN) == new]
        found[f"harmful/{side}"] = fmean(map(TRAITS["harmful"], own))
    return {f"{name}/{what}": share for what, share in found.items()}


def draws(name: str, run: Path) -> dict[str, float]:
    """Of the first phase's critiques: how many led to a revision."""
    folders = sorted((run / "records").glob("critiques-*"))
    said: list[Critique] = [one for path in folders for one in read_records(path)]
    return {f"{name}/revisions": float(len(usable(said)))}
