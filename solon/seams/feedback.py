"""The torch-free seams. Each takes a batch and returns a batch, in order and of equal length.

So a judge, a policy or a reward can be a lambda in a test, a process on this machine, an endpoint,
or a thousand actors, and no recipe can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from solon.records import (
    A,
    Abstains,
    Assess,
    Compare,
    Completion,
    Critique,
    Finding,
    Group,
    Judgement,
    Preference,
    Prefers,
    Prompt,
    Q,
    Rank,
    Ranks,
    Rate,
    Ratings,
    Scores,
)

if TYPE_CHECKING:
    from solon.run.run import Run
    from solon.seams.learning import Frozen

T_co = TypeVar("T_co", covariant=True)
Subject = TypeVar("Subject", contravariant=True)


@runtime_checkable
class Policy(Protocol):
    """Anything that answers prompts: local weights, vLLM, an endpoint."""

    @property
    def id(self) -> str:
        """name@version; changes whenever the weights do."""
        ...

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        """n completions of each prompt. A call that failed for good gives finish="filter"."""
        ...


@runtime_checkable
class Chooser(Protocol):
    """A model that can say how probable each of a few answers is as its next words."""

    @property
    def id(self) -> str: ...

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probability in nats of each choice after the prompt and ``cue``, the answer's start.

        Not renormalised over the choices. Every surface form of a choice counts ("1", " 1"), and
        no choice takes the mass of a longer one that it begins ("1" and "10").
        """
        ...


class Judge(Protocol[Q, A]):
    """Questions in, judgements out. A judge that cannot answer abstains; it never guesses."""

    @property
    def id(self) -> str: ...

    def __call__(self, questions: Sequence[Q], /) -> list[Judgement[Q, A]]: ...


PairJudge = Judge[Compare, Prefers]
ScoreJudge = Judge[Rate, Scores]
RankJudge = Judge[Rank, Ranks]
Rater = Judge[Assess, Ratings]


class Critic(Protocol):
    """A teacher: completions in, what is wrong with each, and in ``refine`` what mends it too.

    A critique without text finds nothing wrong.
    """

    @property
    def id(self) -> str: ...

    def __call__(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        """A critique of each, without a revision: that is for whoever wrote the completion."""
        ...

    def refine(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        """A critique of each with the critic's own better completion as its revision."""
        ...


@runtime_checkable
class Labels(Protocol):
    """A judge that brings its own questions: labels that people gave, from a file."""

    def questions(self) -> list[Compare]: ...


class Reward(Protocol):
    """A reward is a measurement or a failure (Abstains), never a silent number."""

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]: ...


class Prompts(Protocol):
    """A source of prompts, taken in a fixed order."""

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        """The next n prompts of that split; begins again when they run out."""
        ...


class Demonstrations(Protocol):
    """Completions to imitate, taken in a fixed order."""

    def demonstrate(self, n: int = 0) -> list[Completion]:
        """The first n demonstrations; all of them where n is 0."""
        ...


class World(Prompts, Protocol):
    """A world whose true reward is known. Gold is for audits, claims and watchers only."""

    def gold(self, completions: Sequence[Completion], /) -> list[float]: ...

    def facets(self, completions: Sequence[Completion], /) -> list[Mapping[str, float]]: ...


class Audit(Protocol[Subject]):
    """Audit[PairJudge], Audit[Reward], Audit[Policy]: one subject, bounds fixed before."""

    def __call__(self, subject: Subject, /) -> list[Finding]: ...


class Spec(Protocol[T_co]):
    """A value that can be opened into something live."""

    def open(self, run: Run, /) -> T_co: ...


class Recipe(Protocol):
    """A frozen dataclass whose fields are the settings and whose call is the method."""

    def __call__(self, run: Run, /) -> Frozen: ...


@runtime_checkable
class Stateful(Protocol):
    """Something whose exact state a run can keep and bring back (weights, optimiser, generator)."""

    def save_state(self, folder: Path, /) -> None: ...

    def load_state(self, folder: Path, /) -> None: ...


class Watcher(Protocol):
    """Looks at a policy while it trains; attached by the caller, never by a recipe."""

    def __call__(self, step: int, policy: Policy, /) -> Mapping[str, float]: ...


Metrics = Mapping[str, float]
Plain = dict[str, Any]

__all__ = [
    "Audit",
    "Chooser",
    "Critic",
    "Demonstrations",
    "Judge",
    "Labels",
    "Metrics",
    "PairJudge",
    "Plain",
    "Policy",
    "Preference",
    "Prompts",
    "RankJudge",
    "Rater",
    "Recipe",
    "Reward",
    "ScoreJudge",
    "Spec",
    "Stateful",
    "Watcher",
    "World",
]
