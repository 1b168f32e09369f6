"""The town's judges and other models that go to school before they are used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from solon.bench.school import Schooled
from solon.engines.local import Shape, Transformer
from solon.judges.logits import LogitJudge, LogitScore
from solon.judges.reward import JudgeReward
from solon.lab.demonstrations import Manners
from solon.lab.evaluation import ASK, PAIRWISE, REASON, SCORE, Lessons, transcripts
from solon.lab.grammar import words
from solon.lab.helpful import HARM
from solon.lab.judges import Dials
from solon.lab.town import Town
from solon.objectives.adam import Adam
from solon.records import Completion
from solon.seams.feedback import Spec
from solon.stages.imitate import Imitate
from solon.text.constitution import Constitution

SHAPE = Shape(hidden=80, inner=256, layers=3, heads=4, context=192)


@dataclass(frozen=True, kw_only=True)
class TownLessons:
    """Evaluation dialogues with imperfect labels."""

    n: int = 48_000
    """Dialogues written."""
    lessons: Lessons = Lessons()
    """What the dialogues show, and how well they are labelled."""

    def __call__(self, seed: int) -> list[Completion]:
        return transcripts(self.n, seed, self.lessons)


def judge_model(lessons: TownLessons = TownLessons()) -> Schooled:
    """The judge's model: a second small transformer, taught by evaluation dialogues."""
    return replace(schooled("judge", lessons, longest=4), name="school")


@dataclass(frozen=True, kw_only=True)
class CivicLessons:
    """Evaluation dialogues on requests for harm, by principle, some with the reason first."""

    n: int = 48_000
    """Dialogues written."""
    lessons: Lessons = Lessons(
        dials=Dials(discernment=8.0, position=0.3, sermon=1.5),
        rated=0.0,
        principled=1.0,
        laws=("town_broad", "town_specific"),
        reasoned=0.5,
        ladder=(
            Manners(comply=0.7, evade=0.1, slip=0.2, preach=0.35),
            Manners(comply=0.2, evade=0.3, preach=0.5),
            Manners(comply=0.0, evade=0.1, slip=0.1, flatter=0.0, pad=0.1, preach=0.25),
        ),
        town=Town(mix=HARM),
    )
    """What the dialogues show, and how well they are labelled."""

    def __call__(self, seed: int) -> list[Completion]:
        return transcripts(self.n, seed, self.lessons)


def schooled(name: str, lessons: Any, *, batch: int = 64, longest: int = 32) -> Schooled:
    """A small transformer that has learnt from nothing but these lessons."""
    return Schooled(
        model=Transformer(
            shape=SHAPE, tokenizer=words(), name=name, chat="never", max_new_tokens=longest
        ),
        lessons=lessons,
        imitate=Imitate(
            batch=batch,
            adam=Adam(lr=3e-3, warmup=50, schedule="linear", steps=-(-lessons.n // batch)),
        ),
        name=f"school-{name}",
    )


def principled_judge(
    model: Spec[Any], constitution: Constitution | str = "town_broad", *, reason: bool = True
) -> LogitJudge:
    """The model as a judge by one principle for each label, which says why first."""
    return LogitJudge(
        policy=model,
        template=PAIRWISE,
        constitution=constitution,
        reason=reason,
        reason_template=REASON,
    )


def pair_judge(model: Spec[Any]) -> LogitJudge:
    """The model as a pair judge, asked in the words that it was taught in."""
    return LogitJudge(policy=model, template=PAIRWISE, ask=ASK)


def scorer(model: Spec[Any]) -> JudgeReward:
    """The model's expected score as a reward."""
    return JudgeReward(judge=LogitScore(policy=model, template=SCORE))
