"""What debate and consultancy share: rounds of speeches, and a judge that reads them."""

from __future__ import annotations

from dataclasses import dataclass

from solon.errors import at_least
from solon.oversight.briefing import turn_of
from solon.oversight.dispute import Dispute, Side, Stand
from solon.oversight.judging import Judging
from solon.oversight.persuasion import Persuasion, Plain
from solon.oversight.speaking import Speaking
from solon.oversight.telling import Audience, Telling
from solon.records import Abstains, Speech, digest
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Rules of speaking and judging; a game adds who speaks, and after whom.

    Raises SettingError where no round is played.
    """

    rounds: int = 3
    """Speeches of each who speaks."""
    speaking: Speaking = Speaking()
    """What a speech must be."""
    persuasion: Persuasion = Plain()
    """How a speech is chosen."""
    judging: Judging = Judging()
    """How the judge is asked."""
    interactive: bool = False
    """Whether the judge asks something between two rounds."""
    watch: bool = False
    """Whether the judge is asked for its probability after each round too."""
    template: str = "debate/speech"
    """What a speaker is asked: a packaged name or a path."""
    ask: str = "debate/ask"
    """What the judge is asked between two rounds, where it may speak."""

    def __post_init__(self) -> None:
        at_least(self, rounds=1)

    @property
    def id(self) -> str:
        """The game's name, and four digits of its rules."""
        return f"{type(self).__name__.lower()}@{digest(self)[:4]}"

    def telling(self, dispute: Dispute, by: Side | None, audience: Audience | None) -> Telling:
        """What becomes of the game: its record, and who hears it; ``by`` is who chose a side."""
        return Telling(self.id, dispute, self.judging, watch=self.watch, by=by, audience=audience)

    def speech(self, stand: Stand, number: int, seat: str) -> Play[Speech | Abstains]:
        """The seat's speech of that round."""
        turn = turn_of(
            stand, seat=seat, round=number, template=self.template, speaking=self.speaking
        )
        return self.persuasion.play(turn, stand)
