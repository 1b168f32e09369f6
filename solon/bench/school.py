"""A model that goes to school before it is used: trained inside the run that opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from solon.records import Completion
from solon.run.run import Run
from solon.seams.feedback import Spec
from solon.seams.learning import Learner
from solon.stages.imitate import Imitate


@dataclass(frozen=True, kw_only=True)
class Schooled:
    """A learner that imitates its lessons when it is opened; a resumed run finds it taught.

    Example:
        Schooled(model=Transformer(shape=Shape()), lessons=lambda seed: transcripts(9000, seed))
    """

    model: Spec[Learner]
    """Who goes to school."""
    lessons: Callable[[int], Sequence[Completion]]
    """Seed to completions to imitate."""
    imitate: Imitate = Imitate()
    """How the lessons are fitted."""
    name: str = "school"
    """The stage's name in the run's records."""

    def open(self, run: Run) -> Any:
        """The taught model. Typed as Any, because it fills the seam that its reader needs."""
        model = self.model.open(run)
        with run.stage(self.name):
            self.imitate(run, model, self.lessons(run.seed_for(self.name)), watched=False)
        return model
