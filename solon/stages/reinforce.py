"""Reinforcement from two sorts of labels: a judge's of harm, people's of help, one reward for both.

Bai et al., "Constitutional AI" (arXiv 2212.08073), section 4: the reinforcement phase.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.records import Preference
from solon.run.run import Run
from solon.seams.feedback import PairJudge, Prompts
from solon.seams.learning import Frozen, Learner, RewardLearner
from solon.stages.climb import Climb
from solon.stages.fit_reward import FitReward
from solon.stages.label import Label
from solon.stages.mixture import Mixture


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who compares answers to which prompts; nobody gives no labels.

    Example:
        Asked(judge=people, prompts=helpful)
    """

    judge: PairJudge | None
    prompts: Prompts


@dataclass(frozen=True, kw_only=True)
class Reinforce:
    """Label harm and help, fit one reward to both, climb it on both sorts of prompts."""

    label: Label = Label(clamp=(0.4, 0.6))
    """How the judge is asked about answers to red-team prompts."""
    consult: Label = Label()
    """How people are asked about answers to helpful prompts."""
    fit_reward: FitReward = FitReward()
    climb: Climb = Climb()
    red_share: float = 0.5
    """Share of red-team prompts among those climbed on."""

    def __call__(
        self,
        run: Run,
        policy: Learner,
        reward: RewardLearner,
        *,
        start: Frozen,
        harmless: Asked,
        helpful: Asked,
    ) -> None:
        """From ``start``, whose answers are labelled, under a KL penalty to it."""
        with run.stage("label"):  # harmlessness, by a principle for each label
            data = self._labels(run, self.label, harmless, start)

        with run.stage("consult"):  # helpfulness, as people see it
            data = [*data, *self._labels(run, self.consult, helpful, start, of="helpful")]

        with run.stage("reward"):
            self.fit_reward(run, reward, start, data)

        with run.stage("climb"):
            prompts = Mixture(first=harmless.prompts, second=helpful.prompts, share=self.red_share)
            self.climb(run, policy, reward, prompts, anchor=start)
            run.keep("final", policy.freeze())

    def _labels(
        self, run: Run, label: Label, asked: Asked, policy: Frozen, *, of: str = ""
    ) -> list[Preference]:
        if asked.judge is None:
            run.note("no labels of helpfulness: the reward minds harmlessness alone")
            return []
        return label(run, asked.judge, policy, asked.prompts, of=of)
