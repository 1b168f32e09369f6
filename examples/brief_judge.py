"""A judge of your own: one that likes brevity, and what it does to a policy.

    python examples/brief_judge.py

Look at `Reward against gold` and at the audits in the report: the reward is easy to climb, and
is not what was wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from solon import Judgement, Run, Session
from solon.records import Compare, PairJudgement, Prefers


@dataclass(frozen=True)
class Brief:
    """Prefers the shorter of two."""

    id: str = "brief@1"

    def open(self, run: Run) -> Self:
        del run
        return self

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [self.judge(question) for question in questions]

    def judge(self, question: Compare) -> PairJudgement:
        shorter = len(question.first.text) < len(question.second.text)
        return Judgement(question=question, answer=Prefers(p_first=float(shorter)), judge=self.id)


def session(**changes: str) -> Session:
    """Canonical RLAIF in the town, with this judge in place of the bench's."""
    keys = {key.replace("__", "."): text for key, text in changes.items()}
    made = Session.find("canonical", "lab", keys)
    return replace(made, recipe=replace(made.recipe, judge=Brief()))


if __name__ == "__main__":
    print(session().run())
