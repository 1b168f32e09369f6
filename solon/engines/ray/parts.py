"""What a part on Ray opens to: the same methods, answered by copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solon.engines.ray.copies import Copies
from solon.engines.ray.onray import OnRay
from solon.records import Abstains, Completion, Group, Prompt
from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RayPolicy:
    """A policy whose copies answer. Satisfies Policy."""

    copies: Copies

    @property
    def id(self) -> str:
        return self.copies.id

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        """n completions of each prompt, siblings by one copy."""
        return self.copies.ask("sample", prompts, n=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayChooser(RayPolicy):
    """A policy whose copies answer and choose. Satisfies Policy and Chooser."""

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        return self.copies.ask("choose", prompts, choices=choices, cue=cue)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayScorer(RayChooser):
    """A local model whose copies answer, choose and score. Satisfies Policy, Chooser, Scorer."""

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        return self.copies.ask("lengths", completions)

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        return self.copies.ask("logp", completions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayJudge:
    """A judge, a rater, a critic or a reward whose copies answer, with the methods that it has."""

    copies: Copies

    @property
    def id(self) -> str:
        return self.copies.id

    def __call__(self, questions: Sequence[Any], /) -> list[Any]:
        return self.copies.ask("__call__", questions)

    def refine(self, completions: Sequence[Completion], /) -> list[Any]:
        """As Critic's."""
        return self.copies.ask("refine", completions)

    def samples(self, questions: Sequence[Any], /, *, n: int) -> list[list[Any]]:
        """n answers to each question, by one copy."""
        return self.copies.ask("samples", questions, n=n)


def open_part(spec: OnRay, run: Run) -> RayPolicy | RayChooser | RayScorer | RayJudge:
    """What satisfies the seams that the inner part satisfies, as its copies say."""
    copies = Copies.begin(spec, spec.inner, run)
    can = copies.opened.can
    if "sample" not in can:
        return RayJudge(copies=copies)
    if "choose" not in can:
        return RayPolicy(copies=copies)
    return RayScorer(copies=copies) if "logp" in can else RayChooser(copies=copies)
