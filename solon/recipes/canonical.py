"""Canonical RLAIF: AI labels, a reward model on their soft labels, RL with a KL penalty.

Lee et al., "RLAIF vs. RLHF: Scaling Reinforcement Learning from Human Feedback with AI Feedback"
(arXiv 2309.00267, ICML 2024), figure 1 from left to right. With labels that people gave as its
judge, the same file is RLHF.

Deviations from the paper
1. The default optimiser is RLOO (Ahmadian et al. 2024, arXiv 2402.14740), which needs no value
   network; ``climb.objective=reinforce`` with a value baseline is the paper's.
2. The KL coefficient is additive: r - 0.05 KL. ``climb.objective.kl.convex=true`` is the paper's
   (1 - 0.05) r - 0.05 KL.
3. The paper chooses among four checkpoints by an outside model's win rate and by hand; here the
   last step is the result, and the report shows every step that was watched.
4. The reward is shifted so that its mean over the labelled completions of the supervised policy
   is 0 ("The N implementation details of RLHF", detail 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.run.run import Run
from solon.seams.feedback import Demonstrations, PairJudge, Prompts, Spec
from solon.seams.learning import Frozen, Learner, RewardLearner
from solon.stages.climb import Climb
from solon.stages.fit_reward import FitReward
from solon.stages.imitate import Imitate
from solon.stages.label import Label


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """Label pairs with a judge, fit a reward model, climb it under a KL penalty."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    reward: Spec[RewardLearner]
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    label: Label = Label()
    fit_reward: FitReward = FitReward()
    climb: Climb = Climb()

    def __call__(self, run: Run) -> Frozen:
        """Lee et al., figure 1, left to right."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        judge, reward = self.judge.open(run), self.reward.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("label"):  # AI feedback -> preference data
            data = self.label(run, judge, policy, prompts)

        with run.stage("reward"):  # preference data -> reward model
            self.fit_reward(run, reward, start, data)

        with run.stage("climb"):  # reward model -> policy
            self.climb(run, policy, reward, prompts, anchor=start)
            run.keep("final", policy.freeze())
        return policy.freeze()
