"""Curriculum-RLAIF: one reward model, taught by easy pairs first and by the judge's last.

Li, Lin et al., "Curriculum-RLAIF: Curriculum Alignment with Reinforcement Learning from AI
Feedback" (arXiv 2505.20075): easy pairs contrast completions drawn under two guidances, medium ones
bridge, hard ones are drawn at random and labelled by the judge. The samplers are those of RLCD
(arXiv 2307.12950), which is ``course.stages=easy``; ``course.stages=hard`` is plain RLAIF.

Deviations from the paper
1. Only the abstract and secondary descriptions were at hand. The bridging rule, its order and the
   sizes are our formulation: y+ over y1 and y1 over y-, by how far apart the two guidances hold
   them; as many pairs of each difficulty as four draws of a prompt give.
2. One pass at a constant rate: a rate that falls would teach the hard pairs less for coming last.
3. The guidance is a system turn, or stands before a raw prompt; RLCD puts it before the answer.
4. The default optimiser of the policy is RLOO (arXiv 2402.14740); ``climb.objective=ppo`` is PPO.
5. The supervised start may imitate completions given under guidance, as a small policy does not
   follow words that it has never met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.errors import SettingError
from solon.records import Preference
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, PairJudge, Prompts, Reward, Spec
from solon.seams.learning import Frozen, Learner, RewardLearner
from solon.stages.climb import Climb
from solon.stages.course import Course
from solon.stages.fit_reward import FitReward, accuracy, split
from solon.stages.grade import Grade
from solon.stages.imitate import Imitate


@dataclass(frozen=True, kw_only=True)
class Curriculum:
    """Pair by difficulty, fit a reward model from easy to hard, climb it under a KL penalty."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    judge: Spec[PairJudge]
    reward: Spec[RewardLearner]
    guided: Spec[Demonstrations] | None = None
    """What the supervised start imitates, guided or not; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    grade: Grade = Grade()
    course: Course = Course()
    fit_reward: FitReward = FitReward(epochs=1)
    climb: Climb = Climb()

    def __post_init__(self) -> None:
        if self.fit_reward.adam.schedule != "constant":
            raise SettingError(
                "fit_reward.adam.schedule: expected 'constant', or the last pairs are learnt at "
                f"the lowest rate; got {self.fit_reward.adam.schedule!r}"
            )

    def __call__(self, run: Run) -> Frozen:
        """Start, draw and grade, learn in the order of the course, climb."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        judge, reward = self.judge.open(run), self.reward.open(run)

        start = self.imitate.start(run, policy, self.guided)

        with run.stage("grade"):  # draws, guided and not -> easy, medium and hard pairs
            graded = self.grade(run, judge, start, prompts, self.course)
            data = self.course.arranged(graded, seed=run.seed_for("course"))
            run.save("preferences", data)

        with run.stage("reward"):  # pairs in their order -> reward model
            self.fit_reward(run, reward, start, data, ordered=True)

        with run.stage("slices"):
            self.tell_slices(run, reward, data)

        with run.stage("climb"):  # reward model -> policy
            self.climb(run, policy, reward, prompts, anchor=start)
            run.keep("final", policy.freeze())
        return policy.freeze()

    def tell_slices(self, run: Run, reward: Reward, data: Sequence[Preference]) -> None:
        """The reward's accuracy on pairs kept aside of each difficulty: has it forgotten any?"""
        held, _ = split(data, self.fit_reward.holdout, seed=run.seed_for("holdout"))
        found: dict[str, list[Preference]] = {}
        for one in held:
            name = one.source if one.source in {"easy", "medium"} else "hard"
            found.setdefault(name, []).append(one)
        run.log(0, **{f"{name}_accuracy": accuracy(reward, rows) for name, rows in found.items()})
