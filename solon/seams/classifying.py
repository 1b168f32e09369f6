"""The seams of weak-to-strong generalization: tasks to classify, and what learns to.

axes: N examples, K classes, D features. Torch-free: a classifier takes and gives numpy arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from solon.seams.feedback import Metrics

if TYPE_CHECKING:
    from torch import Tensor

    from solon.objectives.weak import ClassLogits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Inputs: TypeAlias = Sequence[str] | Floats
"""Texts, or features [N D]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Things to classify, their true classes, and what is seen of them.

    A view is what one side sees: a laboratory shows its supervisor other features than its student,
    real data have the one view ``text`` for both.

    Example:
        Examples(ids=("a", "b"), labels=np.array([0, 1]), views={"text": ["no", "yes"]})
    """

    ids: tuple[str, ...]
    labels: Ints
    views: Mapping[str, Inputs]

    def __len__(self) -> int:
        return len(self.ids)

    def seen(self, view: str) -> Inputs:
        """What this view shows; KeyError where the examples have no such view."""
        return self.views[view]

    def take(self, rows: Ints) -> Examples:
        """The examples at these rows, in this order."""
        return Examples(
            ids=tuple(self.ids[row] for row in rows),
            labels=self.labels[rows],
            views={name: taken(inputs, rows) for name, inputs in self.views.items()},
        )


def taken(inputs: Inputs, rows: Ints) -> Inputs:
    """The inputs at these rows, in this order."""
    if isinstance(inputs, np.ndarray):
        return inputs[rows]
    return [inputs[int(row)] for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One task of Burns et al.'s set-up (arXiv 2312.09390), in three disjoint parts.

    The supervisor learns ``supervise`` with its true labels and labels ``transfer``; the student
    learns those labels, the ceiling the true ones; all are tested on ``test``.

    Example:
        Task(name="irony", classes=2, supervise=one, transfer=two, test=three)
    """

    name: str
    classes: int
    supervise: Examples
    transfer: Examples
    test: Examples


class LabelObjective(Protocol):
    """Cross-entropy against a target made of the weak labels and of what the student says."""

    @property
    def asks_student(self) -> bool:
        """False where the target is the weak label itself, whatever the student says."""
        ...

    def target(self, x: ClassLogits, /) -> Tensor:
        """[N K] probabilities, without gradient, from one whole gradient batch."""
        ...


Watch: TypeAlias = "Callable[[int, Classifier], None]"
"""Called after each epoch with its number (from 1) and the classifier as it stands."""


class Classifier(Protocol):
    """Something that learns to classify. Trained once, from its start, by ``fit``."""

    @property
    def id(self) -> str: ...

    def fit(
        self,
        inputs: Inputs,
        targets: Floats,
        objective: LabelObjective,
        /,
        *,
        watch: Watch | None = None,
    ) -> Metrics:
        """Trains on soft labels [N K], whole batches at a time. The last epoch's metrics."""
        ...

    def predict(self, inputs: Inputs, /) -> Floats:
        """[N K] probabilities, in order."""
        ...


class ClassifierSpec(Protocol):
    """A value that says how a classifier is built: the supervisor's or the student's kind."""

    @property
    def view(self) -> str:
        """Which view of the examples it reads."""
        ...

    def new(self, classes: int, *, seed: int) -> Classifier:
        """A classifier at its start; the seed fixes its head, its batches and nothing else."""
        ...
