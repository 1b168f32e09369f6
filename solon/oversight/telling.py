"""How a game of speeches is written down: the judge's word after each round, and at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from solon.oversight.dispute import Dispute, Side
from solon.oversight.judging import Judging
from solon.records import Abstains, Prefers, Speech, Transcript
from solon.seams.games import Play


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
    p: list[float] = field(default_factory=list[float])

    def look(self, said: tuple[Speech, ...]) -> Play[None]:
        """Asks the judge what it thinks by now, where it is to be watched."""
        if self.watch:
            answer = yield from self.judging.play(self.dispute, said)
            self.p.append(_p(answer))

    def end(self, said: tuple[Speech, ...]) -> Play[Transcript]:
        """The verdict."""
        answer = yield from self.judging.play(self.dispute, said)
        if self.watch:
            self.p.append(_p(answer))
        return self._transcript(said, answer)

    def failed(self, said: tuple[Speech, ...], why: Abstains) -> Transcript:
        """A game that could not be played to its end has no verdict."""
        return self._transcript(said, why)

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
