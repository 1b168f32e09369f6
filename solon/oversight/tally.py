"""Asks, and counts: what every seat was asked in a game, what it spent, and why it gave up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from solon.records import Abstains, Spent
from solon.seams.games import Ask, Play


class GaveUp(Exception):
    """A seat abstained; caught by the game, which ends with the reason."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one game."""

    asked: Counter[str] = field(default_factory=Counter[str])
    """Questions to each seat."""
    calls: Counter[str] = field(default_factory=Counter[str])
    """What each seat says that it spent."""

    def ask(self, seat: str, questions: Sequence[Any]) -> Play[tuple[Any, ...]]:
        """Simultaneous questions to one seat; GaveUp where a reply is an abstention."""
        if not questions:
            return ()
        replies = yield tuple(Ask(seat, one) for one in questions)
        self.asked[seat] += len(replies)
        for reply in replies:
            if isinstance(reply, Abstains):
                raise GaveUp(f"{seat}: {reply.reason}")
            self.calls[seat] += reply.calls
        return replies

    def spent(self) -> tuple[Spent, ...]:
        """The counts as records, in the order in which seats were first asked."""
        return tuple(
            Spent(seat=seat, asked=count, calls=self.calls[seat])
            for seat, count in self.asked.items()
        )

    def one(self, seat: str, question: object) -> Play[Any]:
        """One question, one reply."""
        (reply,) = yield from self.ask(seat, (question,))
        return reply


def unless_given_up(play: Callable[[], Play[None]]) -> Play[str]:
    """Why the play ended early; empty where it did not."""
    try:
        yield from play()
    except GaveUp as stop:
        return str(stop)
    return ""
