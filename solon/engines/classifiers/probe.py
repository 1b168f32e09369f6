"""A linear head (or a small network) over features: the supervisor, or a student on a frozen model.

axes: N items, D features, K classes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from solon.engines.classifiers.features import Features, Given
from solon.engines.classifiers.training import Course, Lesson, learn
from solon.objectives.adam import Adam, Sgd
from solon.records import digest
from solon.seams.classifying import Floats, Inputs, LabelObjective, Watch
from solon.seams.feedback import Metrics


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A head that begins at 0 over features that do not change. Satisfies ClassifierSpec.

    Example:
        Probe(features=Bag()).new(2, seed=0)
    """

    view: str = "text"
    """Which view of the items it reads."""
    features: Features = Given()
    """How inputs become numbers."""
    hidden: int = 0
    """Width of one hidden layer (GELU, random start); 0 is a linear probe."""
    bias: bool = False
    """Whether the head has one; the authors of weak-to-strong have none."""
    epochs: int = 10
    """Passes over the items."""
    batch: int = 32
    """Items an update."""
    optimiser: Adam | Sgd = Sgd(lr=0.15, schedule="cosine")
    """How it learns; the schedule ends with the last update."""

    def open(self, run: object, /) -> Probe:
        """Itself: there is nothing to open."""
        del run
        return self

    def new(self, classes: int, *, seed: int) -> Probing:
        return Probing(spec=self, classes=classes, seed=seed)


@dataclass(slots=True, kw_only=True)
class Probing:
    """A probe that learns. Satisfies Classifier."""

    spec: Probe
    classes: int
    seed: int
    features: Callable[[Inputs], Floats] | None = None
    head: nn.Module | None = None

    @property
    def id(self) -> str:
        return f"probe-{digest(self.spec, self.seed)[:6]}"

    def fit(
        self,
        inputs: Inputs,
        targets: Floats,
        objective: LabelObjective,
        /,
        *,
        watch: Watch | None = None,
    ) -> Metrics:
        lesson = Lesson(
            items=len(inputs),
            classes=self.classes,
            targets=targets,
            objective=objective,
            seed=self.seed,
        )
        self.features = self.spec.features.fitted(inputs)
        x = torch.from_numpy(self.features(inputs)).float()
        head = self.head = self._fresh(x.shape[1])
        spec = self.spec
        return learn(
            lambda rows: _head(head, x[torch.from_numpy(rows)]),
            list(head.parameters()),
            lesson,
            Course(epochs=spec.epochs, batch=spec.batch, optimiser=spec.optimiser, chunk=0),
            lambda epoch: watch(epoch, self) if watch else None,
        )

    @torch.no_grad()
    def predict(self, inputs: Inputs, /) -> Floats:
        if self.features is None or self.head is None:  # at its start it knows nothing
            return np.full((len(inputs), self.classes), 1 / self.classes)
        x = torch.from_numpy(self.features(inputs)).float()
        return _head(self.head, x).double().softmax(dim=-1).numpy()

    def _fresh(self, width: int) -> nn.Module:
        """The output layer is 0, so that it begins undecided; only a hidden one is drawn."""
        spec = self.spec
        last = nn.Linear(spec.hidden or width, self.classes, bias=spec.bias)
        nn.init.zeros_(last.weight)
        if spec.bias:
            nn.init.zeros_(last.bias)
        if not spec.hidden:
            return last
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return nn.Sequential(nn.Linear(width, spec.hidden), nn.GELU(), last)


def _head(head: nn.Module, x: Tensor) -> Tensor:
    return head(x)
