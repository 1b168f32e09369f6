"""Learning from marks: completions one by one, desirable or not, an objective, an anchor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from solon.errors import RunError
from solon.objectives.adam import Adam
from solon.objectives.unpaired import KTO
from solon.records import Mark
from solon.run.run import Run
from solon.seams.feedback import Prompts
from solon.seams.learning import Frozen, Learner, Scorer
from solon.stages.fit_reward import apart
from solon.stages.prefer import log_ratios, look
from solon.statistics import auc


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Fit a policy to marks."""

    batch: int = 64
    """Marks per update; the reference point is estimated from them, so a few are too few."""
    epochs: int = 1
    """Passes over the marks."""
    holdout: float = 0.1
    """Share of the marks kept aside to measure it; whole dialogues are kept aside."""
    balance: bool = False
    """Whether the rarer side's weight is raised until both sides weigh the same."""
    adam: Adam = Adam(lr=1e-6, warmup=150)
    """Optimiser."""
    objective: KTO = field(default_factory=KTO)
    """Loss."""
    probe: int = 64
    """Prompts whose sampled completions give KL and length; 0 samples none."""
    every: int = 50
    """Updates between two such looks; the last update is always looked at."""

    def __call__(
        self, run: Run, policy: Learner, data: Sequence[Mark], prompts: Prompts, *, anchor: Frozen
    ) -> None:
        """One update a batch, in shuffled order."""
        probes = prompts.take(self.probe) if self.probe else []
        held, kept = apart(
            data, lambda one: one.completion.prompt, self.holdout, seed=run.seed_for("holdout")
        )
        objective = balanced(self.objective, kept) if self.balance else self.objective
        policy.optimise(self.adam)
        drawn = run.batches(kept, self.batch, epochs=self.epochs)
        # a mark left alone at the end of a pass has no other's prompt for the reference point
        turns = [batch for batch in drawn if len(batch) > 1]
        for step, batch in run.steps(turns, policy):
            last = step + 1 == len(turns)
            metrics = dict(policy.fit_marks(batch, objective, anchor=anchor))
            if last or (step + 1) % self.every == 0:
                # the batch's own ``kl`` is the reference point; that of samples has a name apart
                seen = look(policy, anchor, probes, [])
                metrics |= {f"sampled_{k}" if k == "kl" else k: v for k, v in seen.items()}
                metrics |= told_apart(policy, anchor, held)
            run.log(step, **metrics)
            run.show(step, policy, last=last)


def balanced(objective: KTO, data: Sequence[Mark]) -> KTO:
    """Weights with lambda_D n_D = lambda_U n_U, the larger of them raised from what it was.

    Raises RunError where all marks are on one side.
    """
    good = sum(one.desirable for one in data)
    bad = len(data) - good
    if not good or not bad:
        side = "desirable" if good else "undesirable"
        raise RunError(f"approve.balance: expected marks of both sides, all {len(data)} are {side}")
    if good > bad:
        return replace(objective, undesirable=objective.undesirable * good / bad)
    return replace(objective, desirable=objective.desirable * bad / good)


def told_apart(policy: Scorer, anchor: Scorer, held: Sequence[Mark]) -> dict[str, float]:
    """How often a desirable mark has a greater log-ratio than an undesirable one, ties half."""
    good = [one.desirable for one in held]
    if not any(good) or all(good):
        return {}
    ratios = log_ratios(policy, anchor, [one.completion for one in held])
    return {"heldout_auc": auc(ratios, good), "heldout": float(len(held))}
