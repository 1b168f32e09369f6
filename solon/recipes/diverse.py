"""Diverse AI feedback: a critique where the policy is sure, else a better answer, or a comparison.

Yu et al., "Diverse AI Feedback" (DAIF, TACL 2025, first as CDF, arXiv 2310.06450). An answer is
drawn for each prompt, and the prompts fall into thirds by the policy's uncertainty of it:

    low      critique      the teacher says what is wrong, the policy revises    revised > answer
    medium   refinement    the teacher writes the better answer                  refined > answer
    high     preference    a stronger rival answers too, the teacher compares    by its judgement

All become ordinary pairs, which know nothing of their kind. The paper's templates, thresholds and
figures are not public in what we could read: those here are our formulation.

Deviations from the paper
1. The pairs are fitted by DPO; ``by=reward`` is the paper's reward model and reinforcement.
2. The answer is the likeliest by the token of ``draws`` completions, not a greedy one: a policy is
   sampled at its own temperature.
3. An answer in which the critic finds no fault is not revised. A revision, a refinement or a
   rival's answer that repeats the answer is no pair; nor is what the teacher abstains from or what
   was cut off. Prompts are drawn in excess (``spare``) and each kind is cut to its share of
   ``pairs``, so that kinds and arms are compared at equal numbers.
4. A critique and a refinement are certain labels (p = 1), a judgement keeps its probability.
5. Without a rival the second answer is the policy's own next draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Literal

from numpy.random import default_rng

from solon.errors import SettingError, TooManyFailures
from solon.judges.critic import Rewriter
from solon.judges.questions import FailureLimit
from solon.records import Completion, Preference, Prompt, ScoreJudgement, Scores
from solon.run.run import Run
from solon.seams.feedback import Critic, Demonstrations, PairJudge, Policy, Prompts, Spec
from solon.seams.learning import Frozen, Learner, RewardLearner
from solon.stages.climb import Climb
from solon.stages.fit_reward import FitReward
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer
from solon.stages.teaching import Kind, Second, Teaching
from solon.stages.uncertainty import By, Uncertainty, thirds
from solon.text.template import Template

KINDS: tuple[Kind, ...] = ("critique", "refinement", "preference")


@dataclass(frozen=True, kw_only=True)
class Diverse:
    """Give each answer the kind of feedback that the policy's uncertainty of it asks for."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    critic: Spec[Critic]
    rival: Spec[Policy] | None = None
    """Whose answers are compared with the policy's; none takes the policy's own next draw."""
    reward: Spec[RewardLearner] | None = None
    """What learns the pairs where ``by=reward``."""
    revised: Spec[Demonstrations] | None = None
    """What the supervised start imitates, some of it revisions; none takes the policy as it is."""

    imitate: Imitate = Imitate()
    pairs: int = 1024
    """Pairs learnt from, over all kinds."""
    spare: float = 0.5
    """Share of prompts drawn beyond the pairs, for what comes to no pair."""
    draws: int = 1
    """Completions drawn of each prompt; the likeliest by the token is its answer."""
    uncertainty: By = "perplexity"
    """What sorts the prompts: of the answer, or of all draws."""
    assign: Literal["uncertainty", "reversed", "random", "critique", "refinement", "preference"] = (
        "uncertainty"
    )
    """Which third gets which kind: by uncertainty, the other way round, at random, or one kind."""
    revise: str = "critique/revise"
    """Words in which the policy is asked to revise: a packaged name, or a path that ends in .md."""
    by: Literal["preference", "reward"] = "preference"
    """Whether the policy learns from the pairs itself or climbs a reward fitted to them."""
    prefer: Prefer = Prefer()
    fit_reward: FitReward = FitReward()
    climb: Climb = Climb()
    chunk: int = 256
    """Prompts or questions that become durable together."""
    max_failed: float = 0.1
    """Share of the teacher's abstentions, over the newest 200, at which the run stops."""

    def __call__(self, run: Run) -> Frozen:
        """Answer, sort by uncertainty, give each third its feedback, learn from the pairs."""
        self._check()
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        critic, judge = self.critic.open(run), self.judge.open(run)
        rival = None if self.rival is None else self.rival.open(run)

        start = self.imitate.start(run, policy, self.revised)

        with run.stage("answer"):  # prompts -> answers, with the policy's uncertainty of each
            answers, values = self.answered(run, start, prompts)

        with run.stage("feedback"):  # answers -> pairs of three kinds
            kinds = assigned(self.assign, values, seed=run.seed_for("assign"))
            teaching = Teaching(
                run=run,
                critic=critic,
                judge=judge,
                rewriter=Rewriter(policy=start, template=Template.load(self.revise)),
                second=self.second(start, rival),
                failures=FailureLimit(share=self.max_failed),
                chunk=self.chunk,
            )
            data = self.taught(run, teaching, list(zip(answers, values, kinds, strict=True)))

        self.learn(run, policy, data, prompts, start)
        run.keep("final", policy.freeze())
        return policy.freeze()

    def _check(self) -> None:
        if self.uncertainty != "perplexity" and self.draws < 2:
            raise SettingError(
                f"draws: expected at least 2 for uncertainty={self.uncertainty}, got {self.draws}"
            )
        if self.by == "reward" and self.reward is None:
            raise SettingError("by=reward: expected a reward to fit, and there is none")

    def answered(
        self, run: Run, start: Frozen, prompts: Prompts
    ) -> tuple[list[Completion], list[float]]:
        """(answers, how uncertain the policy is of each); a call that failed is no answer."""
        measure = Uncertainty(policy=start, by=self.uncertainty)

        def work(batch: Sequence[Prompt]) -> list[ScoreJudgement]:
            groups = start.sample(batch, n=self.draws)
            return measure(groups)

        wanted = prompts.take(ceil(self.pairs * (1 + self.spare)))
        judged: list[ScoreJudgement] = run.map("answers", work, wanted, chunk=self.chunk)
        rows = [
            (one.question.completion, one.answer.value)
            for one in judged
            if isinstance(one.answer, Scores) and one.question.completion.finish != "filter"
        ]
        return [answer for answer, _ in rows], [value for _, value in rows]

    def second(self, start: Frozen, rival: Policy | None) -> Second:
        """Whose answers are compared with the policy's own."""
        if rival is not None:
            return lambda batch: [one.completions[0] for one in rival.sample(batch)]
        # asked for as many, the policy would give the same completions again
        n = self.draws + 1
        return lambda batch: [one.completions[-1] for one in start.sample(batch, n=n)]

    def taught(
        self, run: Run, teaching: Teaching, rows: Sequence[tuple[Completion, float, Kind]]
    ) -> list[Preference]:
        """As many pairs of each kind as of any other, and what they cost."""
        used: list[Kind] = [kind for kind in KINDS if any(its == kind for _, _, its in rows)]
        wanted, metrics = self.pairs // max(1, len(used)), dict[str, float]()
        data: list[Preference] = []
        for kind in used:
            asked = [(answer, value) for answer, value, its in rows if its == kind]
            found = teaching(kind, [answer for answer, _ in asked])
            kept = found.data[:wanted]
            run.save(f"preferences-{kind}", kept)
            metrics |= {f"{kind}_{name}": count for name, count in found.counts.items()}
            metrics[f"{kind}_uncertainty"] = fmean(value for _, value in asked)
            data += kept
        run.log(0, **metrics, learnt=len(data))
        lacking = wanted * len(used) - len(data)
        if lacking:
            run.note(f"{lacking} pairs are lacking: too much came to no pair; raise spare")
        if not data:
            raise TooManyFailures("feedback: no answer came to a pair")
        return data

    def learn(
        self,
        run: Run,
        policy: Learner,
        data: Sequence[Preference],
        prompts: Prompts,
        start: Frozen,
    ) -> None:
        """From the pairs, or by a reward that is fitted to them."""
        if self.by == "preference":
            with run.stage("prefer"):
                self.prefer(run, policy, data, prompts, anchor=start)
            return
        assert self.reward is not None, "checked at the start"
        reward = self.reward.open(run)
        with run.stage("reward"):
            self.fit_reward(run, reward, start, data)
        with run.stage("climb"):
            self.climb(run, policy, reward, prompts, anchor=start)


def assigned(assign: str, values: Sequence[float], *, seed: int) -> list[Kind]:
    """The kind of feedback of each answer; ``random`` deals out as many of each kind as thirds."""
    places = thirds(values)
    match assign:
        case "uncertainty":
            return [KINDS[place] for place in places]
        case "reversed":
            return [KINDS[2 - place] for place in places]
        case "random":
            dealt = default_rng(seed).permutation(places)
            return [KINDS[place] for place in dealt]
        case _:
            return [kind for kind in KINDS if kind == assign] * len(values)
