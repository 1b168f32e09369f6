"""One loop for all classifiers: shuffled epochs, a target from the whole batch, exact chunks.

axes: N items of a gradient batch, M items of a chunk of it, K classes
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from solon.engines.local.fitting import Mean, Optimiser
from solon.errors import InputError, SettingError
from solon.objectives.adam import Adam, Sgd
from solon.objectives.batch import Loss
from solon.objectives.weak import ClassLogits, cross_entropy
from solon.seams.classifying import Floats, Ints, LabelObjective
from solon.seams.feedback import Metrics

Logits = Callable[[NDArray[np.int64]], Tensor]
"""Rows of the inputs -> logits [M K], with a gradient where torch keeps one."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """How long and in what pieces a classifier learns.

    Example:
        Course(epochs=10, batch=32, optimiser=Adam(lr=0.01), chunk=0)
    """

    epochs: int
    """Passes over the items."""
    batch: int
    """Items an update."""
    optimiser: Adam | Sgd
    """Its schedule ends with the last update, where its own steps are 0."""
    chunk: int
    """Items of one pass; 0 takes the batch. Results do not change."""

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch", 1), ("chunk", 0)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}: expected {least} or more, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is learnt: soft labels [N K] of all items, by an objective, in an order of draws."""

    items: int
    """N."""
    classes: int
    """K."""
    targets: Floats
    """[N K] probabilities."""
    objective: LabelObjective
    """Makes a batch's target of them."""
    seed: int
    """Of the shuffles."""

    def __post_init__(self) -> None:
        rows, shape = self.targets, (self.items, self.classes)
        if not self.items:
            raise InputError("fit: expected one item or more, got none")
        if rows.shape != shape:
            raise InputError(f"fit: expected soft labels [N K] = {shape}, got {rows.shape}")
        if not np.isfinite(rows).all() or (rows < 0).any() or not np.allclose(rows.sum(1), 1):
            raise InputError("fit: expected soft labels that are probabilities, got other numbers")


def learn(
    logits: Logits,
    parameters: Sequence[nn.Parameter],
    lesson: Lesson,
    course: Course,
    after: Callable[[int], None],
) -> Metrics:
    """Runs the course; ``after`` is called with each epoch's number. The last epoch's metrics."""
    weak = torch.from_numpy(lesson.targets).to(parameters[0].device, parameters[0].dtype)
    draw, done = np.random.default_rng(lesson.seed), 0
    total = course.epochs * -(-len(weak) // course.batch)
    settings = replace(course.optimiser, steps=course.optimiser.steps or total)
    optimiser, mean = Optimiser([list(parameters)], settings), Mean()
    for epoch in range(1, course.epochs + 1):
        mean = Mean()
        for rows in _batches(draw.permutation(len(weak)), course.batch):
            losses = _losses(logits, weak, rows, lesson.objective, done / total, course.chunk)
            mean.add(optimiser.update(losses, what=f"fit, epoch {epoch}"), len(rows))
            done += 1
        after(epoch)
    return dict(mean)


def _losses(
    logits: Logits,
    weak: Tensor,
    rows: Ints,
    objective: LabelObjective,
    progress: float,
    chunk: int,
) -> Iterator[Loss]:
    """The chunks' losses against one target of the whole batch, which is made before any of them.

    A batch of one chunk is passed once: its own logits, held constant, make its target.
    """
    size = chunk or len(rows)
    parts = list(_batches(rows, size))
    labels = weak[torch.from_numpy(rows)]
    if len(parts) == 1:
        said = logits(rows)
        seen = ClassLogits(logits=said.detach(), weak=labels, progress=progress)
        yield cross_entropy(said, objective.target(seen))
        return
    said = torch.zeros_like(labels)
    if objective.asks_student:
        with torch.no_grad():
            said = torch.cat([logits(part) for part in parts])
    target = objective.target(ClassLogits(logits=said, weak=labels, progress=progress))
    for part, aim in zip(parts, target.split(size), strict=True):
        yield cross_entropy(logits(part), aim)


def _batches(rows: Ints, size: int) -> Iterator[Ints]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
