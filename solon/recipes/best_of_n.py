"""Best-of-n: draw n, keep the one with the highest reward, and learn from the winners if asked.

Stiennon et al. 2020 (arXiv 2009.01325) and Nakano et al. 2021 (arXiv 2112.09332) as the yardstick
of RL; fitting the winners is rejection-sampling fine-tuning (RAFT, Dong et al. 2023, arXiv
2304.06767). KL(best-of-n || policy) <= log n - (n - 1)/n, with equality only without ties
(Beirami et al., arXiv 2401.01879).

Deviations from the papers
1. The reward model is fitted inside the run, from the judge's soft labels, as in canonical RLAIF.
2. The winners are fitted once, from the supervised weights; RAFT repeats the two steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.judges.questions import FailureLimit, rewarded
from solon.objectives.bestofn import kl_bound, win_bound
from solon.records import Completion, Prompt, Rollout
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, PairJudge, Prompts, Spec
from solon.seams.learning import Frozen, Learner, RewardLearner
from solon.stages.fit_reward import FitReward
from solon.stages.imitate import Imitate
from solon.stages.label import Label


@dataclass(frozen=True, kw_only=True)
class BestOfN:
    """Keep the best of n by a reward model, then imitate the winners."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    reward: Spec[RewardLearner]
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    n: int = 16
    """Completions drawn of each prompt."""
    take: int = 512
    """Prompts whose best completion is kept."""
    imitate: Imitate = Imitate()
    label: Label = Label()
    fit_reward: FitReward = FitReward()
    distil: Imitate = Imitate()
    """How the winners are fitted; ``distil.epochs=0`` leaves the policy as it is."""
    max_failed: float = 0.1
    """Share of failed rewards, over the newest 200, at which the run stops."""

    def __call__(self, run: Run) -> Frozen:
        """Label, fit a reward, draw n and keep the best, imitate it."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        judge, reward = self.judge.open(run), self.reward.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("label"):
            data = self.label(run, judge, policy, prompts)

        with run.stage("reward"):
            self.fit_reward(run, reward, start, data)

        with run.stage("best"):
            failures = FailureLimit(share=self.max_failed)

            def measured(batch: Sequence[Prompt]) -> list[Rollout]:
                groups = policy.sample(batch, n=self.n)
                return failures.count(rewarded(groups, reward)).rollouts

            rollouts: list[Rollout] = run.map("candidates", measured, prompts.take(self.take))
            winners = best(rollouts)
            run.log(0, n=self.n, kl_bound=kl_bound(self.n), win_bound=win_bound(self.n))

        with run.stage("distil"):
            self.distil(run, policy, winners)
            run.keep("final", policy.freeze())
        return policy.freeze()


def best(rollouts: Sequence[Rollout]) -> list[Completion]:
    """The completion with the highest reward of each prompt; the first drawn of equals."""
    found: dict[str, Rollout] = {}
    for rollout in rollouts:
        name = rollout.completion.prompt.id
        if name not in found or rollout.reward > found[name].reward:
            found[name] = rollout
    return [rollout.completion for rollout in found.values()]
