"""Many games at once: batches, order, and parts of one game at the same time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import SettingError
from solon.oversight.drive import drive, together
from solon.seams.games import Ask, Play


class Doubler:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.batches.append(list(asked))
        return [2 * one for one in asked]


def counting(start: int, steps: int, seat: str = "a") -> Play[int]:
    total = start
    for _ in range(steps):
        (total,) = yield (Ask(seat, total),)
    return total


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=12))
def test_each_game_ends_as_it_would_alone_in_one_batch_a_tick(games: list[tuple[int, int]]) -> None:
    player = Doubler()
    ended = drive([counting(start, steps) for start, steps in games], {"a": player})
    assert ended == [start * 2**steps for start, steps in games]
    longest = max((steps for _, steps in games), default=0)
    assert len(player.batches) == longest
    for tick, batch in enumerate(player.batches):
        assert len(batch) == sum(steps > tick for _, steps in games)


def test_a_player_at_two_seats_gets_one_batch_and_two_players_one_each() -> None:
    one, other = Doubler(), Doubler()
    drive([counting(1, 1, "a"), counting(2, 1, "b")], {"a": one, "b": one})
    assert one.batches == [[1, 2]]
    drive([counting(1, 1, "a"), counting(2, 1, "b")], {"a": other, "b": Doubler()})
    assert other.batches == [[1]]


def test_parts_at_the_same_time_share_their_ticks_and_keep_their_order() -> None:
    def game() -> Play[tuple[int, ...]]:
        return (yield from together(counting(1, 3), counting(5, 0), counting(7, 1)))

    player = Doubler()
    assert drive([game(), game()], {"a": player}) == [(8, 5, 14)] * 2
    assert player.batches == [[1, 7, 1, 7], [2, 2], [4, 4]]


def test_an_empty_seat_and_a_player_that_loses_an_ask_are_named() -> None:
    with pytest.raises(SettingError, match="expected someone at 'b', got a"):
        drive([counting(1, 1, "b")], {"a": Doubler()})
    with pytest.raises(SettingError, match="expected 1 replies of a player, got 0"):
        drive([counting(1, 1)], {"a": lambda asked: []})


def test_the_tick_hears_how_many_games_have_ended() -> None:
    heard: list[int] = []
    drive([counting(0, steps) for steps in (1, 2, 2)], {"a": Doubler()}, tick=heard.append)
    assert heard == [1, 3]
