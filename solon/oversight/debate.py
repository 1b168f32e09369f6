"""Debate: two debaters argue for the two answers of a question before a judge.

Irving et al. (arXiv 1805.00899); the rules for language models are those of Khan et al. (arXiv
2402.06782). Deviations: (1) debaters know each other as "you" and "your opponent", and only the
judge reads letters, so that one transcript is judged in both orders; (2) a speech that does not fit
after so many draws is cut and stays, with a note, and does not end the round for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from solon.oversight.briefing import inquiry
from solon.oversight.dispute import SIDES, Dispute, Side, Stand, other
from solon.oversight.drive import together
from solon.oversight.talk import Talk
from solon.oversight.telling import Audience
from solon.records import Abstains, Speech, Transcript
from solon.seams.games import Play

Speeches = tuple[Speech, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Debate(Talk):
    """The rules of a debate, and what its seats are asked.

    Example:
        drive([Debate(rounds=2).play(one) for one in disputes], seats)
    """

    order: Literal["simultaneous", "sequential"] = "simultaneous"
    """Whether the debaters of one round speak without hearing each other, or one after another."""

    @property
    def seats(self) -> tuple[str, ...]:
        return (*SIDES, "judge", *self.persuasion.seats)

    def play(
        self,
        dispute: Dispute,
        *,
        protagonist: Side | None = None,
        audience: Audience | None = None,
    ) -> Play[Transcript]:
        """The debate; with a protagonist, its seat and its opponent's are called by these names."""
        telling = self.telling(dispute, protagonist, audience)
        seats = _seats(protagonist)
        said: Speeches = ()
        for number in range(1, self.rounds + 1):
            yield from telling.look(said)
            new = yield from self._round(dispute, said, number, seats)
            if isinstance(new, Abstains):
                return telling.failed(said, new)
            said = (*said, *new)
            if self.interactive and number < self.rounds:
                said += yield from inquiry(self.ask, dispute, said, number)
        return (yield from telling.end(said))

    def _round(
        self, dispute: Dispute, said: Speeches, number: int, seats: dict[Side, str]
    ) -> Play[Speeches | Abstains]:
        def turn(side: Side, heard: Speeches) -> Play[Speech | Abstains]:
            stand = Stand(dispute=dispute, side=side, before=heard)
            return self.speech(stand, number, seats[side])

        if self.order == "simultaneous":
            new = yield from together(*(turn(side, said) for side in SIDES))
        else:
            first = yield from turn("first", said)
            if isinstance(first, Abstains):
                return first
            new = (first, (yield from turn("second", (*said, first))))
        failed = [one for one in new if isinstance(one, Abstains)]
        return failed[0] if failed else tuple(one for one in new if isinstance(one, Speech))


def _seats(protagonist: Side | None) -> dict[Side, str]:
    if protagonist is None:
        return {side: side for side in SIDES}
    return {protagonist: "protagonist", other(protagonist): "opponent"}
