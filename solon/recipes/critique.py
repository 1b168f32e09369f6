"""SL-CAI: a policy imitates answers that a helpful-only policy revised by principles.

Bai et al., "Constitutional AI: Harmlessness from AI Feedback" (arXiv 2212.08073), section 3. A
helpful-only policy answers red-team prompts at temperature 1, criticises its answer by a principle
and writes it again, turn by turn with a principle drawn anew; then the *starting* policy, not the
helpful-only one, imitates the revisions of all turns and helpful answers.

Deviations from the paper
1. A critique may find nothing wrong; such an answer is left as it is in that turn.
2. A critique or revision that is empty, cut off, mixes the roles, or changes nothing is kept as a
   record with its reason, counted, and not learnt; the next turn goes on from the answer before.
3. An answer that was cut off is not revised.
4. Learning rate and batch are the bench's, not half the rate of a pretraining.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Policy, Prompts, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate
from solon.stages.self_revise import SelfRevise


@dataclass(frozen=True, kw_only=True)
class Critique:
    """Answer, criticise, revise, imitate."""

    red_team: Spec[Prompts]
    prompts: Spec[Prompts]
    policy: Spec[Learner]
    helpful: Spec[Policy] | None = None
    """Whose answers are revised; none takes the starting policy."""
    reviser: Spec[Policy] | None = None
    """Who criticises and revises; none is the helpful policy itself."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    revise: SelfRevise = SelfRevise()

    def __call__(self, run: Run) -> Frozen:
        """Bai et al., figure 1, the upper half."""
        self.revise.words.law()  # a constitution without the words is refused before any work
        red_team, prompts = self.red_team.open(run), self.prompts.open(run)
        policy = self.policy.open(run)
        start = self.imitate.start(run, policy, self.demonstrations)
        helpful = start if self.helpful is None else self.helpful.open(run)
        reviser = helpful if self.reviser is None else self.reviser.open(run)

        revised = self.revise(
            run, policy, helpful=helpful, reviser=reviser, red_team=red_team, prompts=prompts
        )
        run.keep("final", revised)
        return revised
