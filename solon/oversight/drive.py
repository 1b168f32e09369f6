"""Plays many games at once: one batch for each player at each tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from solon.errors import SettingError
from solon.seams.games import Ask, Play, Seat, Seats

T = TypeVar("T")
Move = tuple[int, int, Ask[Any]]  # the game, which of its asks, the ask


def drive(
    plays: Sequence[Play[T]], seats: Seats, *, tick: Callable[[int], None] | None = None
) -> list[T]:
    """How each game ended, in order.

    A player that sits at several seats answers them in one batch; where it meets the same question
    twice in a batch, it is asked twice. ``tick`` hears after each how many games have ended. Raises
    SettingError where a game asks a seat that nobody sits at.
    """
    ended: dict[int, T] = {}
    asks = {game: _sent(play, None, game, ended) for game, play in enumerate(plays)}
    while waiting := {game: asked for game, asked in asks.items() if game not in ended}:
        replies = _replies(waiting, seats)
        for game, asked in waiting.items():
            sent = tuple(replies[game, place] for place in range(len(asked)))
            asks[game] = _sent(plays[game], sent, game, ended)
        if tick is not None:
            tick(len(ended))
    return [ended[game] for game in range(len(plays))]


def _sent(
    play: Play[T], said: tuple[Any, ...] | None, game: int, ended: dict[int, T]
) -> tuple[Ask[Any], ...]:
    """What it asks next, or nothing, once it has ended; None begins it."""
    try:
        return next(play) if said is None else play.send(said)
    except StopIteration as end:
        ended[game] = end.value
        return ()


def _replies(
    waiting: dict[int, tuple[Ask[Any], ...]], seats: Seats
) -> dict[tuple[int, int], object]:
    batches: dict[int, tuple[Seat, list[Move]]] = {}
    for game, asked in waiting.items():
        for place, ask in enumerate(asked):
            if ask.seat not in seats:
                came = ", ".join(sorted(seats)) or "none"
                raise SettingError(f"seats: expected someone at {ask.seat!r}, got {came}")
            player = seats[ask.seat]
            batches.setdefault(id(player), (player, []))[1].append((game, place, ask))
    found: dict[tuple[int, int], object] = {}
    for player, moves in batches.values():
        said = player([ask.of for _, _, ask in moves])
        if len(said) != len(moves):
            raise SettingError(f"seats: expected {len(moves)} replies of a player, got {len(said)}")
        found |= {(game, place): one for (game, place, _), one in zip(moves, said, strict=True)}
    return found


def together(*plays: Play[T]) -> Play[tuple[T, ...]]:
    """Parts of one game played at the same time: none sees what the others say meanwhile."""
    ended: dict[int, T] = {}
    asks = {part: _sent(play, None, part, ended) for part, play in enumerate(plays)}
    while waiting := [part for part in asks if part not in ended]:
        said = yield tuple(ask for part in waiting for ask in asks[part])
        start = 0
        for part in waiting:
            own = said[start : start + len(asks[part])]
            start += len(own)
            asks[part] = _sent(plays[part], own, part, ended)
    return tuple(ended[part] for part in range(len(plays)))
