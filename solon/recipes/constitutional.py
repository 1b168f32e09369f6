"""Constitutional AI: revise by principles and imitate, then label by principles and climb.

Bai et al., "Constitutional AI: Harmlessness from AI Feedback" (arXiv 2212.08073), figure 1. The
first phase is that of ``critique`` (SL-CAI). In the second (RL-CAI) a judge compares pairs of the
revised policy's answers to red-team prompts, by one principle drawn for each label; a reward is
fitted to these harmlessness labels and to people's helpfulness labels together; and the revised
policy climbs it on both sorts of prompts, under a KL penalty.

Deviations from the paper
1. The optimiser is RLOO unless ``reinforce.climb.objective`` says otherwise; the paper's is PPO.
2. ``reinforce.label.clamp`` holds for labels that a rationale came before, as in the paper; where
   both orders were asked, it holds for their mean.
3. Without people's labels (``labels``) the reward knows harmlessness only, which teaches evasion:
   the run says so.
4. Red-team prompts of the second phase are the next ones of the same source; when that runs out it
   begins again, so that prompts of the first phase come back.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.run.run import Run
from solon.seams.feedback import Demonstrations, PairJudge, Policy, Prompts, Spec
from solon.seams.learning import Frozen, Learner, RewardLearner
from solon.stages.imitate import Imitate
from solon.stages.reinforce import Asked, Reinforce
from solon.stages.self_revise import SelfRevise


@dataclass(frozen=True, kw_only=True)
class Constitutional:
    """Revise and imitate (SL-CAI), then judge, fit and climb (RL-CAI)."""

    red_team: Spec[Prompts]
    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    """Who compares by principle."""
    reward: Spec[RewardLearner]
    labels: Spec[PairJudge] | None = None
    """People's labels of helpfulness; none leaves the reward to harmlessness alone."""
    helpful: Spec[Policy] | None = None
    """Whose answers are revised; none takes the starting policy."""
    reviser: Spec[Policy] | None = None
    """Who criticises and revises; none is the helpful policy itself."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    revise: SelfRevise = SelfRevise()
    """The first phase."""
    reinforce: Reinforce = Reinforce()
    """The second."""

    def __call__(self, run: Run) -> Frozen:
        """Bai et al., figure 1: the upper half, then the lower one."""
        self.revise.words.law()  # a constitution without the words is refused before any work
        red_team, prompts = self.red_team.open(run), self.prompts.open(run)
        policy, judge = self.policy.open(run), self.judge.open(run)
        people = None if self.labels is None else self.labels.open(run)
        start = self.imitate.start(run, policy, self.demonstrations)
        helpful = start if self.helpful is None else self.helpful.open(run)
        reviser = helpful if self.reviser is None else self.reviser.open(run)

        revised = self.revise(
            run, policy, helpful=helpful, reviser=reviser, red_team=red_team, prompts=prompts
        )
        self.reinforce(
            run,
            policy,
            self.reward.open(run),
            start=revised,
            harmless=Asked(judge=judge, prompts=red_team),
            helpful=Asked(judge=people, prompts=prompts),
        )
        return policy.freeze()
