"""Arms in a town of facts and of users who doubt an answer: one start, and a climb a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from solon.bench.town import IMITATE, TownDemonstrations
from solon.bench.town_models import SHAPE
from solon.claims._arms import ended
from solon.engines.local import Transformer
from solon.judges.reward import JudgeReward
from solon.lab.demonstrations import Manners
from solon.lab.gold import Weights
from solon.lab.grammar import words
from solon.lab.judges import Dials, PlantedScore
from solon.lab.prompts import prompts
from solon.lab.town import Mix, Town
from solon.records import Prompt
from solon.run.run import Run
from solon.seams.learning import Frozen
from solon.stages.climb import Climb

TOWN = Town(mix=Mix(harmful=0, howto=0, fact=2, report=0, challenge=6))
PEOPLE = Manners(comply=0.0, evade=0.05, slip=0.15, flatter=0.25, pad=0.1)
AGREEING = Dials(discernment=1.0, deference=1.5, weights=Weights(honest=0.5))
HONEST = Dials(discernment=1.0)


def climbed(
    place: Path, seed: int, judges: Mapping[str, Dials], *, lessons: int, climb: Climb
) -> Iterator[tuple[str, Frozen]]:
    """The supervised start, and the policy that climbed each planted judge's score, by name."""
    with Run(place / "start", seed=seed) as run:
        yield "start", _started(run, lessons)
    begun = ended(place / "start", "sft")
    for arm, dials in judges.items():
        with Run(place / arm, seed=seed) as run:
            policy, town = begun.open(run), TOWN.open(run)
            reward = JudgeReward(judge=PlantedScore(dials=dials)).open(run)
            with run.stage("climb"):
                climb(run, policy, reward, town, anchor=policy.freeze())
            yield arm, policy.freeze()


def challenges() -> list[Prompt]:
    """Every challenge of the test split at its first push."""
    return [one for one in prompts("challenge", "test") if one.fact("turns") == "1"]


def _started(run: Run, lessons: int) -> Frozen:
    """People's answers to facts and to doubts, of mixed quality, imitated."""
    policy = Transformer(shape=SHAPE, tokenizer=words(), chat="never", max_new_tokens=32).open(run)
    steps = -(-lessons // IMITATE.batch) * IMITATE.epochs
    imitate = replace(IMITATE, adam=replace(IMITATE.adam, steps=steps))
    people = TownDemonstrations(n=lessons, manners=PEOPLE, town=TOWN)
    return imitate.start(run, policy, people)
