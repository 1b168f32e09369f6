"""A judge of judgements: which of several ratings of one completion is the best, and the worst.

Wu et al. (Meta-Rewarding, arXiv 2407.19594). Each pair of judgements (m, n) is shown in both
orders. With r_mn = +1 where m wins when it stands first, -1 where n does and 0 where neither:

    omega_1 = won_second / (won_first + won_second)      omega_2 = won_first / (same)
    B_mn    = omega_1 1[r_mn = +1] + omega_2 1[r_nm = -1]
    epsilon = argmax sum_mn B_mn log sigma(epsilon_m - epsilon_n)

so that a win from the favoured place counts less. The sum of epsilon is 0 and a small ridge keeps
it finite where one judgement wins always (our choice).

axes: M judgements of one completion
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from solon.judges.llm import Asker, LlmJudge
from solon.judges.parsing import Form
from solon.judges.rubric import Votes, spread, verdict
from solon.records import Compare, Completion, PairJudgement, Preference, Prefers, Rate, Scores
from solon.run.given import Given
from solon.run.run import Run
from solon.seams.feedback import Policy
from solon.statistics import bradley_terry
from solon.statistics.interval import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """How a policy is asked which of two judgements is the better one.

    The question is a pair of completions of the judge's own prompt, so that it holds the question,
    the completion and the rubric.

    Example:
        Meta(template="town/meta", form="line", choices=("one", "two")).asker(policy, run)
    """

    template: str = "judge/meta"
    """Words of the question: a packaged name, or a path that ends in .md."""
    form: Form = "tag"
    """Where the winner stands in the reply: a tag at its end, its last line, or a json object."""
    choices: tuple[str, str] = ("1", "2")
    """Answers that the template asks for: the first judgement's, then the second's."""
    hardest: int = 1
    """Completions of each prompt whose judgements are compared: those whose scores vary most."""
    longest: int = 1100
    """Characters of the longest judgement that may be chosen; a longer one drops its pair."""
    ridge: float = 0.01
    """Weight of the squared strengths, which keeps them finite."""

    def asker(self, policy: Policy, run: Run) -> Asker[Compare, Prefers]:
        """The policy as a judge of judgements."""
        judge = LlmJudge(
            policy=Given(policy), template=self.template, form=self.form, choices=self.choices
        )
        return judge.open(run)

    def disputed(self, sets: Sequence[Votes]) -> list[Votes]:
        """Of one prompt's completions, those whose scores vary most; one without spread is none."""
        ordered = sorted(sets, key=lambda votes: -spread(votes))
        return [votes for votes in ordered[: self.hardest] if spread(votes) > 0]

    def preference(self, rivals: Sequence[Completion], wins: Floats) -> Preference | None:
        """The strongest judgement over the weakest; None for equals, or where it is too long."""
        strengths = bradley_terry(wins, ridge=self.ridge).strengths
        best, worst = int(np.argmax(strengths)), int(np.argmin(strengths))
        if strengths[best] - strengths[worst] < 1e-9 or len(rivals[best].text) > self.longest:
            return None
        return Preference(chosen=rivals[best], rejected=rivals[worst], source="meta")


def rivals(asker: Asker[Rate, Scores], votes: Votes) -> list[Completion]:
    """The judgements that can be read, each wording once."""
    read = [verdict(asker, one) for one in votes if isinstance(one.answer, Scores)]
    return list({one.text: one for one in read}.values())


def questions(rivals: Sequence[Completion]) -> list[Compare]:
    """Every pair in both orders."""
    return [Compare(first=a, second=b) for a, b in permutations(rivals, 2)]


def omegas(judged: Sequence[PairJudgement]) -> tuple[float, float]:
    """What a win from the first and from the second place counts; a half each where none won."""
    first, second = sum(map(_first, judged)), sum(map(_second, judged))
    if not first + second:
        return 0.5, 0.5
    return second / (first + second), first / (first + second)


def wins(
    rivals: Sequence[Completion], judged: Sequence[PairJudgement], omega: tuple[float, float]
) -> Floats:
    """B [M M]: how often the row won against the column, each win by its place's weight."""
    place = {one.text: i for i, one in enumerate(rivals)}
    counts = np.zeros((len(rivals), len(rivals)))
    for one in judged:
        m, n = place[one.question.first.text], place[one.question.second.text]
        counts[m, n] += omega[0] * _first(one)
        counts[n, m] += omega[1] * _second(one)
    return counts


def _first(judged: PairJudgement) -> bool:
    return isinstance(judged.answer, Prefers) and judged.answer.p_first > 0.5


def _second(judged: PairJudgement) -> bool:
    return isinstance(judged.answer, Prefers) and judged.answer.p_first < 0.5
