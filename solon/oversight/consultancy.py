"""Consultancy: one consultant argues for one answer, right or wrong, and nobody contradicts it.

The foil of debate (Khan et al., arXiv 2402.06782; Kenton et al., arXiv 2407.04622). A judge's
accuracy is the mean over both sides with equal weight: ``consultations`` plays both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from solon.oversight.briefing import inquiry
from solon.oversight.dispute import SIDES, Dispute, Side, Stand
from solon.oversight.speaking import Speaking
from solon.oversight.talk import Talk
from solon.oversight.telling import Audience
from solon.records import Abstains, Speech, Transcript
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultancy(Talk):
    """The rules of a consultancy; its speeches are as long as those of two debaters together.

    Example:
        drive([Consultancy().play(dispute, side="first")], {"consultant": one, "judge": other})
    """

    speaking: Speaking = Speaking(limit=200, least=140, most=300)
    """What a speech must be."""
    interactive: bool = True
    """Whether the judge asks the consultant something between two rounds."""
    template: str = "debate/consult"
    """What the consultant is asked: a packaged name or a path."""

    @property
    def seats(self) -> tuple[str, ...]:
        return ("consultant", "judge", *self.persuasion.seats)

    def play(
        self,
        dispute: Dispute,
        *,
        side: Side,
        seat: str = "consultant",
        audience: Audience | None = None,
    ) -> Play[Transcript]:
        """The consultancy for that side's answer."""
        telling = self.telling(dispute, side, audience)
        said: tuple[Speech, ...] = ()
        for number in range(1, self.rounds + 1):
            yield from telling.look(said)
            stand = Stand(dispute=dispute, side=side, before=said)
            new = yield from self.speech(stand, number, seat)
            if isinstance(new, Abstains):
                return telling.failed(said, new)
            said = (*said, new)
            if self.interactive and number < self.rounds:
                said += yield from inquiry(self.ask, dispute, said, number)
        return (yield from telling.end(said))


def consultations(rules: Consultancy, disputes: Iterable[Dispute]) -> list[Play[Transcript]]:
    """Each dispute twice, once for each side: an honest consultant alone would prove nothing."""
    return [rules.play(one, side=side) for one in disputes for side in SIDES]
