"""Debates and their foils on hidden passages of the town: who sits where, and how they speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from solon.lab.passage_advocate import PassageAdvocate
from solon.lab.passage_reader import PassageReader
from solon.lab.passages import Passage
from solon.oversight.asks import Speaker
from solon.oversight.consultancy import Consultancy, consultations
from solon.oversight.debate import Debate
from solon.oversight.dispute import SIDES, Dispute
from solon.oversight.drive import drive
from solon.oversight.persuasion import PREFERENCE, Persuasion
from solon.oversight.speaking import Speaking
from solon.oversight.verdicts import Rights, accuracy, by_protagonist
from solon.records import Transcript
from solon.seams.games import Game, Play

SPEECH = Speaking(limit=20, least=10, most=40)  # one quote
LONG = Speaking(limit=40, least=10, most=80)  # two: a consultant says as much as two debaters
DEBATE = Debate(speaking=SPEECH)
CONSULTANCY = Consultancy(speaking=LONG, interactive=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """Passages, a judge who cannot read them, and those who argue before it.

    The preference model is a judge with errors of its own.
    """

    passages: Sequence[Passage]
    judge: PassageReader
    advocate: PassageAdvocate

    @property
    def disputes(self) -> list[Dispute]:
        return [
            Dispute.of(one.question, one.first, one.second, source=one.source, id=one.id)
            for one in self.passages
        ]

    @property
    def rights(self) -> Rights:
        return {one.id: one.right for one in self.passages}

    def play(
        self,
        game: Game[Dispute, Transcript],
        *,
        seated: Mapping[str, PassageAdvocate] | None = None,
    ) -> list[Transcript]:
        """One game a passage; ``seated`` are advocates in another's place."""
        return self._driven([game.play(one) for one in self.disputes], seated or {})

    def accuracy(self, game: Game[Dispute, Transcript]) -> float:
        """The share of games after which the judge is right."""
        return accuracy(self.play(game), self.rights).estimate

    def consulted(self, persuasion: Persuasion) -> dict[str, float]:
        """The same of a consultancy: for the right side, for the wrong one, and their mean."""
        rules = replace(CONSULTANCY, persuasion=persuasion)
        split = by_protagonist(self._driven(consultations(rules, self.disputes), {}), self.rights)
        found = {honest: accuracy(split[honest], self.rights).estimate for honest in split}
        return {
            "consultancy": (found[True] + found[False]) / 2,
            "consultancy, honest": found[True],
            "consultancy, dishonest": found[False],
        }

    def _driven(
        self, plays: list[Play[Transcript]], seated: Mapping[str, PassageAdvocate]
    ) -> list[Transcript]:
        one, own = Speaker(self.advocate), replace(self.judge, seed=self.judge.seed + 1)
        seats = dict.fromkeys((*SIDES, "consultant", "protagonist", "opponent"), one)
        seats |= {"judge": Speaker(self.judge), PREFERENCE: Speaker(own)}
        return drive(plays, {**seats, **{name: Speaker(who) for name, who in seated.items()}})
