"""The processes that work on one run as one: same recipe, same draws, one of them writes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


class Ranks(Protocol):
    """Every method must be called by every process, in the same order."""

    @property
    def rank(self) -> int:
        """0 for the first process, which alone writes and speaks."""
        ...

    @property
    def count(self) -> int: ...

    def agreed(self, make: Callable[[], T], /) -> T:
        """What the first process makes, known to all when it is done.

        Where it raises, the others leave in silence: the first one says why.
        """
        ...

    def gathered(self, mine: T, /) -> list[T]:
        """What each process has, by rank."""
        ...

    def add_up(self, tensors: Sequence[Tensor], /) -> None:
        """Each tensor becomes its sum over the processes, in place."""
        ...


@dataclass(frozen=True, slots=True)
class Alone:
    """A run of one process."""

    rank: int = 0
    count: int = 1

    def agreed(self, make: Callable[[], T], /) -> T:
        return make()

    def gathered(self, mine: T, /) -> list[T]:
        return [mine]

    def add_up(self, tensors: Sequence[Tensor], /) -> None:
        del tensors  # each is its own sum


ALONE = Alone()
_ranks: ContextVar[Ranks] = ContextVar("ranks", default=ALONE)


def at_work() -> Ranks:
    """The processes that every run of this context belongs to."""
    return _ranks.get()


@contextmanager
def working(ranks: Ranks) -> Generator[Ranks]:
    """Every run that is begun inside is theirs."""
    token = _ranks.set(ranks)
    try:
        yield ranks
    finally:
        _ranks.reset(token)
