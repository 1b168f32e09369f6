"""Two debaters against each other: how often the first wins, and by how much Elo it is ahead.

Each question is played with the sides swapped too, so that neither gains by the answer that it was
given, or by the side on which it stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from solon.bench.closing import cell_of
from solon.oversight.dispute import Side, toward
from solon.records import Prefers, Transcript
from solon.statistics import Interval, proportion
from solon.statistics.elo import SCALE

UNDECIDED = "games without a verdict are left out of the win rate"


def rated(
    played: Sequence[Transcript], swapped: Sequence[Transcript], clusters: Mapping[str, str]
) -> dict[str, Any]:
    """Columns of the closing table; none where no game was decided."""
    sides: tuple[tuple[Side, Sequence[Transcript]], ...] = (("first", played), ("second", swapped))
    won = [
        (_won(one.answer, side), clusters[one.question.first.prompt.id])
        for side, games in sides
        for one in games
        if isinstance(one.answer, Prefers)
    ]
    if not won:
        return {}
    rate = proportion([bit for bit, _ in won], [group for _, group in won])
    return {"win rate": cell_of(rate), "Elo ahead": cell_of(_ahead(rate))}


def _won(answer: Prefers, side: Side) -> float:
    """1 where the judge thinks that side the likelier, 1/2 for a tie."""
    return float(np.sign(toward(side, answer.p_first) - 0.5) + 1) / 2


def _ahead(rate: Interval) -> Interval:
    """Elo is monotone in the win rate, and so are its ends; endless where all games were won."""
    low, estimate, high = (_elo(p) for p in (rate.low, rate.estimate, rate.high))
    return Interval(estimate=estimate, low=low, high=high, n=rate.n)


def _elo(rate: float) -> float:
    if not 0 < rate < 1:
        return math.inf if rate >= 1 else -math.inf
    return SCALE * math.log10(rate / (1 - rate))
