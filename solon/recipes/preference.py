"""Preference optimisation: label pairs with a judge, fit the policy to them, no reward model.

Rafailov et al., "Direct Preference Optimization" (arXiv 2305.18290), with AI labels or pairs that
people gave, and any pair objective in the place of DPO's: ``prefer.objective=ipo``. With labels
that are wrong now and then: cdpo, rdpo (arXiv 2403.00409), r3m (arXiv 2406.15568), trimmed,
nrdpo and nrdpo_gated (our formulation: only the abstract of the method is public).

Deviations from the papers
1. The optimiser is AdamW; the authors' code uses RMSprop.
2. Labels are soft: a pair of probability p counts p for one side and 1 - p for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.run.run import Run
from solon.seams.feedback import Demonstrations, PairJudge, Prompts, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate
from solon.stages.label import Label
from solon.stages.prefer import Prefer


@dataclass(frozen=True, kw_only=True)
class Preference:
    """Label pairs with a judge, fit the policy to them."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    label: Label = Label()
    prefer: Prefer = Prefer()

    def __call__(self, run: Run) -> Frozen:
        """Start, label, prefer."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        judge = self.judge.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("label"):
            data = self.label(run, judge, policy, prompts)

        with run.stage("prefer"):
            self.prefer(run, policy, data, prompts, anchor=start)
            run.keep("final", policy.freeze())
        return policy.freeze()
