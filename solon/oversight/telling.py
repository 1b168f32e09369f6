"""How a game of speeches is written down: the judge's word after each round, and at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

from solon.oversight.dispute import Dispute, Side
from solon.oversight.judging import Judging
from solon.records import Abstains, Prefers, Speech, Transcript
from solon.seams.games import Play


class Audience(Protocol):
    """Who is told of a game while it is played, and has no part in it."""

    def spoke(self, speeches: tuple[Speech, ...], /) -> None:
        """One round's speeches, and what the judge asked after it."""
        ...

    def judged(self, answer: Prefers | Abstains, /) -> None:
        """The judge's word before anything was said, or after a round, where it is watched."""
        ...


@dataclass(slots=True)
class Telling:
    """One transcript in the making."""

    game: str
    dispute: Dispute
    judging: Judging
    watch: bool = field(kw_only=True)
    """Whether the judge is asked after each round, or only at the end."""
    by: Side | None = field(kw_only=True)
    """The side of the only consultant, or of the protagonist."""
    audience: Audience | None = field(default=None, kw_only=True)
    """Who is told of it meanwhile."""
    p: list[float] = field(default_factory=list[float])
    told: int = 0
    """How many speeches the audience knows."""

    def look(self, said: tuple[Speech, ...]) -> Play[None]:
        """Asks the judge what it thinks by now, where it is to be watched."""
        self._tell(said)
        if self.watch:
            answer = yield from self.judging.play(self.dispute, said)
            self._judged(answer)

    def end(self, said: tuple[Speech, ...]) -> Play[Transcript]:
        """The verdict."""
        self._tell(said)
        answer = yield from self.judging.play(self.dispute, said)
        if self.watch:
            self._judged(answer)
        return self._transcript(said, answer)

    def failed(self, said: tuple[Speech, ...], why: Abstains) -> Transcript:
        """A game that could not be played to its end has no verdict."""
        self._tell(said)
        return self._transcript(said, why)

    def _tell(self, said: tuple[Speech, ...]) -> None:
        if self.audience is not None and len(said) > self.told:
            self.audience.spoke(said[self.told :])
        self.told = len(said)

    def _judged(self, answer: Prefers | Abstains) -> None:
        self.p.append(_p(answer))
        if self.audience is not None:
            self.audience.judged(answer)

    def _transcript(self, said: tuple[Speech, ...], answer: Prefers | Abstains) -> Transcript:
        return Transcript(
            game=self.game,
            question=self.dispute.question,
            speeches=said,
            answer=answer,
            p=tuple(self.p),
            protagonist=self.by or "",
        )


def _p(answer: Prefers | Abstains) -> float:
    return answer.p_first if isinstance(answer, Prefers) else math.nan
