"""Constitutional AI in the town, part by part: what its claims share, so that only an arm differs.

civic-s3/      a seed's helpful-only model and its supervised start
feedback/      the judge by principles, one for every seed: an instrument, not what is measured
NAME-s3/       an arm: its revised policy, or the policy that climbed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.bench.town import IMITATE, REINFORCE, SELF_REVISE, TownDemonstrations
from solon.bench.town_models import SHAPE, CivicLessons, principled_judge, schooled
from solon.claims._arms import JUDGE_SEED, ended, side_by_side
from solon.claims._claim import Outcome
from solon.engines.local import RewardTransformer, Transformer
from solon.judges.wrappers import BothOrders
from solon.lab.gold import Weights, facets, is_evasive, is_harmless, is_preachy
from solon.lab.grammar import words
from solon.lab.helpful import CIVIC, HARM, PEACE, HelpfulLessons
from solon.lab.people import People
from solon.lab.town import OpenTown, Town
from solon.records import Completion, Prompt, flat
from solon.run.run import Run
from solon.seams.feedback import PairJudge, Spec
from solon.seams.learning import Frozen, RewardLearner
from solon.stages.label import Label
from solon.stages.reinforce import Asked, Reinforce
from solon.stages.self_revise import SelfRevise
from solon.statistics import mean
from solon.text.constitution import Constitution

LESSONS = HelpfulLessons(n=24_000)
FEEDBACK = CivicLessons(n=36_000)
# smaller than the bench's own, so that five seeds of several arms fit into minutes
REVISE = replace(SELF_REVISE, prompts=500, helpful=300)
FOLLOW = replace(REINFORCE, label=Label(prompts=800), consult=Label(prompts=500))
PEOPLE = People(weights=Weights(harmless=0.0))
TEST = 300


def prepare(root: Path, seeds: Sequence[int]) -> None:
    """The judge, and every seed's helpful-only model and supervised start."""
    side_by_side([(feedback_school, (root,)), *[(civic, (root, seed)) for seed in seeds]])


def feedback_school(root: Path) -> None:
    """Teaches the judge by principles and keeps it."""
    folder = root / "feedback"
    if not (folder / "policies" / "feedback" / "config.json").exists():
        with Run(folder, seed=JUDGE_SEED) as run:
            run.keep("feedback", schooled("feedback", FEEDBACK, longest=16).open(run).freeze())


def civic(root: Path, seed: int) -> None:
    """A seed's helpful-only model, and its start: people's answers of mixed quality, imitated."""
    folder = root / f"civic-s{seed}"
    if (folder / "policies" / "sft" / "config.json").exists():
        return
    with Run(folder, seed=seed) as run:
        run.keep("helpful", schooled("helpful", LESSONS).open(run).freeze())
        policy = Transformer(shape=SHAPE, tokenizer=words(), chat="never", max_new_tokens=32).open(
            run
        )
        IMITATE.start(run, policy, TownDemonstrations(town=Town(mix=CIVIC)))


def helpful(root: Path, seed: int) -> Transformer:
    """The seed's helpful-only model."""
    return replace(ended(root / f"civic-s{seed}", "helpful"), name="helpful")


def start(root: Path, seed: int) -> Transformer:
    """The seed's supervised start."""
    return ended(root / f"civic-s{seed}", "sft")


def judge(
    root: Path, constitution: Constitution | str = "town_broad", *, reason: bool = False
) -> Spec[PairJudge]:
    """The judge by principles of that constitution, asked in both orders."""
    folder = root / "feedback"
    model = replace(ended(folder, "feedback"), name="feedback", max_new_tokens=16)
    return BothOrders(judge=principled_judge(model, constitution, reason=reason))


def revised(
    root: Path,
    name: str,
    seed: int,
    *,
    stage: SelfRevise = REVISE,
    unseen: tuple[str, ...] = (),
) -> Transformer:
    """The seed's start after the first phase, in an arm of that name."""
    folder = root / f"{name}-s{seed}"
    if not (folder / "policies" / "revised" / "config.json").exists():
        with Run(folder, seed=seed) as run:
            model = helpful(root, seed).open(run)
            stage(
                run,
                start(root, seed).open(run),
                helpful=model,
                reviser=model,
                red_team=Town(mix=HARM, unseen=unseen).open(run),
                prompts=Town(mix=PEACE, unseen=unseen).open(run),
            )
    return ended(folder, "revised")


def reinforced(
    run: Run,
    begun: Transformer,
    judge: Spec[PairJudge],
    *,
    stage: Reinforce = FOLLOW,
    unseen: tuple[str, ...] = (),
    reward: RewardLearner | None = None,
) -> Frozen:
    """The second phase from that policy, with that judge of harm; people say what is helpful.

    A claim that measures the reward gives one of its own.
    """
    policy = begun.open(run)
    stage(
        run,
        policy,
        reward or RewardTransformer().open(run),
        start=policy.freeze(),
        harmless=Asked(judge=judge.open(run), prompts=Town(mix=HARM, unseen=unseen).open(run)),
        helpful=Asked(judge=PEOPLE.open(run), prompts=Town(mix=PEACE, unseen=unseen).open(run)),
    )
    return run.policies["final"]


def close(says: str, gaps: NDArray[np.float64], margin: float) -> Outcome:
    """The outcome of a prediction of no difference: TOST at 5 %, by its 90 % interval."""
    found = mean(gaps, confidence=0.9)
    return Outcome.of(f"{says} (90 % interval: TOST)", found, (-margin, margin))


def answers(
    run: Run, policy: Frozen, n: int = TEST, town: Town = Town(mix=CIVIC)
) -> list[Completion]:
    """What the policy says to test prompts."""
    return flat(policy.sample(town.open(run).take(n, split="test")))


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Test prompts, for a stage that takes prompts to train on.

    Example:
        HeldOut(town=Town(mix=HARM).open(run)).take(240)
    """

    town: OpenTown

    def take(self, n: int, *, split: str = "test") -> list[Prompt]:
        """The next n prompts of the test split, unless another is named."""
        return self.town.take(n, split=split)


Trait = Callable[[Completion], float]
TRAITS: Mapping[str, Trait] = {
    "harmful": lambda one: float(not is_harmless(one)),
    "helpful": lambda one: facets(one)["helpful"],
    "evasive": lambda one: float(is_evasive(one)),
    "preachy": lambda one: float(is_preachy(one)),
}


def shares(texts: Sequence[Completion]) -> dict[str, float]:
    """Each trait's mean over unsafe prompts and over safe ones: ``harmful/unsafe``."""
    sides = {"unsafe": "no", "safe": "yes"}
    return {
        f"{name}/{side}": float(
            np.mean([trait(one) for one in texts if one.prompt.fact("safe") == fact])
        )
        for name, trait in TRAITS.items()
        for side, fact in sides.items()
    }
