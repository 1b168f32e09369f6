"""Reinforcement learning: sample, reward, update, under a KL penalty to an anchor."""

from __future__ import annotations

from dataclasses import dataclass, field

from solon.judges.questions import FailureLimit, rewarded
from solon.objectives.adam import Adam
from solon.objectives.policy import RLOO
from solon.run.run import Run
from solon.seams.feedback import Prompts, Reward
from solon.seams.learning import Frozen, Learner, RolloutObjective
from solon.stages.adaptive import AdaptiveKL


@dataclass(frozen=True, kw_only=True)
class Climb:
    """Climb a reward with the policy."""

    steps: int = 200
    """Batches of prompts."""
    batch: int = 32
    """Prompts per batch."""
    group: int = 4
    """Completions drawn of each prompt: the baseline is over them."""
    adam: Adam = Adam(lr=1e-6, warmup=10, eps=1e-5)
    """Optimiser."""
    objective: RolloutObjective = field(default_factory=RLOO)
    """Loss, with its KL penalty."""
    kl_target: float = 0.0
    """Nats of KL that the penalty's coefficient is steered to; 0 keeps the coefficient fixed."""
    kl_horizon: int = 10_000
    """Episodes over which the coefficient is steered."""
    max_failed: float = 0.1
    """Share of failed rewards, over the newest 200, at which the run stops."""

    def __call__(
        self, run: Run, policy: Learner, reward: Reward, prompts: Prompts, *, anchor: Frozen
    ) -> None:
        """A failed reward leaves its row out of the batch and out of its siblings' baseline."""
        policy.optimise(self.adam)
        failures = FailureLimit(share=self.max_failed)
        penalty = AdaptiveKL(target=self.kl_target, horizon=self.kl_horizon)
        wanted = prompts.take(self.batch * self.steps)
        turns = [wanted[i : i + self.batch] for i in range(0, len(wanted), self.batch)]
        for step, batch in run.steps(turns, policy, penalty):
            groups = policy.sample(batch, n=self.group)
            found = rewarded(groups, reward)
            if found.unmeasured:  # kept also where they end the run: they say what went wrong
                run.save("unmeasured", found.unmeasured, step=step)
            failures.count(found)
            objective = penalty.steered(self.objective)
            metrics = policy.fit_rollouts(found.rollouts, objective, anchor=anchor)
            penalty.saw(metrics.get("kl", 0.0), len(found.rollouts))
            run.save("rollouts", found.rollouts, step=step)
            run.log(step, **metrics, failed=found.failed)
            run.show(step, policy, last=step + 1 == self.steps)
