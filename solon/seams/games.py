"""The seam of oversight: a game is a generator that yields what it asks, and is sent the replies.

So a game is plain control flow, from its first line to its verdict; who sits at its seats (a
language model, an exact agent, a scripted function in a test), and how many games are played at
once, is no concern of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

T = TypeVar("T")
Asked = TypeVar("Asked")
Subject_contra = TypeVar("Subject_contra", contravariant=True)
Ended_co = TypeVar("Ended_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Ask(Generic[Asked]):
    """What a game asks of one seat.

    Example:
        Ask("judge", choice)
    """

    seat: str
    """Whose turn it is."""
    of: Asked
    """What it is asked, of any kind that this seat answers."""


Play: TypeAlias = Generator[tuple[Ask[Any], ...], tuple[Any, ...], T]
"""Yields simultaneous asks, is sent one reply to each, in order; returns how the game ended."""


class Seat(Protocol):
    """Who sits there: a batch of asks in, a reply to each out, in order."""

    def __call__(self, asked: Sequence[Any], /) -> Sequence[Any]: ...


Seats: TypeAlias = Mapping[str, Seat]


class Game(Protocol[Subject_contra, Ended_co]):
    """A protocol of oversight: a frozen dataclass of its rules."""

    @property
    def seats(self) -> tuple[str, ...]:
        """The names of all seats that it may ask."""
        ...

    def play(
        self, subject: Subject_contra, /
    ) -> Generator[tuple[Ask[Any], ...], tuple[Any, ...], Ended_co]: ...
