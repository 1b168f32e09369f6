"""Open protocols: the protagonist picks the side that it argues for (Kenton et al., 2407.04622).

A judge's accuracy is told apart by whether the protagonist picked the right side: an open
consultancy shows how often a judge is talked into what the stronger model wrongly believes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from solon.oversight.consultancy import Consultancy
from solon.oversight.debate import Debate
from solon.oversight.dispute import Dispute, Side
from solon.oversight.judging import Judging
from solon.oversight.telling import Audience
from solon.records import Abstains, Transcript
from solon.seams.games import Play

PROTAGONIST = "protagonist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A debate or a consultancy whose protagonist argues for what it thinks is right.

    Example:
        Opened(game=Debate(rounds=2)).play(dispute)
    """

    game: Debate | Consultancy
    """What is played once the side is picked."""
    picking: Judging = Judging(source=True)
    """How the protagonist is asked for its side."""

    @property
    def id(self) -> str:
        """That of the game, opened."""
        return f"open-{self.game.id}"

    @property
    def seats(self) -> tuple[str, ...]:
        rest = tuple(one for one in self.game.seats if one not in ("first", "second", "consultant"))
        sides = (PROTAGONIST, "opponent") if isinstance(self.game, Debate) else (PROTAGONIST,)
        return (*sides, *rest)

    def play(self, dispute: Dispute, *, audience: Audience | None = None) -> Play[Transcript]:
        """The game; no verdict where the protagonist cannot say which side is right."""
        picked = yield from self.picking.play(dispute, (), seat=PROTAGONIST)
        if isinstance(picked, Abstains):
            return Transcript(game=self.id, question=dispute.question, speeches=(), answer=picked)
        side: Side = "first" if picked.p_first >= 0.5 else "second"
        if isinstance(self.game, Debate):
            played = yield from self.game.play(dispute, protagonist=side, audience=audience)
        else:
            played = yield from self.game.play(
                dispute, side=side, seat=PROTAGONIST, audience=audience
            )
        return replace(played, game=self.id)
