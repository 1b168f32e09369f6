"""Asks an estimator for the conditional probabilities of subclaims, and reads off the parent's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solon.oversight.argument import implied, prefixes
from solon.oversight.gates import Bits
from solon.oversight.moves import ESTIMATOR, Conditional, Row, Split
from solon.oversight.tally import Tally
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What the estimator stated of a split, and what that implies for the claim above."""

    rows: tuple[Row, ...]
    implied: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """How a split is estimated: exactly in 4,095 questions or fewer, else by sampled siblings.

    Example:
        yield from Questions(path=("root",), split=split, seed=1).play(Tally())
    """

    path: tuple[str, ...]
    split: Split
    seed: int = 0
    samples: int = 2000
    """Rows of trusted bits where there are too many prefixes; none of them is ever paid upon."""

    def play(self, tally: Tally) -> Play[Estimates]:
        """All prefixes at once, or one sibling after another."""
        opened = prefixes(self.split.gate, len(self.split.claims))
        if opened is None:
            return (yield from self._sampled(tally))
        p = yield from self._ask([one.given for one in opened], tally)
        return Estimates(rows=_rows(p), implied=implied(opened, p))

    def _sampled(self, tally: Tally) -> Play[Estimates]:
        coin = np.random.default_rng([self.seed, len(self.path)])
        drawn: list[Bits] = [()] * self.samples
        p: dict[Bits, float] = {}
        for _ in self.split.claims:
            p |= yield from self._ask(list(dict.fromkeys(drawn)), tally)
            tosses = coin.random(self.samples)
            drawn = [(*row, bool(toss < p[row])) for row, toss in zip(drawn, tosses, strict=True)]
        value = self.split.gate.value(np.array(drawn, dtype=bool))
        return Estimates(rows=_rows(p), implied=float(value.mean()))

    def _ask(self, given: list[Bits], tally: Tally) -> Play[dict[Bits, float]]:
        asked = [Conditional(path=self.path, split=self.split, given=one) for one in given]
        replies = yield from tally.ask(ESTIMATOR, asked)
        return {one: reply.p for one, reply in zip(given, replies, strict=True)}


def _rows(p: Mapping[Bits, float]) -> tuple[Row, ...]:
    return tuple(Row(given=given, p=one) for given, one in p.items())
