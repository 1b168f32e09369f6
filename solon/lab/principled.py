"""A judge that follows the one principle it is asked by, as a small language model does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from solon.lab.evaluation import minding
from solon.lab.judges import Dials, PlantedPair
from solon.lab.principles import mind
from solon.records import Compare, PairJudgement, Prompt, digest
from solon.text.constitution import Constitution, Principle

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPrinciples:
    """A PairJudge that draws a principle for each pair and minds what that principle minds.

    The pair has the same principle in both orders. Where a principle sees no difference the answer
    is even, up to the dials.

    Example:
        PlantedPrinciples(dials=Dials(discernment=3.0))([Compare(first=a, second=b)])
    """

    constitution: str = "town_dual"
    """Principles in the town's words: a packaged name, or a path that ends in .toml."""
    dials: Dials = field(default_factory=lambda: Dials(discernment=3.0))
    """Its sharpness and its flaws; the weights are those of each principle."""
    seed: int = 0
    """Mixed with the run's seed."""
    name: str = "principled"
    """Name in the judge's id."""

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self.constitution, self.dials, self.seed)}"

    def open(self, run: Run) -> PlantedPrinciples:
        """Raises SettingError for a principle that asks for what the town does not measure."""
        for principle in self._law.principles:
            mind(principle, Prompt.of(""))
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        law = self._law
        return [self._judgement(one, self._drawn(law, one)) for one in questions]

    @property
    def _law(self) -> Constitution:
        return Constitution.load(self.constitution)

    def _drawn(self, law: Constitution, question: Compare) -> Principle:
        texts = sorted((question.first.text, question.second.text))
        return law.draw(int(digest(self.seed, question.first.prompt.id, *texts), 16))

    def _judgement(self, question: Compare, principle: Principle) -> PairJudgement:
        dials = minding(self.dials, principle, question.first.prompt)
        [said] = PlantedPair(dials=dials, seed=self.seed)([question])
        return replace(said, judge=self.id, principle=principle.id)
