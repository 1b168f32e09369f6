"""Online preference optimisation: in each step draw pairs, ask the judge, learn from the answer.

Guo et al., "Direct Language Model Alignment from Online AI Feedback" (OAIF, arXiv 2402.04792):
the pairs are the present policy's own, so that the data never go stale. Any pair objective.

Deviations from the paper
1. The judge's probability is kept as a soft label; the paper takes the likelier completion.
2. A judgement that abstains is no pair; more of them than ``max_failed`` end the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from solon.judges.questions import FailureLimit, pairs, preferences
from solon.objectives.adam import Adam
from solon.objectives.pairwise import DPO
from solon.records import Abstains, PairJudgement
from solon.run.run import Run, memory
from solon.seams.feedback import Demonstrations, PairJudge, Prompts, Spec
from solon.seams.learning import Frozen, Learner, PairObjective
from solon.stages.imitate import Imitate
from solon.stages.prefer import look


@dataclass(frozen=True, kw_only=True)
class OnlinePreference:
    """Draw pairs, judge them, learn from them, step by step."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    steps: int = 200
    """Batches of prompts."""
    batch: int = 32
    """Prompts per batch."""
    siblings: int = 2
    """Completions drawn of each prompt; every pair of them is judged."""
    adam: Adam = Adam(lr=1e-6, warmup=10)
    """Optimiser."""
    objective: PairObjective = field(default_factory=DPO)
    """Loss."""
    probe: int = 64
    """Prompts whose sampled completions give KL and length; 0 samples none."""
    every: int = 50
    """Steps between two such looks; the last step is always looked at."""
    max_failed: float = 0.1
    """Share of abstentions, over the newest 200 judgements, at which the run stops."""

    def __call__(self, run: Run) -> Frozen:
        """Start, then draw, judge and learn in every step."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        judge = self.judge.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("online"):
            self.learn(run, policy, judge, prompts, start)
            run.keep("final", policy.freeze())
        return policy.freeze()

    def learn(
        self, run: Run, policy: Learner, judge: PairJudge, prompts: Prompts, start: Frozen
    ) -> None:
        """One update a step; a step whose judgements all abstain teaches nothing and says so."""
        policy.optimise(self.adam)
        failures = FailureLimit(share=self.max_failed)
        probes = prompts.take(self.probe) if self.probe else []
        wanted = prompts.take(self.batch * self.steps)
        turns = [wanted[i : i + self.batch] for i in range(0, len(wanted), self.batch)]
        for step, batch in run.steps(turns, policy, *memory(judge)):
            judgements = judge(pairs(policy.sample(batch, n=self.siblings)))
            failures.note((_failed(one) for one in judgements), of="judgements")
            data = preferences(judgements)
            metrics = dict(policy.fit_pairs(data, self.objective, anchor=start)) if data else {}
            last = step + 1 == self.steps
            if last or (step + 1) % self.every == 0:
                metrics |= look(policy, start, probes, [])
            run.save("judgements", judgements, step=step)
            run.save("preferences", data, step=step)
            run.log(step, **metrics, asked=len(judgements), abstained=len(judgements) - len(data))
            run.show(step, policy, last=last)


def _failed(judgement: PairJudgement) -> str:
    return judgement.answer.reason if isinstance(judgement.answer, Abstains) else ""
