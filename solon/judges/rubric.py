"""A policy that rates completions in words, several times each, and what its votes come to.

Yuan et al. (arXiv 2401.10020): an additive rubric of five points; the score of a completion is the
mean of several votes, which must be drawn at a temperature above 0 to differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, nan
from statistics import fmean, pvariance

from solon.errors import SettingError
from solon.judges.llm import Asker, LlmScore
from solon.judges.parsing import Form
from solon.judges.wording import prompt_of
from solon.records import Abstains, Completion, Rate, ScoreJudgement, Scores
from solon.run.given import Given
from solon.run.run import Run
from solon.seams.feedback import Metrics, Policy

Votes = tuple[ScoreJudgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """How a policy is asked to rate one completion, and how often.

    Example:
        Rubric(votes=3).vote(Rubric(votes=3).asker(policy, run), [Rate(completion=a)])
    """

    template: str = "judge/rubric"
    """Words of the question: a packaged name, or a path that ends in .md."""
    form: Form = "score"
    """Where the score stands in the reply: the last "Score: n", a tag, the last line, json."""
    preamble: str = ""
    """Role and standards of the judge: a packaged name, or a path that ends in .md."""
    scale: tuple[int, int] = (0, 5)
    """Lowest and highest score; whatever lies outside abstains."""
    votes: int = 3
    """Replies drawn for each completion; the score is the mean of those that can be read."""

    def asker(self, policy: Policy, run: Run) -> Asker[Rate, Scores]:
        """The policy as a judge."""
        if self.votes < 1:
            raise SettingError(f"rubric.votes: expected at least 1, got {self.votes}")
        judge = LlmScore(
            policy=Given(policy),
            template=self.template,
            form=self.form,
            preamble=self.preamble,
            scale=self.scale,
        )
        return judge.open(run)

    def vote(self, asker: Asker[Rate, Scores], questions: Sequence[Rate]) -> list[ScoreJudgement]:
        """The votes of each question, one question after the other."""
        drawn = asker.samples(questions, n=self.votes)
        return [one for votes in drawn for one in votes]

    def sets(self, votes: Sequence[ScoreJudgement]) -> list[Votes]:
        """The votes of each question by themselves."""
        return [tuple(votes[i : i + self.votes]) for i in range(0, len(votes), self.votes)]


def averaged(votes: Votes) -> ScoreJudgement:
    """One judgement of the votes that can be read; where none can, it abstains."""
    answers = [one.answer for one in votes if isinstance(one.answer, Scores)]
    if not answers:
        return votes[0]
    steps = zip(*(answer.distribution for answer in answers), strict=True)
    answer = Scores(
        value=fsum(answer.value for answer in answers) / len(answers),
        distribution=tuple(fsum(step) / len(answers) for step in steps),
    )
    return replace(votes[0], answer=answer, raw="\n\n".join(one.raw for one in votes))


def values(votes: Sequence[ScoreJudgement]) -> list[float]:
    """The scores of the votes that can be read."""
    return [one.answer.value for one in votes if isinstance(one.answer, Scores)]


def level(sets: Sequence[Votes]) -> float:
    """The mean score of the completions that have one; nan where none has."""
    means = [fmean(read) for read in map(values, sets) if read]
    return fmean(means) if means else nan


def spread(votes: Votes) -> float:
    """Variance of the scores that can be read; 0 where there are fewer than two."""
    read = values(votes)
    return pvariance(read) if len(read) > 1 else 0.0


def verdict(asker: Asker[Rate, Scores], one: ScoreJudgement) -> Completion:
    """The judgement as what it is to the policy: a completion of the prompt that asked for it."""
    prompt = prompt_of(asker.wording.messages(one.question))
    return Completion(prompt=prompt, text=one.raw, policy=asker.policy.id)


def told(sets: Sequence[Votes]) -> Metrics:
    """How a judge votes: mean and spread of its scores, its commonest vote, what it left open.

    ``commonest`` near 1 is a judge that has collapsed to one score; ``unanimous`` near 1 says that
    more votes tell nothing more, as at temperature 0.
    """
    votes = [one for votes in sets for one in votes]
    read = values(votes)
    means = [fmean(found) for found in map(values, sets) if found]
    abstained = sum(isinstance(one.answer, Abstains) for one in votes)
    seen: dict[str, float] = {"votes": len(votes), "abstained": abstained}
    if read:
        seen["score"] = fmean(means)
        seen["score_std"] = pvariance(means) ** 0.5
        seen["commonest"] = Counter(read).most_common(1)[0][1] / len(read)
        seen["unanimous"] = fmean(spread(votes) == 0.0 for votes in sets)
    return seen
