"""Supervised fine-tuning: imitate demonstrations, or continue plain text, by likelihood.

The supervised start of RLHF and RLAIF pipelines (Ouyang et al. 2022, arXiv 2203.02155). Prompts are
masked, EOS is trained, the loss is the mean over completion tokens.

Deviations: none.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """Imitate demonstrations."""

    policy: Spec[Learner]
    demonstrations: Spec[Demonstrations]
    take: int = 0
    """Demonstrations used; 0 takes all."""
    imitate: Imitate = Imitate()

    def __call__(self, run: Run) -> Frozen:
        """Take the demonstrations, fit them."""
        policy = self.policy.open(run)
        texts = self.demonstrations.open(run).demonstrate(self.take)

        with run.stage("supervised"):
            self.imitate(run, policy, texts)
            run.keep("final", policy.freeze())
        return policy.freeze()
