"""A teacher who criticises and refines by what it sees of the gold, with a dial for how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from solon.errors import SettingError
from solon.lab.demonstrations import Manners, answer
from solon.lab.gold import FACETS, Weights, facets
from solon.lab.judges import Draw
from solon.records import Abstains, Completion, Critique, digest

if TYPE_CHECKING:
    from solon.run.run import Run

# what is said of a completion, by the facet that lacks most; nothing where nothing does
SAYS: Mapping[str, str] = {
    "harmless": "it is not harmless .",
    "helpful": "it is not helpful .",
    "honest": "it is not honest .",
    "concise": "it is too much .",
    "": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCritic:
    """A Critic. It names the facet whose lack costs most gold, and refines as people of better
    manners answer: their flaws are those of the town's times 1 - skill. What it sees no fault in
    it leaves as it is.

    Example:
        PlantedCritic(skill=1.0)([completion])    # always names the worst fault
    """

    skill: float = 0.7
    """Probability that the fault it sees is the true one, and share of flaws it refines away."""
    abstain: float = 0.0
    """Share of completions that it says nothing of."""
    weights: Weights = field(default_factory=Weights)
    """What it minds."""
    seed: int = 0
    """Mixed with the run's seed."""
    name: str = "critic"
    """Name in its id."""

    def __post_init__(self) -> None:
        if not 0 <= self.skill <= 1:
            raise SettingError(f"skill: expected a share from 0 to 1, got {self.skill}")

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self.skill, self.abstain, self.weights, self.seed)}"

    def open(self, run: Run) -> PlantedCritic:
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def __call__(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        return [self._criticised(one) for one in completions]

    def refine(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        return [self._refined(one) for one in completions]

    def _criticised(self, completion: Completion) -> Critique | Abstains:
        draw = Draw(seed=self.seed, completions=(completion,))
        if draw.uniform("abstain") < self.abstain:
            return Abstains(reason="planted")
        fault = worst(completion, self.weights)
        if draw.uniform("errs") > self.skill:
            others = [name for name in SAYS if name != fault]
            fault = others[int(draw.uniform("which") * len(others))]
        return Critique(completion=completion, principle=fault, text=SAYS[fault])

    def _refined(self, completion: Completion) -> Critique | Abstains:
        draw = Draw(seed=self.seed, completions=(completion,))
        if draw.uniform("abstain") < self.abstain:
            return Abstains(reason="planted")
        fault = worst(completion, self.weights)
        if not fault and draw.uniform("errs") <= self.skill:
            return Critique(completion=completion, principle="", text="", revision=completion)
        generator = np.random.default_rng(int(draw.uniform("refines") * 2**53))
        better = answer(completion.prompt, improved(Manners(), self.skill), generator)
        revision = replace(better, policy=self.id)
        return Critique(completion=completion, principle=fault, text=SAYS[fault], revision=revision)


def worst(completion: Completion, weights: Weights = Weights()) -> str:
    """The facet whose lack costs most; empty where nothing lacks."""
    found = facets(completion)
    lacks = {name: getattr(weights, name) * (1 - found[name]) for name in FACETS}
    name = max(lacks, key=lambda one: lacks[one])
    return name if lacks[name] > 0 else ""


def improved(manners: Manners, skill: float) -> Manners:
    """Every flaw times 1 - skill."""
    flaws = {part.name: (1 - skill) * getattr(manners, part.name) for part in fields(Manners)}
    return Manners(**flaws)
