"""CREAM: the policy ranks its own completions, and learns as much as its former self agrees.

Wang et al., "CREAM: Consistency Regularized Self-Rewarding Language Models" (arXiv 2410.12735, ICLR
2025), algorithm 1. M_0 is the policy before seed data, M_1 after. In each round M_t draws n
completions of fresh prompts and ranks them (J) by r = log M_t - log M_0, M_{t-1} ranks them too
(K); tau is their Kendall correlation, C = mean (tau + 1) / 2, and M_{t+1} is fitted from M_t to
C DPO(best > worst) + (1 - C) DPO(worst > best): a soft label p = C. ``consistency=off`` is
self-rewarding by the same reward without the consistency (p = 1), the paper's SRLM.

Deviations from the paper
1. The optimiser is AdamW whose rate stays after the warm-up; the authors let it fall as a cosine.
2. C below 1/2 is taken as 1/2, from which nothing is learnt: the formula would learn from labels
   turned round.
3. Equal rewards are ties (tau-b); the authors break them by the order drawn, which agrees with
   itself. A prompt without a tau counts in no mean.
4. Ranks of one completion are paired by the completion. The authors' script lines up a list of
   rates with a set of prompts, of which some were skipped.
5. Without seed data M_1 is M_0: the first round ranks by likelihood and agrees with itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from statistics import fmean
from typing import Literal

from solon.judges.pairing import best_and_worst
from solon.objectives.adam import Adam
from solon.records import (
    Completion,
    Group,
    Judgement,
    Preference,
    Rate,
    ScoreJudgement,
    Scores,
    flat,
)
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Metrics, Prompts, ScoreJudge, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer, log_ratios
from solon.statistics import kendall


@dataclass(frozen=True, kw_only=True)
class Implicit:
    """DPO's implicit reward as a judge: log model - log reference of a completion, in nats.

    A model that is its own reference has no such reward: it is the mean token log-probability
    then, as in the authors' code for M_0.
    """

    model: Frozen
    reference: Frozen

    @property
    def id(self) -> str:
        return f"{self.model.id} over {self.reference.id}"

    def __call__(self, questions: Sequence[Rate], /) -> list[ScoreJudgement]:
        texts = [one.completion for one in questions]
        return [
            Judgement(question=question, answer=Scores(value=value), judge=self.id)
            for question, value in zip(questions, self._rewards(texts), strict=True)
        ]

    def _rewards(self, texts: Sequence[Completion]) -> list[float]:
        if self.model.id != self.reference.id:
            return log_ratios(self.model, self.reference, texts)
        sums, tokens = self.model.logp(texts), self.model.lengths(texts)
        return [logp / max(1, n) for logp, n in zip(sums, tokens, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Completions of one prompt, with their rewards by the present and by the former model."""

    completions: tuple[Completion, ...]
    now: tuple[float, ...]
    before: tuple[float, ...]

    @classmethod
    def of(
        cls, group: Group, now: Mapping[Completion, float], before: Mapping[Completion, float]
    ) -> Ranked:
        """Rewards are found by the completion itself, never by where it stands."""
        texts = group.completions
        return cls(
            completions=texts,
            now=tuple(now[one] for one in texts),
            before=tuple(before[one] for one in texts),
        )

    @property
    def tau(self) -> float:
        """Kendall's tau-b of the two; nan where either ranks all alike."""
        return kendall(self.now, self.before)


@dataclass(frozen=True, kw_only=True)
class Cream:
    """Rank one's own completions, learn from best and worst by the consistency of two rounds."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    demonstrations: Spec[Demonstrations] | None = None
    """What makes M_0; none takes the policy as it comes: pretrained."""
    seed_data: Spec[Demonstrations] | None = None
    """What makes M_1 of M_0."""

    imitate: Imitate = Imitate()
    teach: Imitate = Imitate(epochs=5, adam=Adam(lr=5e-6, warmup=10))
    """How the seed data are fitted."""
    iterations: int = 2
    """Rounds, each on fresh prompts."""
    take: int = 1024
    """Prompts per round."""
    n: int = 5
    """Completions drawn of each prompt, and ranked."""
    prefer: Prefer = Prefer(adam=Adam(lr=1e-6, warmup=10, weight_decay=0.01))
    """How the best and worst are fitted."""
    consistency: Literal["set", "sample", "off"] = "set"
    """Whose C a pair's label is: that of the round, its own prompt's, or none's (p = 1)."""

    def __call__(self, run: Run) -> Frozen:
        """M_0, M_1, then a round for each further model."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)

        reference = self.imitate.start(run, policy, self.demonstrations)  # M_0
        with run.stage("teach"):
            if self.seed_data is not None:
                self.teach(run, policy, self.seed_data.open(run).demonstrate())
            earlier, model = reference, policy.freeze()
            run.keep("m1", model)

        for turn in range(1, self.iterations + 1):
            with run.stage(f"rank-{turn}"):
                groups = self.drawn(run, turn, model, prompts)
                ranked = self.ranked(run, turn, groups, self.judges(model, earlier, reference))
                data = self.labelled(run, ranked)
                run.save(f"preferences-{turn}", data)

            with run.stage(f"prefer-{turn}"):
                self.prefer(run, policy, data, prompts, anchor=model)
                earlier, model = model, policy.freeze()
                run.keep(f"m{turn + 1}", model)

        run.keep("final", model)
        return model

    def judges(
        self, model: Frozen, earlier: Frozen, reference: Frozen
    ) -> tuple[ScoreJudge, ScoreJudge]:
        """Whose ranks are J, and whose K."""
        now = Implicit(model=model, reference=reference)
        return now, Implicit(model=earlier, reference=reference)

    def drawn(self, run: Run, turn: int, model: Frozen, prompts: Prompts) -> list[Group]:
        """n completions of each of the round's prompts."""
        draw = partial(model.sample, n=self.n)
        return run.map(f"groups-{turn}", draw, prompts.take(self.take))

    def ranked(
        self, run: Run, turn: int, groups: Sequence[Group], judges: tuple[ScoreJudge, ScoreJudge]
    ) -> list[Ranked]:
        """Each group with the rewards of both judges."""
        questions = [Rate(completion=one) for one in flat(groups)]
        now = rewards(run.map(f"ranks-{turn}", judges[0], questions))
        before = rewards(run.map(f"ranks-{turn}-earlier", judges[1], questions))
        return [Ranked.of(group, now, before) for group in groups]

    def labelled(self, run: Run, ranked: Sequence[Ranked]) -> list[Preference]:
        """Best over worst of each prompt by J, with the consistency as its label."""
        rate = rated([one.tau for one in ranked])
        data = [self.label(one, rate) for one in ranked]
        found = [one for one in data if one is not None]
        run.log(
            0,
            tau=2 * rate - 1,
            consistency=rate,
            untold=sum(isnan(one.tau) for one in ranked),
            tied=len(data) - len(found),
            **sizes(found),
        )
        return found

    def label(self, one: Ranked, rate: float) -> Preference | None:
        """The pair of one prompt; none where its best and worst say the same."""
        pair = best_and_worst(one.completions, one.now, source="cream")
        if pair is None or pair.chosen.text == pair.rejected.text:
            return None
        found = {"set": rate, "sample": rated([one.tau]), "off": 1.0}[self.consistency]
        return replace(pair, p=max(found, 0.5))


def rewards(judgements: Sequence[ScoreJudgement]) -> dict[Completion, float]:
    """The score of each completion that was scored."""
    return {
        one.question.completion: one.answer.value
        for one in judgements
        if isinstance(one.answer, Scores)
    }


def rated(taus: Sequence[float]) -> float:
    """C = mean (tau + 1) / 2 over those that are a number; 1/2, which teaches nothing, of none."""
    known = [(tau + 1) / 2 for tau in taus if not isnan(tau)]
    return fmean(known) if known else 0.5


def sizes(data: Sequence[Preference]) -> Metrics:
    """Mean characters of the best and of the worst: a sum of log-ratios may follow length."""
    if not data:
        return {"pairs": 0.0}
    chosen, rejected = (
        fmean(len(getattr(o, s).text) for o in data) for s in ("chosen", "rejected")
    )
    return {"pairs": len(data), "best_length": chosen, "worst_length": rejected}
