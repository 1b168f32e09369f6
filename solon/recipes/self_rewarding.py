"""Self-Rewarding: one model answers, rates its own answers, learns from best and worst, again.

Yuan et al., "Self-Rewarding Language Models" (arXiv 2401.10020, ICML 2024). M_1 is taught to answer
(IFT) and to judge (EFT) in one set. In each round M_t draws n completions of fresh prompts, the
same M_t rates each one several times by an additive rubric, and the means decide: the highest is
chosen, the lowest rejected, ties are dropped. DPO from M_t, with M_t as the anchor, makes M_t+1.

Deviations from the paper
1. The optimiser is AdamW whose rate stays after the warm-up; the authors let it fall, and stop
   early by another judge's verdict, which would be outside help.
2. Prompts come from a source, or from the policy's own M_1 (``invent``); the paper's are written
   by a larger chat model.
3. A vote that cannot be read is no vote, and a completion without one is in no pair.
4. A pair whose two texts are the same is dropped like a tie.
5. The evaluations are filtered where they come from, by ranks that people gave: the recipe sees
   none of these.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.objectives.adam import Adam
from solon.records import Preference, Prompt
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Prompts, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate
from solon.stages.invent import Invent
from solon.stages.prefer import Prefer
from solon.stages.self_judge import SelfJudge, report
from solon.stages.together import Together


@dataclass(frozen=True, kw_only=True)
class SelfRewarding:
    """Answer, rate oneself, prefer the best to the worst, round after round."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    demonstrations: Spec[Demonstrations] | None = None
    """Instruction data (IFT): answers to imitate."""
    evaluations: Spec[Demonstrations] | None = None
    """Evaluation data (EFT): judgements to imitate, as completions of the judge's own prompt."""

    imitate: Imitate = Imitate(batch=16, epochs=2, adam=Adam(lr=5.5e-6, warmup=10))
    iterations: int = 3
    """Rounds of preference learning: the paper's M_2 and M_3 are two."""
    rate: SelfJudge = SelfJudge()
    invent: Invent = Invent()
    prefer: Prefer = Prefer(batch=16, adam=Adam(lr=1e-6, warmup=10))
    """How a round is fitted; the anchor is the model that gave the round's completions."""

    def __call__(self, run: Run) -> Frozen:
        """M_1, then a round for each further model."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)

        seed_data = Together.of(self.demonstrations, self.evaluations)
        first = model = self.imitate.start(run, policy, seed_data)
        run.keep("m1", model)

        for turn in range(1, self.iterations + 1):
            with run.stage(f"judge-{turn}"):
                asked = self.invent(run, turn, first, prompts.take(self.rate.take))
                data = self.labelled(run, turn, model, asked)

            with run.stage(f"prefer-{turn}"):
                if data:  # where all are ties the model stays as it is
                    self.prefer(run, policy, data, prompts, anchor=model)
                model = policy.freeze()
                run.keep(f"m{turn + 1}", model)

        run.keep("final", model)
        return model

    def labelled(self, run: Run, turn: int, model: Frozen, asked: list[Prompt]) -> list[Preference]:
        """The best over the worst of each prompt, by the model itself."""
        rated = self.rate(run, turn, model, asked)
        found = [one.pair() for one in rated]
        data = [pair for pair in found if pair is not None]
        run.save(f"preferences-{turn}", data)
        run.log(0, **report(run, rated, data))
        return data
