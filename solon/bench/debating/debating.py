"""Who debates before whom, about what: a value that the shell changes and a run plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solon.bench.debating.posing import Posed, QuestionFile
from solon.bench.debating.protocols import PERSUASIONS, Rules, plays, protocol
from solon.bench.debating.stage import Stage
from solon.bench.named import named
from solon.errors import SettingError
from solon.judges.questions import FailureLimit
from solon.oversight.asks import Speaker
from solon.oversight.direct import Direct
from solon.oversight.drive import drive
from solon.oversight.persuasion import PREFERENCE
from solon.records import Abstains, Transcript
from solon.run.run import Run
from solon.run.spec import override
from solon.seams.feedback import Chooser, Policy, Spec
from solon.seams.games import Seats

JUDGED = {"judge", PREFERENCE}
CHOICES: Mapping[str, Mapping[str, Any]] = dict.fromkeys(
    ("persuasion", "game.persuasion", "game.game.persuasion"), PERSUASIONS
)
WINDOW = 200  # newest games among which those without a verdict are counted


@dataclass(frozen=True, kw_only=True)
class Debating:
    """Games about questions, played by two models.

    Example:
        debating = Debating(debater=strong, judge=weak, game=Debate(), questions=file)
        debating(run, file.open(run))
    """

    debater: Spec[Policy]
    """Who argues, for either side, and criticises drafts where speeches are refined."""
    judge: Spec[Chooser] | Spec[Policy]
    """Who decides, and rates speeches where debaters optimise what they say."""
    game: Rules
    """The protocol's rules."""
    questions: Spec[list[Posed]]
    """What is argued about."""
    chunk: int = 32
    """Questions played at once; what a kill loses, less what the cache of replies holds."""
    abstain: float = 0.5
    """Share of the newest 200 games above which those without a verdict end the run."""

    def __call__(
        self, run: Run, posed: Sequence[Posed], *, stage: Stage | None = None
    ) -> list[Transcript]:
        """The transcripts of all games in order, each chunk on disk before the next begins.

        A stage shows one game after another; without one, a chunk's are played at once.
        """
        if isinstance(self.game, Direct) and self.game.judging.source:
            bare = [one.id for one in posed if not one.dispute.source]
            if bare:
                raise SettingError(f"expert: expected a source to read, got none for {bare[0]!r}")
        seats = self._seats(run)
        limit = FailureLimit(share=self.abstain, window=WINDOW)

        def played(some: Sequence[Posed]) -> list[Transcript]:
            games = [play for one in some for play in plays(self.game, one.dispute, stage)]
            if stage is not None:
                return [stage.closed(one) for game in games for one in drive([game], seats)]
            found = drive(games, seats)
            limit.note([_reason(one) for one in found], of="games")
            return found

        return run.map("transcripts", played, posed, chunk=self.chunk)

    def _seats(self, run: Run) -> Seats:
        """One speaker for all of a model's seats: it answers them in one batch."""
        judged = JUDGED & set(self.game.seats)
        argued = set(self.game.seats) - judged
        found = dict.fromkeys(judged, Speaker(self.judge.open(run)))
        if argued:  # a judge alone needs no debater, which may have no model then
            found |= dict.fromkeys(argued, Speaker(self.debater.open(run)))
        return found


def debating_on(
    bench: str,
    changes: Mapping[str, str],
    *,
    by: str = "debate",
    questions: Spec[list[Posed]] | None = None,
) -> Debating:
    """The bench's debaters under that protocol, changed as the shell asks.

    The judge is watched after each round, unless the questions are a file's: it costs two more
    calls a round. Raises SettingError where the bench has no debaters or no questions of its own.
    """
    made, rules = named(bench), protocol(by)
    asked = questions or made.disputes
    if made.debate is None:
        raise SettingError(
            f"debate: the bench {made.name!r} has no debaters: "
            "give it debate=Debated(debater=..., judge=...)"
        )
    if asked is None:
        raise SettingError(
            "debate: expected QUESTION --first ANSWER --second ANSWER, or --questions FILE"
        )
    if by == "debate":
        rules = made.debate.game
    rules = made.settings.get("debate", {}).get(by, rules)
    debating = Debating(
        debater=made.debate.debater, judge=made.debate.judge, game=rules, questions=asked
    )
    watched = not (isinstance(rules, Direct) or isinstance(asked, QuestionFile))
    told: dict[str, str] = {"watch": "true"} if watched else {}
    return override(debating, {**told, **changes}, choices=CHOICES)


def _reason(one: Transcript) -> str:
    return (one.answer.reason or "no reason given") if isinstance(one.answer, Abstains) else ""
