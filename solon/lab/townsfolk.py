"""People of the town as a policy: what they answer needs no weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from solon.lab.demonstrations import Manners, answer
from solon.records import Completion, Group, Prompt, digest

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Townsfolk:
    """A Policy that answers as people of these manners do; the same prompt, the same answers.

    Example:
        Townsfolk(manners=Manners(comply=0.0)).sample(prompts, n=2)
    """

    manners: Manners = field(default_factory=Manners)
    """How good the people are."""
    seed: int = 0
    """Mixed with the run's seed."""
    name: str = "townsfolk"
    """Name in completions."""

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self.manners, self.seed)}"

    def open(self, run: Run) -> Townsfolk:
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(completions=tuple(self._answer(prompt, sibling) for sibling in range(n)))
            for prompt in prompts
        ]

    def _answer(self, prompt: Prompt, sibling: int) -> Completion:
        generator = np.random.default_rng(int(digest(self.seed, prompt.id, sibling), 16))
        return replace(answer(prompt, self.manners, generator), policy=self.id)
