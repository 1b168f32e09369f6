"""How a weak-to-strong problem is posed: who supervises, who learns, which labels nobody sees.

axes: N examples, K classes, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from solon.errors import SettingError
from solon.researchers.labels import Division, Holdout
from solon.researchers.problem import Problem
from solon.run.run import Run
from solon.seams.classifying import Classifier, ClassifierSpec, Examples, Floats, Inputs, Task
from solon.seams.feedback import Spec

if TYPE_CHECKING:
    from solon.engines.classifiers import Probe

VIEW = "features"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posed:
    """A problem, and the labels that belong to it.

    Example:
        Posing(tasks=Salience(), weak=Probe(view="weak"), strong=Probe(view="strong")).pose(run)[0]
    """

    name: str
    """The task's."""
    problem: Problem
    """What may be seen."""
    holdout: Holdout
    """What may not."""


@dataclass(frozen=True, kw_only=True)
class Posing:
    """Where problems come from. Methods see features [N D], whatever the tasks are made of.

    The weak labels are the first supervisor's; who of weak and ceiling is right is averaged over
    seeds, as Burns et al. (arXiv 2312.09390) average their baselines.
    """

    tasks: Spec[Sequence[Task]]
    """What is to be classified: the first task is posed, others are for transfer."""
    weak: Spec[ClassifierSpec]
    """The supervisor."""
    strong: Spec[ClassifierSpec]
    """The student and the ceiling: a probe, whose features are what methods see."""
    seeds: int = 3
    """Supervisors and ceilings that are trained."""
    division: Division = Division()
    """How the test's labels are divided."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise SettingError(f"posing.seeds: expected 1 or more, got {self.seeds}")

    def pose(self, run: Run) -> list[Posed]:
        """Every task; who knows the run's seed can draw its labels again."""
        strong = self.student()
        weak = self.weak.open(run)
        return [self._posed(run, task, weak, strong) for task in self.tasks.open(run)]

    def student(self) -> Probe:
        """SettingError where the student is no probe: then methods would have nothing to see."""
        from solon.engines.classifiers import Probe

        if not isinstance(self.strong, Probe):
            came = type(self.strong).__name__
            raise SettingError(f"strong: expected a probe over features, got {came}")
        return self.strong

    def _posed(self, run: Run, task: Task, weak: ClassifierSpec, strong: Probe) -> Posed:
        from solon.engines.classifiers import Given

        task = _shown(task, strong)
        student = replace(strong, view=VIEW, features=Given())
        draws = range(self.seeds)
        supervisors = [
            _fitted(weak, task.supervise, task.classes, run.seed_for(task.name, "weak", draw))
            for draw in draws
        ]
        ceilings = [
            _fitted(student, task.transfer, task.classes, run.seed_for(task.name, "ceiling", draw))
            for draw in draws
        ]
        hidden = run.seed_for(task.name, "holdout")
        holdout = Holdout.of(
            task,
            weak_right=_right(supervisors, task.test, weak.view),
            ceiling_right=_right(ceilings, task.test, VIEW),
            seed=hidden,
            division=self.division,
        )
        labels = supervisors[0].predict(task.transfer.seen(weak.view))
        problem = holdout.problem(task, labels, view=VIEW, seed=hidden)
        posed = replace(problem, probe=settings_of(student))
        return Posed(name=task.name, problem=posed, holdout=holdout)


def settings_of(student: Probe) -> dict[str, Any]:
    """The settings that differ from a probe's own, as ``Problem.probe`` has them."""
    own = type(student)()
    differ = {
        one.name: getattr(student, one.name)
        for one in fields(student)
        if one.name not in ("view", "features")
        and getattr(student, one.name) != getattr(own, one.name)
    }
    if "optimiser" in differ:
        optimiser = differ.pop("optimiser")
        differ[type(optimiser).__name__.lower()] = asdict(optimiser)
    return differ


def _shown(task: Task, strong: Probe) -> Task:
    """The task with what the student's features make of what it sees, as one more view."""
    read = strong.features.fitted(_seen(task.transfer, strong.view))

    def shown(part: Examples) -> Examples:
        features: Inputs = read(_seen(part, strong.view))
        return replace(part, views={**part.views, VIEW: features})

    return replace(task, transfer=shown(task.transfer), test=shown(task.test))


def _seen(part: Examples, view: str) -> Inputs:
    if view not in part.views:
        raise SettingError(f"view: expected one of {', '.join(part.views)}, got {view}")
    return part.seen(view)


def _fitted(kind: ClassifierSpec, part: Examples, classes: int, seed: int) -> Classifier:
    """A classifier that learnt a part's true labels."""
    from solon.objectives.weak import Naive

    learner = kind.new(classes, seed=seed)
    learner.fit(_seen(part, kind.view), np.eye(classes)[part.labels], Naive())
    return learner


def _right(learners: Sequence[Classifier], part: Examples, view: str) -> Floats:
    """[N] the share of the learners that are right."""
    said = [one.predict(_seen(part, view)).argmax(axis=1) for one in learners]
    return np.mean([one == part.labels for one in said], axis=0)
