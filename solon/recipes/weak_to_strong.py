"""Weak-to-strong generalization: a weak supervisor's labels elicit what a strong student knows.

Burns et al. 2023 (arXiv 2312.09390). Three classifiers for each task and seed: the weak one learns
true labels and labels the transfer set, the student learns those labels, the ceiling learns the
transfer set's true ones. What is recovered of the gap between weak and ceiling (PGR) is for an
audit to say, which holds the test's labels: this recipe keeps predictions only.

Deviations from the paper
1. The naive student is trained beside that of another objective, so that a run holds its baseline.
2. Each hop of the bootstrap labels a part of the transfer set that no hop has learnt from; the
   paper does not say how large the parts are, here they are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import SettingError
from solon.objectives.weak import Confidence, Naive
from solon.records import Part, Prediction
from solon.run.run import Run
from solon.seams.classifying import (
    Classifier,
    ClassifierSpec,
    Examples,
    Floats,
    LabelObjective,
    Task,
)
from solon.seams.feedback import Spec


@dataclass(frozen=True, kw_only=True)
class WeakToStrong:
    """Train a weak supervisor, label with it, train a strong student, and what it could reach."""

    tasks: Spec[Sequence[Task]]
    weak: Spec[ClassifierSpec]
    strong: Spec[ClassifierSpec]

    objective: LabelObjective = Confidence()
    """What the student makes of the weak labels: naive, confidence, product."""
    hops: tuple[Spec[ClassifierSpec], ...] = ()
    """Classifiers of sizes between weak and strong, each labelling for the next (bootstrapping)."""
    seeds: int = 5
    """How often all of it is trained; tasks and test are the same each time."""
    hard: bool = False
    """Whether the student learns the weak labels' classes, without their probabilities."""
    shuffled: bool = False
    """A control: weak labels of other items. Nothing should be recovered."""
    epochs: bool = False
    """Whether predictions are kept after each epoch too: the bound of early stopping needs them."""

    def __call__(self, run: Run) -> list[Prediction]:
        """Burns et al., section 3.1."""
        if self.seeds < 1:
            raise SettingError(f"seeds: expected 1 or more, got {self.seeds}")
        tasks = self.tasks.open(run)
        kinds = Kinds(
            weak=self.weak.open(run),
            strong=self.strong.open(run),
            hops=tuple(hop.open(run) for hop in self.hops),
        )
        cells = [
            Cell(task=task, seed=seed, run=run, kinds=kinds)
            for task in tasks
            for seed in range(self.seeds)
        ]

        with run.stage("weak"):  # true labels -> weak supervisor -> weak labels
            weak = each(run, "weak", cells, self._supervisor)
        labels = by_cell([one for one in weak if one.part == "transfer"])

        with run.stage("naive"):  # weak labels as they are
            found = [*weak, *each(run, "naive", cells, self._learner("naive", Naive(), labels))]

        if self.objective != Naive():
            with run.stage("student"):  # weak labels -> strong student
                student = self._learner("student", self.objective, labels)
                found += each(run, "student", cells, student)

        with run.stage("ceiling"):  # true labels -> what it could reach
            found += each(run, "ceiling", cells, self._ceiling)
        return found

    def _supervisor(self, cell: Cell) -> list[Prediction]:
        task, kind = cell.task, cell.kinds.weak
        learner = kind.new(task.classes, seed=cell.seed_for("weak"))
        learner.fit(task.supervise.seen(kind.view), one_hot(task.supervise, task.classes), Naive())
        return [
            *cell.said("weak", "transfer", learner, kind.view),
            *cell.said("weak", "test", learner, kind.view),
        ]

    def _learner(
        self, role: str, objective: LabelObjective, labels: dict[tuple[str, int], Floats]
    ) -> Callable[[Cell], list[Prediction]]:
        return lambda cell: self._student(cell, role, objective, labels[cell.name])

    def _student(
        self, cell: Cell, role: str, objective: LabelObjective, weak: Floats
    ) -> list[Prediction]:
        """The last of the hops, each of which learns what the one before it says."""
        draw, hops = np.random.default_rng(cell.seed_for("parts")), cell.kinds.hops
        order = draw.permutation(len(weak))
        given = weak[draw.permutation(len(weak))] if self.shuffled else weak
        parts = np.array_split(order, len(hops) + 1) if hops else [np.arange(len(weak))]
        taught = given[parts[0]]
        for hop, (kind, rows) in enumerate(zip(hops, parts[:-1], strict=True)):
            learner = kind.new(cell.task.classes, seed=cell.seed_for("hop", hop))
            items, fresh = cell.task.transfer.take(rows), cell.task.transfer.take(parts[hop + 1])
            learner.fit(items.seen(kind.view), self._told(taught), objective)
            taught = learner.predict(fresh.seen(kind.view))
        return self._fitted(cell, role, cell.task.transfer.take(parts[-1]), taught, objective)

    def _ceiling(self, cell: Cell) -> list[Prediction]:
        true = one_hot(cell.task.transfer, cell.task.classes)
        return self._fitted(cell, "ceiling", cell.task.transfer, true, Naive())

    def _fitted(
        self, cell: Cell, role: str, items: Examples, targets: Floats, objective: LabelObjective
    ) -> list[Prediction]:
        """The strong classifier on these targets; all roles begin with the same head."""
        kind = cell.kinds.strong
        learner = kind.new(cell.task.classes, seed=cell.seed_for("strong"))
        along: list[Prediction] = []

        def watch(epoch: int, fitted: Classifier) -> None:
            along.extend(cell.said(role, "test", fitted, kind.view, epoch=epoch))

        learner.fit(
            items.seen(kind.view),
            self._told(targets),
            objective,
            watch=watch if self.epochs else None,
        )
        return [*along, *cell.said(role, "test", learner, kind.view)]

    def _told(self, targets: Floats) -> Floats:
        return np.eye(targets.shape[1])[targets.argmax(axis=1)] if self.hard else targets


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """What supervisor, hops and student are like, once opened."""

    weak: ClassifierSpec
    strong: ClassifierSpec
    hops: tuple[ClassifierSpec, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One task with one seed of training."""

    task: Task
    seed: int
    run: Run
    kinds: Kinds

    @property
    def name(self) -> tuple[str, int]:
        return self.task.name, self.seed

    def seed_for(self, *names: object) -> int:
        return self.run.seed_for(*self.name, *names)

    def said(
        self, role: str, part: Part, learner: Classifier, view: str, *, epoch: int = 0
    ) -> list[Prediction]:
        """What the classifier says of the task's part."""
        items = self.task.transfer if part == "transfer" else self.task.test
        return [
            Prediction(
                task=self.task.name,
                item=item,
                part=part,
                role=role,
                seed=self.seed,
                p=tuple(map(float, row)),
                epoch=epoch,
            )
            for item, row in zip(items.ids, learner.predict(items.seen(view)), strict=True)
        ]


def each(
    run: Run, name: str, cells: Sequence[Cell], work: Callable[[Cell], list[Prediction]]
) -> list[Prediction]:
    """The cells' predictions; a finished cell is read back, not trained again."""
    return run.map(
        name, lambda batch: [one for cell in batch for one in work(cell)], cells, chunk=1
    )


def by_cell(predictions: Sequence[Prediction]) -> dict[tuple[str, int], Floats]:
    """[N K] probabilities by task and seed, items in the order kept."""
    found: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    for one in predictions:
        found.setdefault((one.task, one.seed), []).append(one.p)
    return {name: np.array(rows) for name, rows in found.items()}


def one_hot(examples: Examples, classes: int) -> Floats:
    """True labels as targets [N K]."""
    return np.eye(classes)[examples.labels]
