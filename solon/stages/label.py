"""Labelling: completions of one policy, compared by a judge, item by item on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from solon.errors import TooManyFailures
from solon.judges.questions import pairs, preferences
from solon.records import Abstains, Compare, PairJudgement, Preference
from solon.run.run import Run
from solon.seams.feedback import Labels, PairJudge, Policy, Prompts


@dataclass(frozen=True, kw_only=True)
class Label:
    """Ask a judge about pairs of the policy's own completions."""

    prompts: int = 1024
    """Prompts whose completions are compared."""
    siblings: int = 2
    """Completions drawn of each prompt."""
    chunk: int = 256
    """Prompts or questions that become durable together."""

    def __call__(
        self, run: Run, judge: PairJudge, policy: Policy, prompts: Prompts
    ) -> list[Preference]:
        """Preferences with soft labels; abstentions stay in the judgements and go no further."""
        questions = self.questions(run, judge, policy, prompts)
        judgements = run.map("judgements", judge, questions, chunk=self.chunk)
        data = preferences(judgements)
        run.log(0, asked=len(judgements), abstained=len(judgements) - len(data))
        run.save("preferences", data)
        if judgements and not data:
            raise TooManyFailures(_why(judgements))
        return data

    def questions(
        self, run: Run, judge: PairJudge, policy: Policy, prompts: Prompts
    ) -> list[Compare]:
        """Pairs of siblings. People's labels come with their own pairs: no policy is sampled."""
        if isinstance(judge, Labels):
            return judge.questions()
        wanted = prompts.take(self.prompts)
        draw = partial(policy.sample, n=self.siblings)
        return pairs(run.map("groups", draw, wanted, chunk=self.chunk))


def _why(judgements: Sequence[PairJudgement]) -> str:
    reasons = Counter(j.answer.reason for j in judgements if isinstance(j.answer, Abstains))
    first = f"; most often: {reasons.most_common(1)[0][0]}" if reasons else ""
    return f"label: none of {len(judgements)} judgements holds a preference{first}"
