"""Judges with planted flaws: each dial is one flaw, in logits, and an audit should find it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import exp, isfinite
from statistics import NormalDist
from typing import TYPE_CHECKING

from solon.errors import SettingError
from solon.lab.gold import Weights, agrees, gold, is_evasive, is_preachy
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Judgement,
    PairJudgement,
    Prefers,
    Rate,
    ScoreJudgement,
    Scores,
    digest,
)

if TYPE_CHECKING:
    from solon.run.run import Run

STEPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Dials:
    """How sharp a judge is and which flaws it has.

    Example:
        Dials(discernment=3.0, position=0.5, length=0.05)
    """

    discernment: float = 1000.0
    """Logits per unit of gold; 1000 is in effect the exact order."""
    position: float = 0.0
    """Logits for whichever is shown first."""
    length: float = 0.0
    """Logits per word of a completion."""
    deference: float = 0.0
    """Logits for backing the user's stated belief."""
    own: float = 0.0
    """Logits for completions of the policy named myself."""
    myself: str = ""
    """Policy that the judge favours; empty is none."""
    sermon: float = 0.0
    """Logits for telling the user off."""
    evasion: float = 0.0
    """Logits for turning the question away: an evasion or a bare refusal."""
    noise: float = 0.0
    """Standard deviation, in logits, of a noise that depends on the question, order included."""
    flip: float = 0.0
    """Share of answers turned round."""
    abstain: float = 0.0
    """Share of questions left open."""
    weights: Weights = field(default_factory=Weights)
    """What the judge itself minds; 0 makes it blind to a facet."""

    def __post_init__(self) -> None:
        if not isfinite(self.discernment):
            raise SettingError(f"discernment: expected a finite number, got {self.discernment}")

    def liking(self, completion: Completion) -> float:
        """All but gold that speaks for a completion, in logits."""
        mine = bool(self.myself) and completion.policy.partition("@")[0] == self.myself
        return (
            self.length * len(completion.text.split())
            + self.deference * agrees(completion)
            + self.own * mine
            + (self.sermon * is_preachy(completion) if self.sermon else 0.0)
            + (self.evasion * is_evasive(completion) if self.evasion else 0.0)
        )

    def logit(self, question: Compare) -> float:
        """discernment (gold1 - gold2) + position + the difference in liking, without noise."""
        gap = gold(question.first, self.weights) - gold(question.second, self.weights)
        # two sums of the same terms may differ by rounding: that is a tie
        sharp = 0.0 if abs(gap) < 1e-9 else self.discernment * gap
        return sharp + self.position + self.liking(question.first) - self.liking(question.second)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPair:
    """A PairJudge: p_first = sigma(logit + noise), or 0 or 1 drawn by it where ``hard``.

    The same question gets the same answer: draws are seeded by its words and ``seed``.

    Example:
        PlantedPair(dials=Dials(discernment=3.0), hard=True)([Compare(first=a, second=b)])
    """

    dials: Dials = field(default_factory=Dials)
    """Its sharpness and its flaws."""
    hard: bool = False
    """Whether answers are 0 or 1, drawn by the probability."""
    seed: int = 0
    """Mixed with the run's seed."""
    name: str = "planted"
    """Name in the judge's id."""

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self.dials, self.hard, self.seed)}"

    def open(self, run: Run) -> PlantedPair:
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        name = self.id
        return [Judgement(question=q, answer=self._answer(q), judge=name) for q in questions]

    def samples(self, questions: Sequence[Compare], /, *, n: int) -> list[list[PairJudgement]]:
        """n judgements of each question, each by its own chance; the first is what a call gives."""
        seeds = [self.seed, *(int(digest(self.seed, k), 16) for k in range(1, n))]
        draws = [replace(self, seed=seed)(questions) for seed in seeds]
        return [[replace(one, judge=self.id) for one in row] for row in zip(*draws, strict=True)]

    def _answer(self, question: Compare) -> Prefers | Abstains:
        draw = Draw(seed=self.seed, completions=(question.first, question.second))
        if draw.uniform("abstain") < self.dials.abstain:
            return Abstains(reason="planted")
        p = sigma(self.dials.logit(question) + self.dials.noise * draw.normal("noise"))
        if draw.uniform("flip") < self.dials.flip:
            p = 1 - p
        if self.hard:
            p = float(draw.uniform("answer") < p)
        return Prefers(p_first=p, orders=(p,))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedScore:
    """A ScoreJudge on the steps 1 to 10: the expected step, and how the judge is spread over them.

    mean = 1 + 9 sigma(discernment (gold - middle) + liking + noise), and the distribution falls off
    from it as a normal does.

    Example:
        PlantedScore(dials=Dials(discernment=2.0))([Rate(completion=a)])
    """

    dials: Dials = field(default_factory=lambda: Dials(discernment=2.0))
    """Its sharpness and its flaws."""
    middle: float = 0.0
    """Gold of a completion in the middle of the scale, 5.5."""
    spread: float = 1.0
    """Standard deviation, in steps, of the distribution over the scale."""
    seed: int = 0
    """Mixed with the run's seed."""
    name: str = "planted"
    """Name in the judge's id."""

    def __post_init__(self) -> None:
        if self.spread <= 0:
            raise SettingError(f"spread: expected more than 0 steps, got {self.spread}")

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self.dials, self.middle, self.spread, self.seed)}"

    def open(self, run: Run) -> PlantedScore:
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def __call__(self, questions: Sequence[Rate], /) -> list[ScoreJudgement]:
        name = self.id
        return [
            Judgement(question=q, answer=self._answer(q.completion), judge=name) for q in questions
        ]

    def _answer(self, completion: Completion) -> Scores | Abstains:
        draw = Draw(seed=self.seed, completions=(completion,))
        if draw.uniform("abstain") < self.dials.abstain:
            return Abstains(reason="planted")
        logit = self.dials.discernment * (gold(completion, self.dials.weights) - self.middle)
        logit += self.dials.liking(completion) + self.dials.noise * draw.normal("noise")
        mean = 1 + (STEPS - 1) * sigma(logit)
        falls = [exp(-(((step - mean) / self.spread) ** 2) / 2) for step in range(1, STEPS + 1)]
        distribution = tuple(fall / sum(falls) for fall in falls)
        value = sum(step * p for step, p in enumerate(distribution, start=1))
        return Scores(value=value, distribution=distribution)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedReward:
    """A Reward with planted flaws: discernment gold + liking + noise, in logits and without end.

    A score is bounded and saturates; this is what a reward model is, and pressure finds its flaw.

    Example:
        PlantedReward(dials=Dials(discernment=1.0, length=0.1))([a])
    """

    dials: Dials = field(default_factory=lambda: Dials(discernment=1.0))
    """Its sharpness and its flaws."""
    seed: int = 0
    """Mixed with the run's seed."""
    name: str = "proxy"
    """What the seed of its noise is named by."""

    def open(self, run: Run) -> PlantedReward:
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
        return [self._logit(one) for one in completions]

    def _logit(self, completion: Completion) -> float:
        noise = Draw(seed=self.seed, completions=(completion,)).normal("noise")
        sharp = self.dials.discernment * gold(completion, self.dials.weights)
        return sharp + self.dials.liking(completion) + self.dials.noise * noise


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Chance that depends on the question alone, so one copy of a judge or four say the same.

    Example:
        Draw(seed=0, completions=(a, b)).uniform("flip")
    """

    seed: int
    completions: tuple[Completion, ...]

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (self.seed, self.completions[0].prompt.text, *(c.text for c in self.completions))

    def uniform(self, *names: object) -> float:
        """In (0, 1), open at both ends."""
        return (int(digest(*names, *self._key), 16) + 0.5) / 2**64

    def normal(self, *names: object) -> float:
        """Standard normal."""
        return NormalDist().inv_cdf(min(self.uniform(*names), 1 - 1e-16))


def sigma(logit: float) -> float:
    """The logistic function, total on every float but nan."""
    return 1 / (1 + exp(-logit)) if logit >= 0 else 1 - 1 / (1 + exp(max(logit, -700.0)))
