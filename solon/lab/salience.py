"""A laboratory of weak-to-strong generalization: the truth is what the student sees best.

A concept z of ``concept`` standard normal parts, labelled y = 1[w z + ``noise`` n > 0], |w| = 1.

    the supervisor sees   z + ``blur`` u                        u is its own noise, as long as z
    the student sees      [z, ``imitation`` u, ``junk_scale`` j]    j is noise of ``junk`` parts

``imitation`` says how salient the supervisor's errors are to the student: at 0 it cannot see them,
at 1 they are as easy to learn as the truth. That the truth is more salient than the supervisor's
noise is what pretraining is taken to give (Burns et al., arXiv 2312.09390, section 5.1); it is an
assumption of this world, not a finding in it. The generator is our formulation.

axes: N items, D features
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solon.errors import SettingError
from solon.seams.classifying import Examples, Task

if TYPE_CHECKING:
    from solon.run.run import Run

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Salience:
    """Tasks of two classes whose views are ``weak`` and ``strong``.

    Example:
        Salience(imitation=1.0).tasks_of(seed=3)[0].transfer.seen("strong").shape    # (800, 80)
    """

    imitation: float = 0.3
    """How salient the supervisor's errors are to the student, from 0 to 1 and beyond."""
    tasks: int = 1
    """Tasks drawn, each with a concept of its own."""
    supervise: int = 400
    """Items with true labels, for the supervisor."""
    transfer: int = 800
    """Items that the supervisor labels."""
    test: int = 6000
    """Items on which all are tested."""
    concept: int = 10
    """Parts of the concept."""
    blur: float = 2.0
    """How much of its own noise the supervisor sees."""
    noise: float = 0.35
    """How noisy the true labels are."""
    junk: int = 60
    """Features that say nothing."""
    junk_scale: float = 0.5
    """Their standard deviation."""

    def __post_init__(self) -> None:
        if self.imitation < 0:
            raise SettingError(f"tasks.imitation: expected 0 or more, got {self.imitation}")
        if self.tasks < 1:
            raise SettingError(f"tasks.tasks: expected 1 or more, got {self.tasks}")

    def open(self, run: Run, /) -> list[Task]:
        return self.tasks_of(run.seed_for("tasks"))

    def tasks_of(self, seed: int) -> list[Task]:
        """The tasks of that seed: other seeds have other concepts and other items."""
        return [
            self._task(f"concept-{k + 1}", np.random.default_rng([seed, k]))
            for k in range(self.tasks)
        ]

    def _task(self, name: str, draw: np.random.Generator) -> Task:
        direction = draw.normal(size=self.concept)
        direction /= np.linalg.norm(direction)
        parts = {
            part: self._examples(part, size, direction, draw)
            for part, size in (
                ("supervise", self.supervise),
                ("transfer", self.transfer),
                ("test", self.test),
            )
        }
        return Task(name=name, classes=2, **parts)

    def _examples(
        self, part: str, size: int, direction: Floats, draw: np.random.Generator
    ) -> Examples:
        z, u = draw.normal(size=(2, size, self.concept))
        junk = self.junk_scale * draw.normal(size=(size, self.junk))
        labels = (z @ direction + self.noise * draw.normal(size=size) > 0).astype(np.int64)
        return Examples(
            ids=tuple(f"{part}-{k}" for k in range(size)),
            labels=labels,
            views={
                "weak": z + self.blur * u,
                "strong": np.hstack([z, self.imitation * u, junk]),
            },
        )
