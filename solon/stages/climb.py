"""Reinforcement learning: sample, reward, update, under a KL penalty to an anchor."""

from __future__ import annotations

from dataclasses import dataclass, field

from solon.errors import SettingError, at_least
from solon.judges.questions import FailureLimit
from solon.objectives.adam import Adam
from solon.objectives.gradient import PolicyGradient
from solon.objectives.policy import RLOO
from solon.run.run import Run
from solon.seams.feedback import Prompts, Reward
from solon.seams.learning import Cutting, Frozen, Learner, RolloutObjective
from solon.stages.adaptive import AdaptiveKL
from solon.stages.staleness import staleness
from solon.stages.turns import Order, Turns
from solon.stages.unended import Unended


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

    max_unended: float = 0.5
    """Share of completions cut by the length limit, of the newest 200, above which the run says
    so; a guard's eos_rate can stop it."""
    ahead: int = 0
    """Batches that are sampled and rewarded while the policy learns from an earlier one; 0 is
    on-policy."""
    ahead_order: Order = "fixed"
    """Which batch is learnt from next, where some are ahead: the one whose turn it is (fixed), or
    the first that is rewarded (arrival)."""

    def __post_init__(self) -> None:
        at_least(self, steps=0, batch=1, group=1)
        compares = isinstance(self.objective, PolicyGradient) and self.objective.compares
        if compares and self.group < 2:
            raise SettingError(
                f"group: {type(self.objective).__name__} takes its baseline from a completion's "
                f"siblings: expected at least 2, got {self.group}"
            )

    def __call__(
        self, run: Run, policy: Learner, reward: Reward, prompts: Prompts, *, anchor: Frozen
    ) -> None:
        """A failed reward leaves its row out of the batch and out of its siblings' baseline.

        Raises SettingError where the policy samples less than its whole distribution.
        """
        if isinstance(policy, Cutting) and policy.cut:
            raise SettingError(
                f"{policy.cut}: expected samples of the whole distribution, whose "
                "log-probabilities a policy gradient and its KL are made of: "
                "top_p=1, top_k=0 and a temperature above 0"
            )
        policy.optimise(self.adam)
        failures, unended = FailureLimit(share=self.max_failed), Unended(share=self.max_unended)
        penalty = AdaptiveKL(target=self.kl_target, horizon=self.kl_horizon)
        with self._turns(run, policy, reward, prompts) as turns:
            for step, _ in run.steps(turns.batches, policy, penalty, *turns.parts):
                turn, found = turns.take(step)
                if found.unmeasured:  # kept also where they end the run: they say what went wrong
                    run.save("unmeasured", found.unmeasured, step=turn)
                failures.count(found)
                told = unended.count(rollout.completion for rollout in found.rollouts)
                if told:
                    run.note(told)
                stale = staleness(policy.id, found.rollouts) if self.ahead else {}
                objective = penalty.steered(self.objective)
                metrics = policy.fit_rollouts(found.rollouts, objective, anchor=anchor)
                penalty.saw(metrics.get("kl", 0.0), len(found.rollouts))
                run.log(step, **metrics, **stale, failed=found.failed)
                run.show(step, policy, last=step + 1 == self.steps)

    def _turns(self, run: Run, policy: Learner, reward: Reward, prompts: Prompts) -> Turns:
        wanted = prompts.take(self.batch * self.steps)
        if self.ahead and not _weighs(self.objective):
            run.note(
                f"ahead={self.ahead}: {type(self.objective).__name__} takes older weights' batches "
                "for its own, which biases it: climb.objective.importance=sequence corrects that"
            )
        return Turns(
            run=run,
            policy=policy,
            reward=reward,
            batches=[wanted[i : i + self.batch] for i in range(0, len(wanted), self.batch)],
            group=self.group,
            ahead=self.ahead,
            order=self.ahead_order,
        )


def _weighs(objective: RolloutObjective) -> bool:
    """Whether the loss is known to take account of who drew the batch."""
    return isinstance(objective, PolicyGradient) and objective.off_policy
