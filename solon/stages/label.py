"""Labelling: completions of one policy, compared by a judge, item by item on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from solon.errors import SettingError, TooManyFailures, at_least
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
    clamp: tuple[float, ...] = ()
    """Lowest and highest probability of a label that a rationale came before (Bai et al., arXiv
    2212.08073: 0.4, 0.6); none leaves it. Other labels are never clamped."""
    chunk: int = 256
    """Prompts or questions that become durable together."""

    def __post_init__(self) -> None:
        at_least(self, prompts=1, siblings=2, chunk=1)
        if self.clamp and not _about_a_half(self.clamp):
            raise SettingError(
                f"clamp: expected two probabilities about 0.5, or none, got {self.clamp}"
            )

    def __call__(
        self, run: Run, judge: PairJudge, policy: Policy, prompts: Prompts, *, of: str = ""
    ) -> list[Preference]:
        """Preferences with soft labels; abstentions stay in the judgements and go no further.

        ``of`` names the records beside others: ``judgements-helpful``.
        """
        questions = self.questions(run, judge, policy, prompts, of=of)
        judgements: list[PairJudgement] = run.map(
            named("judgements", of), judge, questions, chunk=self.chunk
        )
        data = preferences([clamped(one, self.clamp) for one in judgements])
        run.log(0, asked=len(judgements), abstained=len(judgements) - len(data))
        run.save(named("preferences", of), data)
        if judgements and not data:
            raise TooManyFailures(_why(judgements))
        return data

    def questions(
        self, run: Run, judge: PairJudge, policy: Policy, prompts: Prompts, *, of: str = ""
    ) -> list[Compare]:
        """Pairs of siblings. People's labels come with their own pairs: no policy is sampled."""
        if isinstance(judge, Labels):
            return judge.questions()
        wanted = prompts.take(self.prompts)
        draw = partial(policy.sample, n=self.siblings)
        return pairs(run.map(named("groups", of), draw, wanted, chunk=self.chunk))


def _about_a_half(bounds: Sequence[float]) -> bool:
    return len(bounds) == 2 and 0 <= bounds[0] <= 0.5 <= bounds[1] <= 1


def named(records: str, of: str) -> str:
    """The name of a set of records, of one sort among several."""
    return f"{records}-{of}" if of else records


def clamped(judgement: PairJudgement, bounds: Sequence[float]) -> PairJudgement:
    """p within the bounds, where a rationale came before it.

    After a chain of thought labels lie near 0 or 1 and are badly calibrated (Bai et al., arXiv
    2212.08073, section 4.1). With p in [1 - c, c] a fitted margin is at most log(c / (1 - c)).
    """
    if not bounds or not judgement.rationale or isinstance(judgement.answer, Abstains):
        return judgement
    low, high = bounds
    kept = min(max(judgement.answer.p_first, low), high)
    return replace(judgement, answer=replace(judgement.answer, p_first=kept))


def _why(judgements: Sequence[PairJudgement]) -> str:
    reasons = Counter(j.answer.reason for j in judgements if isinstance(j.answer, Abstains))
    first = f"; most often: {reasons.most_common(1)[0][0]}" if reasons else ""
    return f"label: none of {len(judgements)} judgements holds a preference{first}"
