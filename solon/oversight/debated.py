"""A debate's verdict as a pair judge: what any recipe can take as its judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from solon.oversight.asks import Speaker
from solon.oversight.debate import Debate
from solon.oversight.dispute import Dispute
from solon.oversight.drive import drive
from solon.oversight.judging import transcript
from solon.oversight.persuasion import CRITIC, PREFERENCE
from solon.records import Compare, Judgement, PairJudgement, Transcript, digest
from solon.seams.feedback import Chooser, PairJudge, Policy, Spec
from solon.seams.games import Seats

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Debated:
    """Two debaters argue for the two completions, and a judge that may be weaker decides.

    The whole debate is the judgement's rationale. It abstains where the debate came to no verdict.

    Example:
        Debated(debater=strong, judge=weak, game=Debate(rounds=1))
    """

    debater: Spec[Policy]
    """Who argues, for both sides."""
    judge: Spec[Chooser] | Spec[Policy]
    """Who decides, and is asked by a debater that optimises what it says."""
    game: Debate = Debate()
    """The rules."""
    source: str = ""
    """Name of the prompt's fact that only the debaters read; empty is none."""

    def open(self, run: Run, /) -> PairJudge:
        debater, judge = Speaker(self.debater.open(run)), Speaker(self.judge.open(run))
        debaters = dict.fromkeys(("first", "second", CRITIC), debater)
        return _Debated(
            id=f"{debater.model.id}/{judge.model.id}/{self.game.id}",
            game=self.game,
            seats={**debaters, **dict.fromkeys(("judge", PREFERENCE), judge)},
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Debated:
    id: str
    game: Debate
    seats: Seats
    source: str

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        disputes = [
            Dispute(question=one, source=one.first.prompt.fact(self.source)) for one in questions
        ]
        played = drive([self.game.play(one) for one in disputes], self.seats)
        return [self._judgement(one) for one in played]

    def _judgement(self, played: Transcript) -> PairJudgement:
        said = transcript(played.speeches, {"first": "A", "second": "B"})
        return Judgement(
            question=played.question,
            answer=played.answer,
            judge=self.id,
            rationale=str(said) if played.speeches else "",
            digest=digest(self.id, self.source, played.question),
        )
