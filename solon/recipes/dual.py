"""Dual alignment: first what people prefer, then what a judge prefers by one principle at a time.

Two stages of preference learning: human labels warm the policy up, AI feedback goes on from there
with a constitution of which one principle is drawn for each label (as in arXiv 2212.08073). No
paper of that name states an algorithm that we could find: this is our formulation. Lee et al.
(arXiv 2309.00267) found no gain from mixing both sorts of labels in one reward model: expect small
gains at most, and measure against each stage alone at as many pairs (``stages=people`` and
``stages=judge``).

Deviations from the papers
1. Both stages fit the policy to the pairs (DPO); reports of large models fit a reward to one.
2. Each stage has an anchor of its own, the policy that it begins with: the second stage's KL is
   measured, and paid for, from the first stage's policy.
3. The second stage's pairs are the first stage's policy's own, drawn anew. People's labels from a
   file bring their own pairs.
4. A principle that sees no difference gives an even label, which says that there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Literal

from solon.errors import SettingError, TooManyFailures
from solon.judges.questions import pairs, preferences
from solon.records import Compare, PairJudgement, Preference
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Labels, PairJudge, Prompts, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer

Who = Literal["people", "judge"]


@dataclass(frozen=True, kw_only=True)
class Dual:
    """Prefer what people prefer, then what the judge does."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    labels: Spec[PairJudge]
    """People, or the labels that they gave: the first stage."""
    judge: Spec[PairJudge]
    """Who compares by principle: the second stage."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    stages: Literal["both", "people", "judge"] = "both"
    """Both stages, or one alone with all the pairs."""
    pairs: int = 1024
    """Pairs that are labelled, over all stages."""
    share: float = 0.5
    """Share of them that people label, where there are both stages."""
    spare: float = 0.1
    """Share of prompts drawn beyond the pairs, as completions of equal text are no pair."""
    people: Prefer = Prefer()
    """How people's labels are fitted."""
    ai: Prefer = Prefer()
    """How the judge's labels are fitted."""
    chunk: int = 256
    """Prompts or questions that become durable together."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise SettingError(f"share: expected more than 0 and less than 1, got {self.share}")

    def __call__(self, run: Run) -> Frozen:
        """Start, learn from people, go on with the judge."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        labels, judge = self.labels.open(run), self.judge.open(run)

        anchor = self.imitate.start(run, policy, self.demonstrations)

        for who, n in self.budget().items():
            labeller, fit = (labels, self.people) if who == "people" else (judge, self.ai)
            with run.stage(f"label-{who}"):
                questions = self.questions(run, who, labeller, anchor, prompts)[:n]
                data = self.labelled(run, who, labeller, questions)

            with run.stage(f"prefer-{who}"):
                fit(run, policy, data, prompts, anchor=anchor)
                anchor = policy.freeze()
                run.keep(who, anchor)

        run.keep("final", anchor)
        return anchor

    def budget(self) -> dict[Who, int]:
        """Pairs of each stage, in their order."""
        if self.stages != "both":
            return {self.stages: self.pairs}
        own = round(self.pairs * self.share)
        return {"people": own, "judge": self.pairs - own}

    def questions(
        self, run: Run, who: Who, labeller: PairJudge, policy: Frozen, prompts: Prompts
    ) -> list[Compare]:
        """Pairs of the present policy's completions, or those that people's labels bring."""
        if isinstance(labeller, Labels):
            return labeller.questions()
        draw = partial(policy.sample, n=2)
        wanted = prompts.take(ceil(self.budget()[who] * (1 + self.spare)))
        return pairs(run.map(f"groups-{who}", draw, wanted, chunk=self.chunk))

    def labelled(
        self, run: Run, who: Who, labeller: PairJudge, questions: Sequence[Compare]
    ) -> list[Preference]:
        """Preferences with soft labels; abstentions stay in the judgements and go no further."""
        judgements: list[PairJudgement] = run.map(
            f"judgements-{who}", labeller, questions, chunk=self.chunk
        )
        data = preferences(judgements)
        lacking, abstained = self.budget()[who] - len(questions), len(judgements) - len(data)
        even = sum(one.p == 0.5 for one in data)
        run.log(0, asked=len(judgements), abstained=abstained, even=even)
        run.save(f"preferences-{who}", data)
        if lacking:
            run.note(f"{lacking} pairs of {who} are lacking: raise spare, or bring more labels")
        if not data:
            raise TooManyFailures(
                f"label-{who}: none of {len(judgements)} judgements holds a preference"
            )
        return data
