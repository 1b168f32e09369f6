"""Meta-Rewarding: one model answers, rates its answers, and judges its own ratings, again.

Wu et al., "Meta-Rewarding Language Models: Self-Improving Alignment with LLM-as-a-Meta-Judge"
(arXiv 2407.19594). As in self-rewarding M_t answers fresh prompts and rates each answer many times.
Actor pairs hold length down: chosen is the shortest completion of the top tier, rejected the
longest of the bottom one (rho: the tiers' width). Judge pairs: of the completion whose scores vary
most, M_t compares the judgements two by two in both orders; strengths from those wins, with the
favoured place counting less, give the judgement to prefer and the one to reject. DPO on both kinds
of pairs makes M_t+1; after a few rounds the judge is left alone, because it grows biased.

Deviations from the paper
1. The optimiser is AdamW whose rate stays after the warm-up; the authors let it fall as a cosine.
2. Besides the fixed number of rounds, the judge is left alone once its mean score of the *same*
   completions, those of round 1, has moved by more than ``drift``. The paper sees the mean rise
   on each round's own completions, where better answers rise too.
3. Judgements of the same wording are one, and only those with a score are compared.
4. A small ridge keeps the strengths finite: a judgement that wins always has no finite maximum.
5. Judgements whose two orders disagree stay: their wins meet in B.
6. The paper's first round has rho = 0 with completions up to 2,500 characters; here their length
   is the policy's own limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.judges.meta import Meta, omegas, questions, rivals, wins
from solon.judges.rubric import Rubric, level
from solon.objectives.adam import Adam
from solon.records import PairJudgement, Preference
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Prompts, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer
from solon.stages.self_judge import Rated, SelfJudge, report
from solon.stages.together import Together


@dataclass(frozen=True, kw_only=True)
class MetaRewarding:
    """Answer, rate oneself, judge one's ratings, learn both, round after round."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    demonstrations: Spec[Demonstrations] | None = None
    """Instruction data (IFT): answers to imitate."""
    evaluations: Spec[Demonstrations] | None = None
    """Evaluation data (EFT): judgements to imitate, as completions of the judge's own prompt."""

    imitate: Imitate = Imitate(batch=16, epochs=2, adam=Adam(lr=5.5e-6, warmup=10))
    iterations: int = 4
    """Rounds of preference learning."""
    rate: SelfJudge = SelfJudge(take=5000, n=7, rubric=Rubric(votes=11))
    meta: Meta = Meta()
    rho: tuple[float, ...] = (0.0, 0.32, 0.32, 0.4)
    """Width of the tiers in each round, as a share of the range of scores; the last one stays."""
    judge_rounds: int = 2
    """Rounds in which the judge learns too; 0 is self-rewarding with length control."""
    drift: float = 0.5
    """Steps of the scale by which the judge's mean score may move before it is left alone."""
    watch: int = 128
    """Completions of round 1 that are rated again in every round to measure the drift."""
    prefer: Prefer = Prefer(batch=32, epochs=10, adam=Adam(lr=5e-6, warmup=10))
    """How a round is fitted; the anchor is the model that gave the round's completions."""

    def __call__(self, run: Run) -> Frozen:
        """M_1, then a round for each further model."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)

        seed_data = Together.of(self.demonstrations, self.evaluations)
        model = self.imitate.start(run, policy, seed_data)
        run.keep("m1", model)

        first: list[Rated] = []
        steady = True
        for turn in range(1, self.iterations + 1):
            with run.stage(f"judge-{turn}"):
                rated = self.rate(run, turn, model, prompts.take(self.rate.take))
                first = first or rated
                moved = self.moved(run, turn, model, first)
                steady = steady and self.steady(run, turn, moved)
                actor = self.actor_pairs(rated, turn)
                judge = self.judge_pairs(run, turn, model, rated) if steady else []
                data = [*actor, *judge]
                run.save(f"preferences-{turn}", data)
                run.log(0, **report(run, rated, actor), judge_pairs=len(judge), drift=moved)

            with run.stage(f"prefer-{turn}"):
                if data:  # where all are ties the model stays as it is
                    self.prefer(run, policy, data, prompts, anchor=model)
                model = policy.freeze()
                run.keep(f"m{turn + 1}", model)

        run.keep("final", model)
        return model

    def actor_pairs(self, rated: Sequence[Rated], turn: int) -> list[Preference]:
        """One pair a prompt, its length held down."""
        rho = self.rho[min(turn, len(self.rho)) - 1]
        found = [one.pair(rho=rho) for one in rated]
        return [pair for pair in found if pair is not None]

    def steady(self, run: Run, turn: int, moved: float) -> bool:
        """Whether the judge may learn: in its rounds, and while its scores have not drifted."""
        if turn > self.judge_rounds:
            return False
        if abs(moved) > self.drift:
            run.note(f"round {turn}: the judge's mean score has moved by {moved:+.2f}; it rests")
            return False
        return True

    def moved(self, run: Run, turn: int, model: Frozen, first: Sequence[Rated]) -> float:
        """Mean score of round 1's completions by the present judge, less that by the first."""
        rows = [row for one in first for row in zip(one.completions, one.votes, strict=True)]
        rows = rows[: self.watch]
        if turn == 1 or not rows:
            return 0.0
        again = self.rate.votes(run, f"again-{turn}", model, [one for one, _ in rows])
        return level(again) - level([votes for _, votes in rows])

    def judge_pairs(
        self, run: Run, turn: int, model: Frozen, rated: Sequence[Rated]
    ) -> list[Preference]:
        """The best judgement over the worst, of the completions whose scores vary most."""
        judge, meta = self.rate.rubric.asker(model, run), self.meta.asker(model, run)
        disputes = [votes for one in rated for votes in self.meta.disputed(one.votes)]
        sides = [rivals(judge, votes) for votes in disputes]
        asked = [question for one in sides for question in questions(one)]
        said: list[PairJudgement] = run.map(f"meta-{turn}", meta, asked, chunk=1024)
        omega, rest = omegas(said), iter(said)
        found: list[Preference] = []
        for one in sides:
            own = [next(rest) for _ in questions(one)]
            pair = self.meta.preference(one, wins(one, own, omega))
            found += [pair] if pair is not None else []
        return found
