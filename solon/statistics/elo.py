"""Elo ratings from win rates, as Khan et al. (arXiv 2402.06782) rate debaters.

P(1 beats 2) = 1 / (1 + 10^((r2 - r1) / 400)), fitted by least squares of the win rates. Only
differences of ratings mean anything: their mean is set to 1500.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
from scipy import optimize

from solon.errors import InputError

Player = TypeVar("Player", bound=Hashable)
MEAN, SCALE = 1500.0, 400.0


def expected(first: float, second: float) -> float:
    """P(first beats second) by their ratings."""
    return float(1 / (1 + 10 ** ((second - first) / SCALE)))


def elo(
    rates: Mapping[tuple[Player, Player], tuple[float, int]], *, most: float = 2000.0
) -> dict[Player, float]:
    """Each player's rating from (win rate of the first, games) of each pair that met.

    Who won every game has no finite rating by the formula: a rating is held within ``most`` of the
    mean. Raises InputError where players are in groups that never met: then no scale joins them.
    """
    players = list(dict.fromkeys(one for pair in rates for one in pair))
    if not players:
        raise InputError("elo: expected games between players, got none")
    _refuse_apart(list(rates), players)
    at = {player: row for row, player in enumerate(players)}
    pairs = np.array([[at[first], at[second]] for first, second in rates])
    rate, games = (np.array(column, dtype=float) for column in zip(*rates.values(), strict=True))

    def residuals(ratings: np.ndarray) -> np.ndarray:
        gap = ratings[pairs[:, 1]] - ratings[pairs[:, 0]]
        p = 1 / (1 + 10 ** (gap / SCALE))
        # a rating that no game pins down is pulled to the mean, by next to nothing
        return np.concatenate([np.sqrt(games) * (p - rate), 1e-6 * ratings])

    found = optimize.least_squares(residuals, np.zeros(len(players)), bounds=(-most, most))
    ratings = found.x - found.x.mean() + MEAN
    return dict(zip(players, ratings.tolist(), strict=True))


def _refuse_apart(met: list[tuple[Player, Player]], players: list[Player]) -> None:
    joined = {players[0]}
    while more := {one for pair in met if joined & set(pair) for one in pair} - joined:
        joined |= more
    if apart := [one for one in players if one not in joined]:
        raise InputError(f"elo: expected players that are joined by games, got {apart[0]} apart")
