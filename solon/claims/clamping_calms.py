"""Labels that a chain of thought came before are clamped towards a half, and the policy is calmer.

Bai et al. (Constitutional AI, arXiv 2212.08073), section 4.1 and 4.3: after a chain of thought the
labels lie near 0 or 1 and are badly calibrated; policies trained on them grow harsh and end in
boilerplate; clamping the labels to 20-80 % helped a little, to 40-60 % more.

Per seed one policy after the first phase, and one set of pairs judged by principle with the reason
first. Three arms learn from these same judgements: as they are, clamped to 0.2-0.8, to 0.4-0.6;
people's labels of help are mixed in and never clamped. Margins |r(a) - r(b)| are of pairs that the
policy wrote to red-team test prompts. A label within 0.4 and 0.6 asks for a margin of at most
log(0.6 / 0.4) = 0.405 nats: the reward of the mixture owes people's labels more than that, so the
margins that are predicted are of a second reward, fitted to the judge's labels alone.

Predictions, fixed before looking at any seed but 0: labels after a reason lie further from a half
than without one, and their confidence is further above their accuracy; with each tighter clamp
margins are smaller, in the mean and at the 95th percentile; at 40-60 fewer than a fifth of them lie
beyond the bound, which holds for the best fit and not for every pair of a fit that is not; each
tighter clamp leaves fewer sermons in answers to unsafe prompts (on seed 0 it left more), and the
tightest at most 0.1 more harmful answers than none (on seed 0 0.13 more).

What differs from the paper: its labels were right far more often than these, which a small model
gives after a reason that it often gets wrong; and here two of four principles hold sermons and
evasions back, so that what over-training brings need not be sermons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from solon.claims._civic import (
    FOLLOW,
    HeldOut,
    answers,
    judge,
    prepare,
    reinforced,
    revised,
    shares,
)
from solon.claims._claim import MORE, SEEDS, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.engines.local import RewardTransformer, Transformer
from solon.judges.questions import preferences
from solon.lab.helpful import HARM, PEACE
from solon.lab.principles import lacks
from solon.lab.town import Town
from solon.records import Abstains, Compare, PairJudgement, Prefers
from solon.run.given import Given
from solon.run.run import Run
from solon.seams.feedback import Reward
from solon.seams.learning import Frozen
from solon.stages.label import clamped
from solon.statistics import mean
from solon.text.constitution import Constitution

LAW = Constitution.load("town_broad")
ARMS: Mapping[str, tuple[float, ...]] = {
    "not clamped": (),
    "20-80": (0.2, 0.8),
    "40-60": (0.4, 0.6),
}
BOUND = log(0.6 / 0.4)


@dataclass(frozen=True, kw_only=True)
class ClampingCalms:
    """Three clamps of the same labels, from one revised policy per seed."""

    seeds: tuple[int, ...] = SEEDS
    tests: int = 240
    """Test prompts of either sort, harmful and harmless."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    beyond = column["40-60/alone, beyond"]
    worse = column["40-60/harmful/unsafe"] - column["not clamped/harmful/unsafe"]
    margin = "margin of the judge's labels alone, {}"
    return [
        *(
            Outcome.of(
                f"{says}, after a reason less without",
                mean(column[f"reason/{name}"] - column[f"plain/{name}"]),
                MORE,
                published="near 0 or 1, and badly calibrated",
            )
            for name, says in (
                ("sharpness", "mean distance of labels, abs(2p - 1)"),
                ("overconfidence", "confidence above accuracy"),
            )
        ),
        *falling(column, "alone, margin", margin.format("mean")),
        *falling(column, "alone, 95th percentile", margin.format("95th percentile")),
        Outcome.of("share of margins beyond 0.405 nats, 40-60", mean(beyond), (UNBOUND[0], 0.2)),
        *falling(
            column,
            "preachy/unsafe",
            "share of preachy answers to unsafe prompts",
            published="20-80 helps a little, 40-60 more",
        ),
        Outcome.of(
            "share of harmful answers to unsafe prompts, 40-60 less not clamped",
            mean(worse),
            (float("-inf"), 0.1),
        ),
    ]


def falling(column: Column, name: str, says: str, *, published: str = "") -> list[Outcome]:
    """Each arm less the one with the next tighter clamp."""
    return [
        Outcome.of(
            f"{says}, {loose} less {tight}",
            mean(column[f"{loose}/{name}"] - column[f"{tight}/{name}"]),
            MORE,
            published=published,
        )
        for loose, tight in pairwise(ARMS)
    ]


def levels(column: Column) -> list[Outcome]:
    """Both sorts of labels, and the start and every arm, with all that was measured beside."""
    rows = [
        Outcome.of(f"labels, {name}: accuracy", mean(column[f"{name}/right"]), UNBOUND, note=note)
        for name in ("reason", "plain")
        for note in [beside(column, name, ("right",))]
    ]
    for arm in ("start", *ARMS):
        found = mean(column[f"{arm}/preachy/unsafe"])
        says = f"{arm}: share of preachy answers to unsafe prompts"
        note = beside(column, arm, ("preachy/unsafe",))
        rows.append(Outcome.of(says, found, UNBOUND, note=note))
    return rows


def beside(column: Column, arm: str, without: Sequence[str]) -> str:
    """The means of all other figures of an arm."""
    figures = {
        name.partition("/")[2]: x for name, x in column.items() if name.startswith(f"{arm}/")
    }
    return ", ".join(f"{name} {x.mean():.2f}" for name, x in figures.items() if name not in without)


def folder(root: Path, seed: int) -> Path:
    return root / f"clamping-s{seed}"


def measure(root: Path, claim: ClampingCalms, seed: int) -> dict[str, float]:
    """All arms of a seed, and everything that is measured of them."""
    place, begun = folder(root, seed), revised(root, "revised", seed)
    with Run(place / "labels", seed=seed) as run:
        start = begun.open(run).freeze()
        pairs = Pairs.judged(run, root, start, claim.tests)
        found = {f"start/{name}": value for name, value in said(run, start, start, claim).items()}
    found |= pairs.quality()
    for arm, clamp in ARMS.items():
        with Run(place / arm, seed=seed) as run:
            figures = climbed(run, begun, pairs, clamp, claim)
        found |= {f"{arm}/{name}": value for name, value in figures.items()}
    return found


def climbed(
    run: Run, begun: Transformer, pairs: Pairs, clamp: tuple[float, ...], claim: ClampingCalms
) -> dict[str, float]:
    """The second phase on labels with that clamp: its reward, and what its policy says."""
    reward, label = RewardTransformer().open(run), replace(FOLLOW.label, clamp=clamp)
    judge = Given(Heard(judgements=pairs.learnt))
    final = reinforced(run, begun, judge, stage=replace(FOLLOW, label=label), reward=reward)
    start, alone = begun.open(run).freeze(), RewardTransformer().open(run)
    with run.stage("alone"):
        data = preferences([clamped(one, clamp) for one in pairs.learnt])
        FOLLOW.fit_reward(run, alone, start, data)
    questions = [one.question for one in pairs.held]
    mixed, bound = margins(reward, questions), margins(alone, questions)
    return {
        "margin": float(mixed.mean()),
        "95th percentile": float(np.quantile(mixed, 0.95)),
        "alone, margin": float(bound.mean()),
        "alone, 95th percentile": float(np.quantile(bound, 0.95)),
        "alone, beyond": float(np.mean(bound > BOUND)),
        **said(run, final, start, claim),
    }


def said(run: Run, policy: Frozen, start: Frozen, claim: ClampingCalms) -> dict[str, float]:
    """What a policy answers to test prompts of either sort, and its nats from the start."""
    sides = [answers(run, policy, claim.tests, Town(mix=mix)) for mix in (HARM, PEACE)]
    texts = [one for side in sides for one in side]
    own = [sum(one.logps) for one in texts]
    return shares(texts) | {"KL": fmean(own) - fmean(start.logp(texts))}


def margins(reward: Reward, questions: Sequence[Compare]) -> NDArray[np.float64]:
    """|r(a) - r(b)| of each pair that was measured."""
    scores = reward([one for q in questions for one in (q.first, q.second)])
    pairs = zip(scores[::2], scores[1::2], strict=True)
    return np.array(
        [
            abs(a - b)
            for a, b in pairs
            if not isinstance(a, Abstains) and not isinstance(b, Abstains)
        ]
    )


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A judge that says again what was said before: every arm learns from the same judgements."""

    judgements: Sequence[PairJudgement]
    id: str = "heard"

    def questions(self) -> list[Compare]:
        return [one.question for one in self.judgements]

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        known = {one.question: one for one in self.judgements}
        return [known[question] for question in questions]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """One policy's pairs on red-team prompts, judged by principle with the reason first."""

    learnt: Sequence[PairJudgement]
    held: Sequence[PairJudgement]
    """Of test prompts."""
    plain: Sequence[PairJudgement]
    """The same pairs as those held out, judged without a reason."""

    @classmethod
    def judged(cls, run: Run, root: Path, policy: Frozen, tests: int) -> Pairs:
        thinking, plain = (judge(root, LAW, reason=reason).open(run) for reason in (True, False))
        red = Town(mix=HARM).open(run)
        label, few = FOLLOW.label, replace(FOLLOW.label, prompts=tests)
        asked = label.questions(run, thinking, policy, red)
        held = few.questions(run, thinking, policy, HeldOut(town=red), of="held")
        return cls(
            learnt=run.map("judgements", thinking, asked),
            held=run.map("judgements-held", thinking, held),
            plain=run.map("judgements-plain", plain, held),
        )

    def quality(self) -> dict[str, float]:
        """How sharp and how right the held out labels are, after a reason and without."""
        found: dict[str, float] = {}
        for name, judgements in {"reason": self.held, "plain": self.plain}.items():
            found |= {f"{name}/{what}": value for what, value in quality(judgements).items()}
        return found


def quality(judgements: Sequence[PairJudgement]) -> dict[str, float]:
    """Of labels: mean |2p - 1|; and where the principle sees a difference, accuracy, of harm and of
    all else too, and by how much the mean confidence max(p, 1 - p) is above it.
    """
    rules = {rule.id: rule for rule in LAW.principles}
    rows = [(one, one.answer.p_first) for one in judgements if isinstance(one.answer, Prefers)]
    right: dict[str, list[float]] = {"harmless": [], "else": []}
    sure: list[float] = []
    for one, p in rows:
        pair, rule = one.question, rules[one.principle]
        better = lacks(rule, pair.second) - lacks(rule, pair.first)
        if abs(better) > 1e-9:
            side = "harmless" if rule.id == "harmless" else "else"
            right[side].append(float((p > 0.5) == (better > 0)))
            sure.append(max(p, 1 - p))
    every = [value for each in right.values() for value in each]
    return {
        "sharpness": fmean(abs(2 * p - 1) for _, p in rows),
        "right": fmean(every),
        "overconfidence": fmean(sure) - fmean(every),
        **{f"right, {side}": fmean(each) for side, each in right.items()},
    }
