"""People who label: noisy, tired by the hour, and not of one mind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from solon.errors import SettingError
from solon.lab.gold import Weights, gold
from solon.lab.judges import Draw
from solon.records import Compare, Judgement, PairJudgement, Prefers

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """People who answer by what they see of the gold.

    ``noise`` is the master dial: at 0 everyone follows the gold exactly. After t questions it
    has grown by the factor 1 + fatigue t/100, and each person's facet weights are the gold's times
    exp(noise * disagreement * N(0, 1)).

    Example:
        People(n=5, voters=3, noise=0.3, fatigue=0.2, disagreement=1.0).open(run)
    """

    n: int = 5
    """People, who answer in turn."""
    voters: int = 1
    """People who answer each question; p_first is their share of votes."""
    noise: float = 0.3
    """Standard deviation, in gold, of what a rested person sees of a difference."""
    fatigue: float = 0.1
    """Share by which the noise has grown after a hundred questions."""
    disagreement: float = 1.0
    """Spread of the logs of people's own weights, per unit of noise."""
    weights: Weights = field(default_factory=Weights)
    """What people mind, each up to disagreement."""

    def __post_init__(self) -> None:
        if not 1 <= self.voters <= self.n:
            raise SettingError(f"voters: expected 1 to {self.n} (n people), got {self.voters}")

    def open(self, run: Run) -> OpenPeople:
        return OpenPeople(people=self, seed=run.seed_for("people"))


@dataclass(kw_only=True)
class OpenPeople:
    """A PairJudge that remembers how many questions each person has answered.

    Example:
        OpenPeople(people=People(noise=0.0), seed=1)([Compare(first=a, second=b)])
    """

    people: People = field(default_factory=People)
    seed: int = 0
    asked: int = 0

    @property
    def id(self) -> str:
        return f"people-{self.people.n}"

    @cached_property
    def minds(self) -> list[Weights]:
        """Each person's own weights."""
        names = [part.name for part in fields(Weights)]
        generator = np.random.default_rng(self.seed)
        scale = self.people.noise * self.people.disagreement
        factors = np.exp(scale * generator.standard_normal((self.people.n, len(names))))
        return [
            Weights(
                **{
                    name: getattr(self.people.weights, name) * float(factor)
                    for name, factor in zip(names, row, strict=True)
                }
            )
            for row in factors
        ]

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        judgements: list[PairJudgement] = []
        for question in questions:
            answer = self._answer(question)
            judgements.append(Judgement(question=question, answer=answer, judge=self.id))
        return judgements

    def save_state(self, folder: Path, /) -> None:
        (folder / "people.json").write_text(json.dumps(self.asked))

    def load_state(self, folder: Path, /) -> None:
        self.asked = json.loads((folder / "people.json").read_text())

    def _answer(self, question: Compare) -> Prefers:
        voters = range(self.asked, self.asked + self.people.voters)
        self.asked += self.people.voters
        share = fmean(self._vote(question, turn) for turn in voters)
        return Prefers(p_first=share, orders=(share,))

    def _vote(self, question: Compare, turn: int) -> float:
        """1 for the first, 0 for the second, a half where this person sees no difference."""
        person, answered = turn % self.people.n, turn // self.people.n
        mind = self.minds[person]
        seen = gold(question.first, mind) - gold(question.second, mind)
        noise = self.people.noise * (1 + self.people.fatigue * answered / 100)
        if noise:
            draw = Draw(seed=self.seed, completions=(question.first, question.second))
            seen += noise * draw.normal("vote", turn)
        return 0.5 if abs(seen) < 1e-9 else float(seen > 0)
