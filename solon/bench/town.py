"""The laboratory bench: everything is made on the spot, and the true reward is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solon.bench.bench import Bench
from solon.bench.debating.posing import HiddenPassages
from solon.bench.disputing.disputing import Disputing
from solon.bench.disputing.players import Knowing
from solon.bench.disputing.posing import PlantedClaims
from solon.bench.town_models import (
    SHAPE,
    CivicLessons,
    judge_model,
    pair_judge,
    principled_judge,
    schooled,
    scorer,
)
from solon.bench.town_tasks import LARGE, SMALL, TownTask
from solon.engines.classifiers import Probe
from solon.engines.local import RewardTransformer, Transformer
from solon.engines.ray import OnRay
from solon.judges.meta import Meta
from solon.judges.revising import Revising
from solon.judges.rubric import Rubric
from solon.judges.wrappers import BothOrders
from solon.lab.aspects import PlantedRater, Writers
from solon.lab.critic import PlantedCritic
from solon.lab.demonstrations import GUIDANCE, Manners, answer, demonstrations
from solon.lab.evaluation import SCORE, Lessons
from solon.lab.gold import (
    FACETS,
    Weights,
    facets,
    gold,
    is_evasive,
    is_harmless,
    is_preachy,
    is_sycophantic,
    stance,
)
from solon.lab.grammar import words
from solon.lab.helpful import CIVIC, DIALOGUE, DIRECT, HARM, PEACE, HelpfulLessons
from solon.lab.judges import Dials, PlantedPair
from solon.lab.judging import CHOICES, META, evaluations
from solon.lab.passage_advocate import PassageAdvocate
from solon.lab.passage_reader import PassageReader
from solon.lab.people import People
from solon.lab.principled import PlantedPrinciples
from solon.lab.principles import RIGHT
from solon.lab.revisions import REVISE, revisions
from solon.lab.salience import Salience
from solon.lab.town import OpenTown, Town
from solon.lab.townsfolk import Townsfolk
from solon.objectives.adam import Adam
from solon.objectives.kl import KL
from solon.objectives.pairwise import DPO
from solon.objectives.policy import RLOO
from solon.objectives.unpaired import KTO
from solon.oversight.consultancy import Consultancy
from solon.oversight.debated import Debated
from solon.oversight.opened import Opened
from solon.records import Compare, Completion
from solon.run.run import Run
from solon.stages.approve import Approve
from solon.stages.climb import Climb
from solon.stages.course import Course
from solon.stages.draft import Draft
from solon.stages.fit_reward import FitReward
from solon.stages.grade import Grade
from solon.stages.imitate import Imitate
from solon.stages.label import Label
from solon.stages.prefer import Prefer
from solon.stages.reinforce import Reinforce
from solon.stages.self_judge import SelfJudge
from solon.stages.self_revise import SelfRevise
from solon.stages.survey import Survey
from solon.stages.together import Texts


@dataclass(frozen=True, kw_only=True)
class TownDemonstrations:
    """What people in the town answer, of mixed quality."""

    n: int = 12_000
    """Demonstrations written."""
    manners: Manners = Manners()
    """How good the people are whose answers they are."""
    share: float = 0.0
    """Share of them written under guidance: perfect, or careless, as its words ask."""
    revised: float = 0.0
    """Share of them that show an answer, a critique of it, and how it is written again."""
    town: Town = Town()
    """Where the prompts come from."""

    def open(self, run: Run) -> Texts:
        seed, revised = run.seed_for("demonstrations"), round(self.n * self.revised)
        own = demonstrations(self.n - revised, seed, self.manners, town=self.town, share=self.share)
        return Texts(own + revisions(revised, seed))


@dataclass(frozen=True, kw_only=True)
class TownEvaluations:
    """What people in the town say of answers, where their ratings and their ranks agree."""

    n: int = 20_000
    """Judgements written."""
    meta: float = 0.4
    """Share of them that say which of two ratings is nearer the truth."""
    lessons: Lessons = Lessons()
    """How well the raters and the people who rank see, and of what the answers are."""

    def open(self, run: Run) -> Texts:
        seed = run.seed_for("evaluations")
        return Texts(evaluations(self.n, seed, self.lessons, meta=self.meta))


# whose errors are its own: it sees by other weights than any judge that training asks
AUDITOR = PlantedPair(dials=Dials(discernment=2.0, noise=1.0), name="auditor")
# people with half the flaws: the seed data of self-improvement
CAREFUL = Manners(comply=0.2, evade=0.1, slip=0.15, flatter=0.2, pad=0.1)

POLICY = Transformer(shape=SHAPE, tokenizer=words(), chat="never", max_new_tokens=32)


def lab() -> Bench:
    """The town: a policy, a judge and a reward of a few hundred thousand parameters each."""
    return Bench(
        name="town",
        prompts=Town(),
        red_team=Town(mix=HARM),
        helpful=schooled("helpful", HelpfulLessons()),
        policy=POLICY,
        judge=BothOrders(judge=pair_judge(judge_model())),
        reward=RewardTransformer(),
        scorer=scorer(judge_model()),
        demonstrations=TownDemonstrations(),
        seed_data=TownDemonstrations(n=640, manners=CAREFUL),
        evaluations=TownEvaluations(),
        guided=TownDemonstrations(share=0.4),
        revised=TownDemonstrations(revised=0.4),
        critic=PlantedCritic(),
        rival=Townsfolk(manners=CAREFUL),
        models=Writers(),
        rater=PlantedRater(),
        tasks=Salience(),
        weak=Probe(view="weak"),
        strong=Probe(view="strong"),
        labels=People(),
        world=Town(),
        measure=measure,
        held_out=AUDITOR,
        exploits=is_sycophantic,
        classify=stance,
        preaches=is_preachy,
        debate=Debated(debater=PassageAdvocate(), judge=PassageReader()),
        disputes=HiddenPassages(),
        questions=questions,
        choices={
            "policy": {"ray": OnRay(inner=POLICY)},
            "judge": {"principled": PlantedPrinciples()},
            "tasks": {"town": TownTask()},
            "weak": {"small": SMALL},
            "strong": {"large": LARGE},
        },
        settings=SETTINGS,
    )


def questions(seed: int) -> list[Compare]:
    """Pairs of answers of mixed quality to the same prompts."""
    asked = OpenTown(seed=seed).take(400)
    draw = np.random.default_rng(seed)
    pairs = [(answer(one, Manners(), draw), answer(one, Manners(), draw)) for one in asked]
    return [Compare(first=a, second=b) for a, b in pairs if a.text != b.text]


def measure(completions: Sequence[Completion]) -> list[Mapping[str, float | None]]:
    """Gold, its facets, and rates: harmless answers to harmful requests, evasions, sermons."""
    return [_measured(one) for one in completions]


def _measured(one: Completion) -> dict[str, float | None]:
    found = facets(one)
    harmful = one.prompt.fact("safe") == "no"
    rates = {
        "harmless rate": float(is_harmless(one)) if harmful else None,
        "evasive rate": float(is_evasive(one)),
        "preachy rate": float(is_preachy(one)),
    }
    return {"gold": gold(one), **{f"gold/{name}": found[name] for name in FACETS}, **rates}


# Chosen on seed 0; claims and tables are measured on other seeds.
IMITATE = Imitate(batch=64, epochs=2, adam=Adam(lr=3e-3, warmup=50, schedule="linear", steps=376))
LABEL = Label(prompts=2500)
FIT_REWARD = FitReward(batch=64, adam=Adam(lr=1e-3, warmup=5))
CLIMB = Climb(
    steps=60,
    batch=16,
    group=8,
    adam=Adam(lr=3e-4, warmup=3, eps=1e-5),
    objective=RLOO(kl=KL(coefficient=0.2)),
)
PREFER = Prefer(batch=32, adam=Adam(lr=1e-4, warmup=5), objective=DPO(beta=0.3), every=20)
# the town rates by one number from 1 to 10
RUBRIC = Rubric(template=SCORE, form="line", scale=(1, 10), votes=5)
META_JUDGE = Meta(template=META, form="line", choices=CHOICES)
JOINT = Imitate(batch=64, epochs=2, adam=Adam(lr=3e-3, warmup=50, schedule="linear", steps=1000))
# people of the town in which some ask for harm, some seem to, and some only wonder
REVISE_WORDS = Revising(
    constitution="town_broad", dialogue=DIALOGUE, direct=DIRECT, examples="", faultless=RIGHT
)
SELF_REVISE = SelfRevise(
    prompts=1000,
    helpful=500,
    words=REVISE_WORDS,
    imitate=Imitate(batch=64, epochs=2, adam=Adam(lr=5e-4, warmup=5)),
)
REINFORCE = Reinforce(
    label=Label(prompts=1500, clamp=(0.4, 0.6)),
    consult=Label(prompts=1000),
    fit_reward=FIT_REWARD,
    climb=CLIMB,
)
CIVIC_PARTS: Mapping[str, Any] = {
    "prompts": Town(mix=PEACE),
    "tests": Town(mix=CIVIC),
    "demonstrations": TownDemonstrations(town=Town(mix=CIVIC)),
}
# the reader of passages chooses, and writes no questions
SILENT = Consultancy(interactive=False)
PLANTED = Disputing(players=Knowing(), questions=PlantedClaims())
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "debate": {
        "consultancy": SILENT,
        "open-consultancy": Opened(game=SILENT),
        "prover-estimator": PLANTED,
    },
    "supervised": {"imitate": IMITATE},
    "canonical": {"imitate": IMITATE, "label": LABEL, "fit_reward": FIT_REWARD, "climb": CLIMB},
    "direct": {"imitate": IMITATE, "climb": CLIMB},
    "best_of_n": {
        "imitate": IMITATE,
        "label": LABEL,
        "fit_reward": FIT_REWARD,
        "distil": Imitate(batch=64, epochs=2, adam=Adam(lr=5e-4, warmup=5)),
    },
    "preference": {"imitate": IMITATE, "label": LABEL, "prefer": PREFER},
    "online_preference": {
        "imitate": IMITATE,
        "steps": 80,
        "adam": Adam(lr=2e-4, warmup=5),
        "objective": DPO(beta=0.2),
        "every": 20,
    },
    "self_rewarding": {
        "imitate": JOINT,
        "iterations": 4,
        "rate": SelfJudge(take=256, rubric=RUBRIC),
        "prefer": replace(PREFER, epochs=2, adam=Adam(lr=2e-4, warmup=5), objective=DPO()),
    },
    "meta_rewarding": {
        "imitate": JOINT,
        "rate": SelfJudge(take=256, rubric=RUBRIC),
        "meta": META_JUDGE,
        "prefer": replace(PREFER, epochs=2, adam=Adam(lr=2e-4, warmup=5), objective=DPO()),
    },
    "curriculum": {
        "imitate": IMITATE,
        "grade": Grade(guidance=GUIDANCE, check=100),
        "course": Course(pairs=2500),
        "fit_reward": replace(FIT_REWARD, epochs=1),
        "climb": CLIMB,
    },
    "ultrafeedback": {
        "imitate": IMITATE,
        "draft": Draft(prompts=1000),
        "survey": Survey(aspects=FACETS, informed=()),
        "prefer": replace(PREFER, objective=DPO(beta=0.5)),
    },
    "kto": {
        "imitate": IMITATE,
        "label": LABEL,
        "approve": Approve(adam=Adam(lr=1e-4, warmup=5), objective=KTO(beta=0.3), every=20),
    },
    "diverse": {
        "imitate": IMITATE,
        "revise": REVISE,
        "pairs": 1200,
        "spare": 2.0,
        "prefer": PREFER,
        "fit_reward": FIT_REWARD,
        "climb": CLIMB,
    },
    "critique": {**CIVIC_PARTS, "imitate": IMITATE, "revise": SELF_REVISE},
    "constitutional": {
        **CIVIC_PARTS,
        "judge": BothOrders(
            judge=principled_judge(
                schooled("feedback", CivicLessons(), longest=16), "town_broad", reason=False
            )
        ),
        # people who label what is helpful do not mind harm: it is the judge's affair
        "labels": People(weights=Weights(harmless=0.0)),
        "imitate": IMITATE,
        "revise": SELF_REVISE,
        "reinforce": REINFORCE,
    },
    "dual": {"imitate": IMITATE, "pairs": 2500, "people": PREFER, "ai": PREFER},
    "spin": {
        # a brief start: what has learnt all that people say has nothing to gain from them
        "imitate": Imitate(batch=128, adam=Adam(lr=3e-3, warmup=23, schedule="linear", steps=94)),
        "take": 1000,
        "prefer": replace(PREFER, objective=DPO(beta=1.0)),
        "rates": (1.0,),
    },
    "cream": {
        "imitate": IMITATE,
        "teach": Imitate(batch=64, epochs=2, adam=Adam(lr=5e-4, warmup=5)),
        "take": 500,
        "prefer": PREFER,
    },
}
