"""Asks an estimator for one claim in other words, and for how probable each wording is.

An estimator that moves with the wording errs by at least so much somewhere. It writes the wordings
itself, as a prover would gain by wordings that mean something else. Our formulation.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.errors import SettingError
from solon.oversight.moves import ESTIMATOR, Conditional, Reword, Split
from solon.oversight.tally import Tally, unless_given_up
from solon.records import Reworded
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewording:
    """Each wording is asked by itself, the claim's own among them.

    Example:
        drive([Rewording(n=4).play("The lamp is hidden.")], {"estimator": party})
    """

    n: int = 4
    """Other wordings of each claim."""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SettingError(f"n: expected at least 1, got {self.n}")

    def play(self, claim: str, /) -> Play[Reworded]:
        """The wordings and their estimates, or why a reply could not be read."""
        found: list[tuple[str, float]] = []
        failed = yield from unless_given_up(lambda: self._ask(claim, found))
        return Reworded(
            claim=claim,
            wordings=tuple(words for words, _ in found),
            p=tuple(p for _, p in found),
            failed=failed,
        )

    def _ask(self, claim: str, found: list[tuple[str, float]]) -> Play[None]:
        tally = Tally()
        said = yield from tally.one(ESTIMATOR, Reword(claim=claim, n=self.n))
        wordings = (claim, *said.claims)
        asked = [Conditional(path=(), split=Split(claims=(words,)), given=()) for words in wordings]
        replies = yield from tally.ask(ESTIMATOR, asked)
        found += [(words, one.p) for words, one in zip(wordings, replies, strict=True)]
