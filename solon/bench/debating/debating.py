"""Who debates before whom, about what: a value that the shell changes and a run plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from solon.bench.bench import head
from solon.bench.debating.opponents import renamed
from solon.bench.debating.posing import Posed, QuestionFile
from solon.bench.debating.protocols import PERSUASIONS, Rules, plays, protocol
from solon.bench.debating.stage import Stage
from solon.bench.named import named
from solon.errors import SettingError
from solon.judges.questions import FailureLimit
from solon.oversight.asks import Speaker
from solon.oversight.debate import Debate
from solon.oversight.direct import Direct
from solon.oversight.dispute import SIDES
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
OPPONENT = "opponent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Games:
    """The games of all questions in order, and where two models met, the same with sides swapped.

    Example:
        Games(played=transcripts).all
    """

    played: list[Transcript]
    swapped: list[Transcript]
    """The debater argues for the second answer in these."""

    @property
    def all(self) -> list[Transcript]:
        return [*self.played, *self.swapped]


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
    opponent: Spec[Policy] | None = None
    """Who argues for the second side, then for the first; none is the debater."""
    chunk: int = 32
    """Questions played at once; what a kill loses, less what the cache of replies holds."""
    abstain: float = 0.5
    """Share of the newest 200 games above which those without a verdict end the run."""

    def __post_init__(self) -> None:
        if self.opponent is not None and not isinstance(self.game, Debate):
            name = self.game.id.partition("@")[0]
            raise SettingError(f"opponent: expected the protocol debate, got {name}")

    def __call__(self, run: Run, posed: Sequence[Posed], *, stage: Stage | None = None) -> Games:
        """The transcripts of all games in order, each chunk on disk before the next begins.

        A stage shows one game after another; without one, a chunk's are played at once.
        """
        if isinstance(self.game, Direct) and self.game.judging.source:
            bare = [one.id for one in posed if not one.dispute.source]
            if bare:
                raise SettingError(f"expert: expected a source to read, got none for {bare[0]!r}")
        seats = self._seats(run)
        limit = FailureLimit(share=self.abstain, window=WINDOW)

        def played(some: Sequence[Posed], by: Seats = seats) -> list[Transcript]:
            games = [play for one in some for play in plays(self.game, one.dispute, stage)]
            if stage is not None:
                return [stage.closed(one) for game in games for one in drive([game], by)]
            found = drive(games, by)
            limit.note([_reason(one) for one in found], of="games")
            return found

        straight = run.map("transcripts", played, posed, chunk=self.chunk)
        if self.opponent is None:
            return Games(played=straight, swapped=[])
        first, second = (seats[side] for side in SIDES)
        turned = {**seats, **dict(zip(SIDES, (second, first), strict=True))}
        swapped = run.map(
            "transcripts-swapped", lambda some: played(some, turned), posed, chunk=self.chunk
        )
        return Games(played=straight, swapped=swapped)

    def _seats(self, run: Run) -> Seats:
        """One speaker for all of a model's seats: it answers them in one batch."""
        judged = JUDGED & set(self.game.seats)
        argued = set(self.game.seats) - judged
        found = dict.fromkeys(judged, Speaker(self.judge.open(run)))
        if argued:  # a judge alone needs no debater, which may have no model then
            found |= dict.fromkeys(argued, Speaker(self.debater.open(run)))
        if self.opponent is not None:
            found["second"] = Speaker(self.opponent.open(run))
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
    theirs = {key: text for key, text in changes.items() if head(key) == OPPONENT}
    others = {key: text for key, text in changes.items() if head(key) != OPPONENT}
    debating = override(debating, {**told, **others}, choices=CHOICES)
    if not theirs:
        return debating
    opponent = renamed(debating.debater, OPPONENT)  # all that is not set is the debater's
    return override(replace(debating, opponent=opponent), theirs)


def _reason(one: Transcript) -> str:
    return (one.answer.reason or "no reason given") if isinstance(one.answer, Abstains) else ""
