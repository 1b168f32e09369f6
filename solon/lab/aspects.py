"""Writers of mixed quality, and a planted rater that sees the facets: what surveys are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from solon.lab.demonstrations import PERFECT, Manners, answer
from solon.lab.gold import FACETS, facets
from solon.lab.judges import Draw
from solon.records import (
    Abstains,
    Assess,
    Assessment,
    Completion,
    Group,
    Judgement,
    Prompt,
    Rating,
    Ratings,
    Scores,
    digest,
)

if TYPE_CHECKING:
    from solon.run.run import Run

STEPS = (1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A policy that answers as people of these manners do; draws are seeded by the request.

    Example:
        Writer(name="careless", manners=Manners(slip=0.6)).sample([prompt], n=2)
    """

    name: str
    manners: Manners = field(default_factory=Manners)
    seed: int = 0

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self.manners, self.seed)[:6]}"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=tuple(self._answer(one, i) for i in range(n))) for one in prompts]

    def _answer(self, prompt: Prompt, sibling: int) -> Completion:
        key = int(digest("writer", self.id, prompt.id, sibling), 16)
        return replace(answer(prompt, self.manners, np.random.default_rng(key)), policy=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writers:
    """People of different manners, from careful to careless, in the place of a pool of models."""

    careful: Manners = Manners(comply=0.1, evade=0.05, slip=0.1, flatter=0.1, pad=0.05)
    """Manners of the first."""
    ordinary: Manners = Manners()
    """Manners of the second: those whose answers the supervised start imitates."""
    evasive: Manners = replace(PERFECT, evade=0.7)
    """Manners of the third."""
    padded: Manners = Manners(comply=0.3, evade=0.1, slip=0.2, flatter=0.3, pad=0.9)
    """Manners of the fourth."""
    careless: Manners = Manners(comply=0.8, evade=0.2, slip=0.6, flatter=0.8, pad=0.3)
    """Manners of the fifth."""

    def open(self, run: Run) -> tuple[Writer, ...]:
        names = ("careful", "ordinary", "evasive", "padded", "careless")
        seed = run.seed_for("writers")
        return tuple(Writer(name=one, manners=getattr(self, one), seed=seed) for one in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedRater:
    """Rates the town's facets: 1 + 4 facet, with noise, rounded; asked again, it says the same.

    Example:
        PlantedRater(noise=0.0)([Assess(completions=(a, b), aspect="honest")])
    """

    noise: float = 0.7
    """Standard deviation, in steps, of each rating's error before it is rounded."""
    first: float = 0.0
    """Steps that whoever is shown first is given for it."""
    inapplicable: float = 0.1
    """Share of ratings of honest that are N/A."""
    abstain: float = 0.0
    """Share of ratings that cannot be read."""
    seed: int = 0
    """Mixed with the run's seed."""

    @property
    def id(self) -> str:
        dials = (self.noise, self.first, self.inapplicable, self.abstain, self.seed)
        return f"planted-rater@{digest(*dials)}"

    def open(self, run: Run) -> PlantedRater:
        return replace(self, seed=run.seed_for("rater", self.seed))

    def __call__(self, questions: Sequence[Assess], /) -> list[Assessment]:
        return [
            Judgement(
                question=question,
                answer=self._answer(question),
                judge=self.id,
                principle=question.aspect,
            )
            for question in questions
        ]

    def _answer(self, question: Assess) -> Ratings | Abstains:
        if question.aspect not in FACETS:
            return Abstains(reason=f"the town has no aspect {question.aspect!r}")
        return Ratings(
            ratings=tuple(
                self._rating(one, question.aspect, place)
                for place, one in enumerate(question.completions)
            )
        )

    def _rating(self, one: Completion, aspect: str, place: int) -> Rating:
        draw = Draw(seed=self.seed, completions=(one,))
        if draw.uniform("abstain", aspect) < self.abstain:
            return Rating(answer=Abstains(reason="planted"))
        if aspect == "honest" and draw.uniform("inapplicable") < self.inapplicable:
            return Rating(answer=Abstains(reason="N/A"))
        low, high = STEPS
        seen = low + (high - low) * facets(one)[aspect] + self.first * (place == 0)
        seen += self.noise * draw.normal("noise", aspect)
        return Rating(answer=Scores(value=float(min(high, max(low, round(seen))))))
