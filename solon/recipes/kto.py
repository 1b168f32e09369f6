"""KTO: learn from completions marked one by one, desirable or not, without pairs.

Ethayarajh et al., "KTO: Model Alignment as Prospect Theoretic Optimization" (arXiv 2402.01306).
Marks come from a file, or from a judge's pairs, each of which becomes two marks.

Deviations from the paper
1. The reference point is estimated from the batch, as in the authors' code: every completion under
   another one's prompt. The paper's text takes the expectation over the whole of the data.
2. A pair's probability decides its sides and is then forgotten; a tie marks nothing.
3. Batches are shuffled marks: the two of one pair need not meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.judges.marks import marks_of
from solon.records import Mark
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, PairJudge, Prompts, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.approve import Approve
from solon.stages.imitate import Imitate
from solon.stages.label import Label


@dataclass(frozen=True, kw_only=True)
class Kto:
    """Mark completions, fit the policy to the marks."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    marks: Spec[Sequence[Mark]] | None = None
    """Marks that someone gave; none asks the judge about pairs."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    label: Label = Label()
    approve: Approve = Approve()

    def __call__(self, run: Run) -> Frozen:
        """Start, mark, approve."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("label"):
            data = self.mark(run, policy, prompts)
            run.save("marks", data)

        with run.stage("approve"):
            self.approve(run, policy, data, prompts, anchor=start)
            run.keep("final", policy.freeze())
        return policy.freeze()

    def mark(self, run: Run, policy: Learner, prompts: Prompts) -> list[Mark]:
        """The marks that were given, or the judge's pairs as marks."""
        if self.marks is not None:
            return list(self.marks.open(run))
        return marks_of(self.label(run, self.judge.open(run), policy, prompts))
