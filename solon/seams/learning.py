"""The seams of things that learn, and the Protocols of what they learn by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor

from solon.objectives.adam import Adam
from solon.objectives.batch import (
    Credit,
    Loss,
    MarkLogps,
    PairLogps,
    PairRewards,
    RolloutLogps,
    TextLogps,
)
from solon.objectives.noise import Evidence
from solon.records import Completion, Mark, Preference, Rollout
from solon.seams.feedback import Metrics, Policy, Reward, Stateful


class TextObjective(Protocol):
    def __call__(self, x: TextLogps, /) -> Loss: ...


class PairObjective(Protocol):
    @property
    def anchored(self) -> bool:
        """False where the anchor changes nothing: a learner need not ask it."""
        ...

    def __call__(self, x: PairLogps, /) -> Loss: ...


@runtime_checkable
class Weighing(Protocol):
    """A pair objective that weighs each pair once, by what the anchor says of it."""

    @property
    def history(self) -> tuple[int, ...]:
        """Numbers of last turns that the history is cut to for the evidence's other margins."""
        ...

    def weigh(self, evidence: Evidence, /) -> Tensor:
        """[P] constants, 0 for a pair that teaches nothing."""
        ...


class MarkObjective(Protocol):
    def __call__(self, x: MarkLogps, /) -> Loss: ...


class RewardObjective(Protocol):
    def __call__(self, x: PairRewards, /) -> Loss: ...


@runtime_checkable
class Cutting(Protocol):
    """A learner that may sample less than the distribution that its log-probabilities are of."""

    @property
    def cut(self) -> str:
        """The setting that cuts it, as "top_p=0.7"; empty where nothing does."""
        ...


@runtime_checkable
class RolloutObjective(Protocol):
    """Credit once per batch, then ``epochs`` passes over it in ``minibatches`` updates each."""

    @property
    def epochs(self) -> int: ...
    @property
    def minibatches(self) -> int: ...
    @property
    def values(self) -> bool:
        """True where the objective needs a value head."""
        ...

    @property
    def anchored(self) -> bool:
        """False where the anchor changes nothing: a learner need not ask it, and logs no KL."""
        ...

    def credit(self, x: RolloutLogps, /) -> Credit: ...

    def __call__(self, x: RolloutLogps, credit: Credit, /) -> Loss: ...


@runtime_checkable
class Scorer(Protocol):
    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        """Tokens of each completion as this model reads it, EOS included."""
        ...

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        """Summed log-probability in nats of each completion given its prompt."""
        ...


class Frozen(Policy, Scorer, Protocol):
    """Weights that no longer change: an anchor, a checkpoint, a result."""

    def save(self, folder: Path, /) -> None:
        """Writes a Hugging Face model folder (safetensors and tokenizer)."""
        ...


class Learner(Frozen, Stateful, Protocol):
    """A policy whose weights move. Each ``fit_*`` takes a batch of any size."""

    def freeze(self) -> Frozen: ...

    def optimise(self, adam: Adam, /) -> None:
        """A fresh optimiser: called at the start of a stage of learning."""
        ...

    def fit_texts(self, batch: Sequence[Completion], objective: TextObjective, /) -> Metrics: ...

    def fit_pairs(
        self, batch: Sequence[Preference], objective: PairObjective, /, *, anchor: Frozen
    ) -> Metrics: ...

    def fit_marks(
        self, batch: Sequence[Mark], objective: MarkObjective, /, *, anchor: Frozen
    ) -> Metrics: ...

    def fit_rollouts(
        self, batch: Sequence[Rollout], objective: RolloutObjective, /, *, anchor: Frozen
    ) -> Metrics: ...


class RewardLearner(Reward, Stateful, Protocol):
    """A scalar reward that learns from preferences."""

    @property
    def id(self) -> str: ...

    def adopt(self, policy: Frozen, /) -> None:
        """Starts from the policy's trunk and tokenizer, with a fresh scalar head."""
        ...

    def optimise(self, adam: Adam, /) -> None: ...

    def fit(self, batch: Sequence[Preference], objective: RewardObjective, /) -> Metrics: ...

    def centre(self, completions: Sequence[Completion], /) -> None:
        """Shifts the reward so that its mean over these completions is 0."""
        ...

    def save(self, folder: Path, /) -> None: ...
