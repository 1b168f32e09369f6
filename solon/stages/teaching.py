"""Three kinds of feedback on a policy's answers, each ending in ordinary pairs.

critique      the teacher criticises, the policy revises     revised > answer
refinement    the teacher writes it better                   refined > answer
preference    a second answer, and the teacher compares      by its judgement
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from solon.judges.critic import Rewriter
from solon.judges.questions import FailureLimit, preferences
from solon.records import Abstains, Compare, Completion, Critique, PairJudgement, Preference, Prompt
from solon.run.run import Run
from solon.seams.feedback import Critic, PairJudge

Kind = Literal["critique", "refinement", "preference"]
Second = Callable[[Sequence[Prompt]], list[Completion]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """The pairs of one kind, what the teacher was asked for them, and what came to nothing.

    ``abstained`` counts the policy's own failed revisions too, ``unchanged`` what nothing was wrong
    with.

    Example:
        Taught(data=[pair], asked=3, abstained=1, unchanged=1).counts["pairs"]    # 1
    """

    data: list[Preference]
    asked: int
    abstained: int
    unchanged: int

    @property
    def counts(self) -> dict[str, int]:
        return {
            "asked": self.asked,
            "abstained": self.abstained,
            "unchanged": self.unchanged,
            "pairs": len(self.data),
        }


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """A teacher (critic and judge), the policy that revises, and whose answers come second."""

    run: Run
    critic: Critic
    judge: PairJudge
    rewriter: Rewriter
    second: Second
    failures: FailureLimit = field(default_factory=FailureLimit)
    chunk: int = 256

    def __call__(self, kind: Kind, answers: Sequence[Completion]) -> Taught:
        """The feedback of that kind on these answers; each step of it is on disk."""
        match kind:
            case "critique":
                critiques = self._critiques("critiques", self.critic, answers, teacher=True)
                faults = [one for one in critiques if one.text]
                revised = self._critiques("revisions", self.rewriter, faults)
                return self._mended(answers, revised, faultless=len(critiques) - len(faults))
            case "refinement":
                refined = self._critiques("refinements", self.critic.refine, answers, teacher=True)
                return self._mended(answers, refined)
            case "preference":
                return self._compared(answers)

    def _critiques(
        self,
        name: str,
        work: Callable[[Sequence[T]], list[Critique | Abstains]],
        items: Sequence[T],
        *,
        teacher: bool = False,
    ) -> list[Critique]:
        """What was said; a policy that cannot revise is no failure, a silent teacher is one."""

        def kept(batch: Sequence[T]) -> list[Critique]:
            made = work(batch)
            if teacher:
                self.failures.note((_why(one) for one in made), of=name)
            return [one for one in made if isinstance(one, Critique)]

        return self.run.map(name, kept, items, chunk=self.chunk)

    def _mended(
        self, answers: Sequence[Completion], critiques: Sequence[Critique], *, faultless: int = 0
    ) -> Taught:
        pairs = [(one.revision, one.completion) for one in critiques if one.revision is not None]
        data = [
            Preference(chosen=revision, rejected=completion, source=self.critic.id)
            for revision, completion in pairs
            if revision.text != completion.text
        ]
        return Taught(
            data=data,
            asked=len(answers),
            abstained=len(answers) - faultless - len(pairs),
            unchanged=faultless + len(pairs) - len(data),
        )

    def _compared(self, answers: Sequence[Completion]) -> Taught:
        others: list[Completion] = self.run.map(
            "seconds", self.second, [one.prompt for one in answers], chunk=self.chunk
        )
        both = [
            Compare(first=one, second=other)
            for one, other in zip(answers, others, strict=True)
            if other.finish != "filter"
        ]
        questions = [one for one in both if one.first.text != one.second.text]
        judgements: list[PairJudgement] = self.run.map(
            "judgements", self.judge, questions, chunk=self.chunk
        )
        self.failures.note((_why(one.answer) for one in judgements), of="judgements")
        data = preferences(judgements)
        return Taught(
            data=data,
            asked=len(questions),
            abstained=len(answers) - len(both) + len(judgements) - len(data),
            unchanged=len(both) - len(questions),
        )


def _why(answer: object) -> str:
    return answer.reason or "no reason given" if isinstance(answer, Abstains) else ""
