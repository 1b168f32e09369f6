"""What a game is about: a question with two answers, and what only the debaters read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from solon.records import Compare, Completion, Prompt, Speech

Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Two answers to one question. Which is right is not in here: no game may see it.

    Example:
        Dispute.of("Who stole the lamp?", "The miller", "The smith", source=story, id="lamp-1")
    """

    question: Compare
    source: str = ""
    """The text that is hidden from the judge; empty where there is none."""

    @classmethod
    def of(
        cls,
        question: str,
        first: str,
        second: str,
        *,
        source: str = "",
        id: str = "",  # noqa: A002 - the prompt's field
    ) -> Dispute:
        prompt = Prompt.of(question, id=id)
        one, other = (Completion(prompt=prompt, text=text) for text in (first, second))
        return cls(question=Compare(first=one, second=other), source=source)

    def answer(self, side: Side) -> str:
        """The answer that this side argues for."""
        return (self.question.first if side == "first" else self.question.second).text


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a speaker stands when its turn comes: its side, and what was said before.

    Example:
        Stand(dispute=dispute, side="first", before=())
    """

    dispute: Dispute
    side: Side
    before: tuple[Speech, ...]


def other(side: Side) -> Side:
    """The opponent's side."""
    return "second" if side == "first" else "first"


def toward(side: Side, p_first: float) -> float:
    """The probability that this side is right."""
    return p_first if side == "first" else 1.0 - p_first
