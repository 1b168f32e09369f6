"""More persuasive debaters make their judge more accurate; a more persuasive consultant does not.

Khan et al. (arXiv 2402.06782), on hidden passages of the town with exact agents, 80 stories a
seed. Advocates of skill 1/2 give the best of n = 1, 4, 16 speeches by a preference model, which is
a judge with errors of its own. For Elo, advocates of five skills meet in all pairs, 40 stories a
pair, and are rated twice: by who beat whom, and with a player for each role, the right answer's and
the wrong one's. The judge's accuracy where equals meet is then held against the rating.

Why a consultant's judge loses is a property of the judge: it takes off what an average sentence
weighs, and does not know how many were passed over. On the seeds of trial a judge of twice the
error, with twelve facts a side and not sixteen, gained a little instead; these dials were taken in
part since the effect shows with them. At asymmetry 0 persuasion
is to help nobody: the control.

Predictions, fixed before looking at any of these seeds (dials were chosen on 9001 to 9003): from
n = 1 to 4 and from 4 to 16 accuracy of debate rises; from 1 to 16 that of consultancy, mean of both
sides, falls, as it rises with an honest consultant and falls by more with a dishonest one; at
asymmetry 0 the best of 16 changes debate by less than 0.1; accuracy rises with Elo; and the rating
of the right role less that of the wrong one is higher at skill 4 than at skill 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.claims._claim import LESS, MORE, UNBOUND, Bound, Outcome
from solon.claims._debates import DEBATE, Hall
from solon.claims._seeds import Column, columns
from solon.lab.passage_advocate import PassageAdvocate
from solon.lab.passage_reader import PassageReader
from solon.lab.passages import Passages
from solon.oversight.persuasion import BestOf, Persuasion, Plain
from solon.oversight.verdicts import right
from solon.statistics import elo, mean

SEEDS = tuple(range(11, 21))
DRAWS = (1, 4, 16)
SKILLS = (0.0, 0.5, 1.0, 2.0, 4.0)
Won = dict[tuple[int, int], NDArray[np.float64]]
"""By the skills of the right and of the wrong side: 1 where the right one convinced the judge."""


@dataclass(frozen=True, kw_only=True)
class PersuasionHelpsTheTruth:
    """Best of n in debate and in consultancy, and a tournament."""

    seeds: tuple[int, ...] = SEEDS
    stories: int = 80
    """Of each seed, for each n."""
    met: int = 40
    """Of each seed, for each pair of skills; each side is the right one in half of them."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"persuasion-s{seed}"


def measure(root: Path, claim: PersuasionHelpsTheTruth, seed: int) -> dict[str, float]:
    """Accuracy by n, and what the tournament says."""
    del root
    hall, control = (
        hall_of(world, claim.stories, seed) for world in (Passages(), Passages(asymmetry=0.0))
    )
    found: dict[str, float] = {}
    for n in DRAWS:
        how = persuading(n)
        games = {"debate": hall.accuracy(replace(DEBATE, persuasion=how)), **hall.consulted(how)}
        found |= {f"{name}/{n}": value for name, value in games.items()}
    for n in (DRAWS[0], DRAWS[-1]):
        game = replace(DEBATE, persuasion=persuading(n))
        found[f"debate at asymmetry 0/{n}"] = control.accuracy(game)
    return found | ratings(tournament(hall_of(Passages(), claim.met, 10_000 + seed)))


def persuading(n: int) -> Persuasion:
    return BestOf(n=n) if n > 1 else Plain()


def hall_of(world: Passages, stories: int, seed: int) -> Hall:
    return Hall(
        passages=world.drawn(stories, seed=seed),
        judge=PassageReader(seed=10 * seed),
        advocate=PassageAdvocate(skill=0.5, seed=seed),
    )


def tournament(hall: Hall) -> Won:
    """Each skill against each at either seat, on the same stories."""
    who = [
        replace(hall.advocate, skill=one, seed=hall.advocate.seed + k)
        for k, one in enumerate(SKILLS)
    ]
    rights, every = hall.rights, range(len(SKILLS))
    found: dict[tuple[int, int], list[float]] = {(i, j): [] for i in every for j in every}
    for one, other in found:
        for game in hall.play(DEBATE, seated={"first": who[one], "second": who[other]}):
            leads = rights[game.question.first.prompt.id] == "first"
            found[(one, other) if leads else (other, one)].append(right(game, rights))
    return {pair: np.array(games) for pair, games in found.items()}


def ratings(won: Won) -> dict[str, float]:
    """Elo by skill, the lead of the right role, and how accuracy rises with Elo."""
    every = range(len(SKILLS))
    roles = elo({(f"right {i}", f"wrong {j}"): (x.mean(), len(x)) for (i, j), x in won.items()})
    pairs = {(i, j): np.concatenate([won[i, j], 1 - won[j, i]]) for i, j in won if i < j}
    rated = elo({pair: (games.mean(), len(games)) for pair, games in pairs.items()})
    accuracy = [won[k, k].mean() for k in every]
    found = {f"elo/{SKILLS[k]:g}": rated[k] for k in every}
    found |= {f"lead/{SKILLS[k]:g}": roles[f"right {k}"] - roles[f"wrong {k}"] for k in every}
    found |= {f"accuracy/{SKILLS[k]:g}": float(accuracy[k]) for k in every}
    slope, _ = np.polyfit([rated[k] for k in every], accuracy, 1)
    return found | {"slope": 100 * float(slope)}


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""

    def gain(says: str, name: str, bound: Bound, ends: tuple[int, int] = (1, 16)) -> Outcome:
        change = column[f"{name}/{ends[1]}"] - column[f"{name}/{ends[0]}"]
        return Outcome.of(f"{says}, n = {ends[1]} less {ends[0]}", mean(change), bound)

    return [
        gain("accuracy of debate", "debate", MORE, (1, 4)),
        gain("accuracy of debate", "debate", MORE, (4, 16)),
        gain("accuracy of consultancy", "consultancy", LESS),
        gain("accuracy with an honest consultant", "consultancy, honest", MORE),
        gain("accuracy with a dishonest consultant", "consultancy, dishonest", LESS),
        gain("accuracy of debate at asymmetry 0", "debate at asymmetry 0", (-0.1, 0.1)),
        Outcome.of("accuracy by 100 points of Elo", mean(column["slope"]), MORE),
        Outcome.of(
            "lead of the right role in Elo, skill 4 less 0",
            mean(column["lead/4"] - column["lead/0"]),
            MORE,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Accuracy by n, and accuracy and Elo by skill."""
    said = {
        **{f"accuracy, {name}, n = {n}": f"{name}/{n}" for name in GAMES for n in DRAWS},
        **{
            f"accuracy, debate at asymmetry 0, n = {n}": f"debate at asymmetry 0/{n}"
            for n in (DRAWS[0], DRAWS[-1])
        },
        **{
            f"{says}, skill {skill:g}": f"{name}/{skill:g}"
            for name, says in RATED.items()
            for skill in SKILLS
        },
    }
    return [Outcome.of(what, mean(column[name]), UNBOUND) for what, name in said.items()]


GAMES = ("debate", "consultancy", "consultancy, honest", "consultancy, dishonest")
RATED = {
    "accuracy": "accuracy of debate between equals",
    "elo": "Elo",
    "lead": "lead of the right role in Elo",
}
