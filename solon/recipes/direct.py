"""Direct RLAIF: the judge's expected score is the reward; no reward model, no preference data.

Lee et al. (arXiv 2309.00267, section 2.2.2 and appendix D). The judge gives a distribution over
1..10; its mean, moved to [-1, 1], is the reward, measured on the policy's current completions.

Deviations from the paper
1. The default optimiser is RLOO; group-normalised advantages (GRPO) would blow up the small
   variance of judges that say 7 or 8 to everything.
2. The map (s - 5.5) / 4.5 is our reading of "normalised to [-1, 1]".
3. The KL coefficient is additive (see canonical).
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Prompts, Reward, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.climb import Climb
from solon.stages.imitate import Imitate


@dataclass(frozen=True, kw_only=True)
class Direct:
    """Climb the judge's own score."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    scorer: Spec[Reward]
    """The judge's score as a reward."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    climb: Climb = Climb()

    def __call__(self, run: Run) -> Frozen:
        """A supervised start, then one call of the judge per rollout."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        scorer = self.scorer.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("climb"):
            self.climb(run, policy, scorer, prompts, anchor=start)
            run.keep("final", policy.freeze())
        return policy.freeze()
