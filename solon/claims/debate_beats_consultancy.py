"""Debate helps a judge who cannot read the source more than consultancy, less than reading it.

Khan et al. (arXiv 2402.06782) and Kenton et al. (arXiv 2407.04622), on hidden passages of the town
(``solon.lab.passages``) with exact agents: 200 stories a seed, three rounds, a debater quotes one
sentence a speech and a consultant two. A consultancy is the mean of both sides with equal weight. A
judge that has heard nobody ties, which counts as half.

That a lie is harder than its refutation is built into the passages. What is measured is which
protocol gets the truth to the judge when it is so, and the controls are what happens when it is
not: at asymmetry 0, and where lies are no more refutable than truths but weaker. A judge that reads
the source as well, and overlooks two sentences of five, is the control for hidden information. In
open games a protagonist that reads worse than the judge would, picks its side.

Predictions, fixed before looking at any of these seeds (dials were chosen on 9001 to 9003):
accuracy is higher after consultancy than before, higher by more than 0.1 after debate than before
and than after consultancy, and highest for the expert; a dishonest consultant brings it below 0.5;
sequential debate is better than simultaneous, as one of two is refuted at once;
where the protagonist of an open game picks the wrong side, debate is better than consultancy by
more than 0.2, and where it picks the right one, worse; where the judge reads the source, debate
changes accuracy by less than 0.05; at asymmetry 0 debate and consultancy stay within 0.05 of a
guess while the expert is above 0.6; where lies are not more refutable, debate does not beat
consultancy by 0.05.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.claims._claim import LESS, MORE, UNBOUND, Bound, Outcome
from solon.claims._debates import CONSULTANCY, DEBATE, Hall
from solon.claims._seeds import Column, columns
from solon.lab.passage_advocate import PassageAdvocate
from solon.lab.passage_reader import PassageReader
from solon.lab.passages import Passages
from solon.oversight.direct import Direct
from solon.oversight.judging import Judging
from solon.oversight.opened import Opened
from solon.oversight.persuasion import Plain
from solon.oversight.verdicts import accuracy, by_protagonist
from solon.statistics import mean

SEEDS = tuple(range(11, 21))
READING = Judging(source=True)
HASTY = PassageReader(blur=1.0, overlooks=0.6)
CONTROLS = {
    "no asymmetry": Passages(asymmetry=0.0),
    "lies not more refutable": Passages(gap=0.0),
}
NEAR: Bound = (-0.05, 0.05)


@dataclass(frozen=True, kw_only=True)
class DebateBeatsConsultancy:
    """Every protocol before one judge a seed, and the controls."""

    seeds: tuple[int, ...] = SEEDS
    stories: int = 200
    """Of each world and seed."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"passages-s{seed}"


def measure(root: Path, claim: DebateBeatsConsultancy, seed: int) -> dict[str, float]:
    """The judge's accuracy by each protocol, in the town as it is and in the controls."""
    del root
    hall = hall_of(Passages(), claim.stories, seed)
    inventive = replace(hall, advocate=replace(hall.advocate, invents=0.5))
    found = {
        **protocols(hall),
        "debate, sequential": hall.accuracy(replace(DEBATE, order="sequential")),
        "debate, source read": hall.accuracy(replace(DEBATE, judging=READING)),
        "debate, liars invent quotes": inventive.accuracy(DEBATE),
        **opened(hall),
    }
    for name, world in CONTROLS.items():
        control = protocols(hall_of(world, claim.stories, seed))
        found |= {f"{one}, {name}": value for one, value in control.items()}
    return found


def hall_of(world: Passages, stories: int, seed: int) -> Hall:
    """Everyone has errors of their own."""
    return Hall(
        passages=world.drawn(stories, seed=seed),
        judge=PassageReader(seed=10 * seed),
        advocate=PassageAdvocate(reader=replace(HASTY, seed=10 * seed + 5), seed=seed),
    )


def protocols(hall: Hall) -> dict[str, float]:
    return {
        "naive": hall.accuracy(Direct()),
        "debate": hall.accuracy(DEBATE),
        "expert": hall.accuracy(Direct(judging=READING)),
        **hall.consulted(Plain()),
    }


def opened(hall: Hall) -> dict[str, float]:
    """Open games, apart by whether the protagonist picked the right side."""
    found: dict[str, float] = {}
    for name, game in (("debate", DEBATE), ("consultancy", CONSULTANCY)):
        played = hall.play(Opened(game=game))
        found[f"open {name}"] = accuracy(played, hall.rights).estimate
        for right, part in by_protagonist(played, hall.rights).items():
            picked = "right" if right else "wrong"
            found[f"open {name}, picked {picked}"] = accuracy(part, hall.rights).estimate
            found[f"share picked {picked}"] = len(part) / len(played)
    return found


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""

    def less(says: str, one: str, other: str, bound: Bound, published: str = "") -> Outcome:
        return Outcome.of(says, mean(column[one] - column[other]), bound, published=published)

    bare, equal = "no asymmetry", "lies not more refutable"
    return [
        less(
            "accuracy, consultancy less naive",
            "consultancy",
            "naive",
            MORE,
            "54 % (second hand) and 48 %, LLM judges",
        ),
        less(
            "accuracy, debate less naive",
            "debate",
            "naive",
            (0.1, MORE[1]),
            "76 % and 48 %, LLM judges; 88 % and 60 %, people",
        ),
        less(
            "accuracy, debate less consultancy",
            "debate",
            "consultancy",
            (0.1, MORE[1]),
            "76 % and 54 % (second hand), LLM judges",
        ),
        less("accuracy, expert less debate", "expert", "debate", MORE),
        Outcome.of(
            "accuracy with a dishonest consultant",
            mean(column["consultancy, dishonest"]),
            (LESS[0], 0.5),
        ),
        less(
            "accuracy, debate, sequential less simultaneous", "debate, sequential", "debate", MORE
        ),
        less(
            "accuracy where the protagonist picked wrong, open debate less open consultancy",
            "open debate, picked wrong",
            "open consultancy, picked wrong",
            (0.2, MORE[1]),
        ),
        less(
            "accuracy where the protagonist picked right, open debate less open consultancy",
            "open debate, picked right",
            "open consultancy, picked right",
            LESS,
        ),
        less(
            "accuracy where the judge reads the source, debate less none",
            "debate, source read",
            "expert",
            NEAR,
        ),
        less(
            "accuracy at asymmetry 0, debate less naive", f"debate, {bare}", f"naive, {bare}", NEAR
        ),
        less(
            "accuracy at asymmetry 0, consultancy less naive",
            f"consultancy, {bare}",
            f"naive, {bare}",
            NEAR,
        ),
        Outcome.of(
            "accuracy at asymmetry 0, expert", mean(column[f"expert, {bare}"]), (0.6, MORE[1])
        ),
        less(
            "accuracy, debate less consultancy, lies not more refutable",
            f"debate, {equal}",
            f"consultancy, {equal}",
            (LESS[0], 0.05),
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Accuracy by each protocol."""
    return [
        Outcome.of(name if name.startswith("share") else f"accuracy, {name}", mean(values), UNBOUND)
        for name, values in column.items()
    ]
