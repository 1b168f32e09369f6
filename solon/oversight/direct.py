"""Direct judging: the judge alone, without the source (naive) or with it (expert)."""

from __future__ import annotations

from dataclasses import dataclass

from solon.oversight.dispute import Dispute
from solon.oversight.judging import Judging
from solon.oversight.telling import Telling
from solon.records import Transcript, digest
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """No speeches: what debate must beat, and with the source, what it can hope for.

    Example:
        drive([Direct().play(one) for one in disputes], {"judge": judge})
    """

    judging: Judging = Judging()
    """How the judge is asked, and whether it reads the source."""

    @property
    def id(self) -> str:
        """The game's name, and four digits of its rules."""
        return f"{'expert' if self.judging.source else 'naive'}@{digest(self)[:4]}"

    @property
    def seats(self) -> tuple[str, ...]:
        return ("judge",)

    def play(self, dispute: Dispute) -> Play[Transcript]:
        telling = Telling(self.id, dispute, self.judging, watch=False, by=None)
        return (yield from telling.end(()))
