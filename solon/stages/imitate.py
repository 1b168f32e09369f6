"""Imitation: next-token likelihood of completions, over shuffled batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.records import Completion
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Spec
from solon.seams.learning import Frozen, Learner, TextObjective


@dataclass(frozen=True, kw_only=True)
class Imitate:
    """Fit completions by likelihood."""

    batch: int = 32
    """Completions per update."""
    epochs: int = 1
    """Passes over the completions."""
    adam: Adam = Adam(lr=1e-5, warmup=10)
    """Optimiser."""
    objective: TextObjective = field(default_factory=NLL)
    """Loss."""

    def __call__(
        self, run: Run, policy: Learner, texts: Sequence[Completion], *, watched: bool = True
    ) -> None:
        """One update a batch; the policy is shown after each where it is to be ``watched``."""
        policy.optimise(self.adam)
        turns = run.batches(texts, self.batch, epochs=self.epochs)
        for step, batch in run.steps(turns, policy):
            run.log(step, **policy.fit_texts(batch, self.objective))
            if watched:
                run.show(step, policy, last=step + 1 == len(turns))

    def start(
        self, run: Run, policy: Learner, demonstrations: Spec[Demonstrations] | None
    ) -> Frozen:
        """The supervised start that preference learning departs from, kept as ``sft``; the policy
        as it comes where there are no demonstrations.
        """
        with run.stage("supervised"):
            if demonstrations is not None:
                self(run, policy, demonstrations.open(run).demonstrate())
            start = policy.freeze()
            run.keep("sft", start)
        return start
