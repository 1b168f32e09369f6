"""Who disputes which claims by which rules: a value that the shell changes and a run plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from solon.bench.bench import head
from solon.bench.debating.opponents import renamed
from solon.bench.disputing.players import ESTIMATORS, Models, Seating
from solon.bench.disputing.posing import PosedClaim
from solon.bench.named import named
from solon.errors import SettingError
from solon.judges.questions import FailureLimit
from solon.oversight.drive import drive
from solon.oversight.moves import ESTIMATOR
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.rewording import Rewording
from solon.records import Reworded, TreeDebate
from solon.run.run import Run
from solon.run.spec import override
from solon.seams.feedback import Spec

NAME = "prover-estimator"
CHOICES: Mapping[str, Mapping[str, Any]] = dict.fromkeys(
    ("estimator", "players.estimator"), ESTIMATORS
)
WINDOW = 200  # newest debates among which those without a verdict are counted


@dataclass(frozen=True, kw_only=True)
class Disputing:
    """Prover-estimator debates about claims.

    Example:
        disputing = Disputing(players=Models(debater=strong, judge=weak), questions=file)
        disputing(run, file.open(run))
    """

    players: Spec[Seating]
    """Who sits at the seats."""
    questions: Spec[list[PosedClaim]]
    """What is disputed."""
    game: ProverEstimator = ProverEstimator(depth=2, whole=True)
    """The rules."""
    eps: float = 0.05
    """The error of an estimate for which it is told how far a claim moves."""
    wordings: int = 0
    """Other wordings in which each claim on a path is estimated again; 0 asks for none."""
    chunk: int = 32
    """Claims disputed at once; what a kill loses, less what the cache of replies holds."""
    abstain: float = 0.5
    """Share of the newest 200 debates above which those without a verdict end the run."""

    def __post_init__(self) -> None:
        if not 0 < self.eps < 1:
            raise SettingError(f"eps: expected between 0 and 1, got {self.eps}")
        if self.wordings < 0 or self.chunk < 1:
            came = f"{self.wordings} and {self.chunk}"
            raise SettingError(f"wordings, chunk: expected at least 0 and 1, got {came}")

    def __call__(
        self, run: Run, posed: Sequence[PosedClaim]
    ) -> tuple[list[TreeDebate], list[Reworded]]:
        """All debates in order, each chunk on disk before the next begins, and the wordings."""
        if self.wordings and any(one.tree is not None for one in posed):
            raise SettingError("wordings: expected 0 for planted claims, whose stability is known")
        seating = self.players.open(run)
        limit = FailureLimit(share=self.abstain, window=WINDOW)

        def played(some: Sequence[PosedClaim]) -> list[TreeDebate]:
            found = drive([self.game.play(one.disputed) for one in some], seating(some))
            limit.note([one.failed for one in found], of="debates")
            return found

        debates = run.map("trees", played, posed, chunk=self.chunk)
        return debates, self._reworded(run, debates, seating) if self.wordings else []

    def _reworded(
        self, run: Run, debates: Sequence[TreeDebate], seating: Seating
    ) -> list[Reworded]:
        """Of each claim on a path, once."""
        game = Rewording(n=self.wordings)
        claims = list(dict.fromkeys(one.claim for played in debates for one in played.rounds))

        def asked(some: Sequence[str]) -> list[Reworded]:
            seats = {ESTIMATOR: seating([])[ESTIMATOR]}
            return drive([game.play(one) for one in some], seats)

        return run.map("wordings", asked, claims, chunk=self.chunk)


def disputing_on(
    bench: str, changes: Mapping[str, str], *, questions: Spec[list[PosedClaim]] | None = None
) -> Disputing:
    """The bench's players, changed as the shell asks.

    Raises SettingError where the bench has no debaters, or no claims of its own and none is given.
    """
    made = named(bench)
    own = made.settings.get("debate", {}).get(NAME)
    if isinstance(own, Disputing):
        disputing = own if questions is None else replace(own, questions=questions)
        return override(disputing, changes, choices=CHOICES)
    if made.debate is None:
        raise SettingError(
            f"debate: the bench {made.name!r} has no debaters: "
            "give it debate=Debated(debater=..., judge=...)"
        )
    if questions is None:
        raise SettingError("debate: expected CLAIM, or --questions FILE")
    players = Models(debater=made.debate.debater, judge=made.debate.judge)
    theirs = {key: text for key, text in changes.items() if head(key) == ESTIMATOR}
    others = {key: text for key, text in changes.items() if head(key) != ESTIMATOR}
    disputing = override(Disputing(players=players, questions=questions), others)
    if not theirs:
        return disputing
    changed = disputing.players
    assert isinstance(changed, Models), "override keeps what it is given"
    woken = replace(changed, estimator=renamed(changed.debater, ESTIMATOR))
    return override(replace(disputing, players=woken), theirs)
