"""The pixel game: turns and claims, a search that is minimax, and what each player comes to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from solon.errors import SettingError
from solon.oversight.drive import drive
from solon.oversight.pixel_players import AtRandom, Searching, Sparse
from solon.oversight.pixels import Picture, Pixels, Reveal, Seen
from solon.seams.games import Seat


@dataclass(frozen=True, eq=False)
class Planted:
    """A judge with any three-class opinion of each set of pixels, fixed by a seed."""

    seed: int
    pixels: int = 6

    def __call__(self, images, shown, /):
        del images
        return np.stack([self.opinion(tuple(np.flatnonzero(row))) for row in shown])

    def further(self, images, shown):
        found = np.zeros((*shown.shape, 3))
        for pixel in range(self.pixels):
            after = shown.copy()
            after[:, pixel] = True
            found[:, pixel] = self(images, after)
        return found

    def opinion(self, shown: tuple[int, ...]):
        logits = np.random.default_rng([self.seed, 99, *shown]).normal(size=3)
        return logits - np.log(np.exp(logits).sum())


def picture(**changes) -> Picture:
    return Picture(**{"image": np.zeros(6), "first": 0, "second": 1, "seed": 3} | changes)


def played(rules: Pixels, judge: Planted, who: Seat, one: Picture) -> Seen:
    return drive([rules.play(one)], {"first": who, "second": who, "judge": Sparse(judge)})[0]


def minimax(judge: Planted, one: Picture, shown: tuple[int, ...], turns: tuple[str, ...]) -> float:
    """The first side's lead under optimal play, by plain recursion."""
    if not turns:
        return float(one.lead(judge.opinion(tuple(sorted(shown)))))
    after = [
        minimax(judge, one, (*shown, pixel), turns[1:]) for pixel in range(6) if pixel not in shown
    ]
    return max(after) if turns[0] == "first" else min(after)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("turns", [("first", "second"), ("second", "first"), ("second",)])
@pytest.mark.parametrize("second", [1, None])
def test_a_full_search_plays_optimally(seed: int, turns, second: int | None) -> None:
    judge, one = Planted(seed), picture(second=second)
    rules = Pixels(pixels=4, turns=turns)
    seen = played(rules, judge, Searching(sees=judge, depth=4, width=6), one)
    whole = tuple(turns[at % len(turns)] for at in range(4))
    assert seen.lead == pytest.approx(minimax(judge, one, (), whole))
    assert len(set(seen.pixels)) == 4


def test_who_searches_deeper_leads_more_over_many_judges() -> None:
    leads = []
    for seed in range(60):
        judge = Planted(seed)
        for depth in (1, 4):
            deep, greedy = Searching(sees=judge, depth=depth, width=6), Searching(sees=judge)
            seats = {"first": deep, "second": greedy, "judge": Sparse(judge)}
            leads.append(drive([Pixels(pixels=4).play(picture())], seats)[0].lead)
    assert np.mean(leads[1::2]) > np.mean(leads[0::2]) + 0.2


def test_greedy_takes_the_pixel_that_moves_the_judge_most() -> None:
    judge, one = Planted(4), picture()
    asked = Reveal(picture=one, shown=(2,), turns=("second", "first"))
    (pixel,) = Searching(sees=judge)([asked])
    leads = {p: one.lead(judge.opinion(tuple(sorted((2, p))))) for p in (0, 1, 3, 4, 5)}
    assert pixel == min(leads, key=leads.__getitem__)


def test_a_side_that_did_not_commit_itself_counts_its_best_class() -> None:
    logps = np.log([[0.5, 0.2, 0.3], [0.2, 0.7, 0.1]])
    assert picture(second=None).lead(logps) == pytest.approx(np.log([0.5 / 0.3, 0.2 / 0.7]))
    assert picture(first=None, second=1).lead(logps) == pytest.approx(np.log([2.5, 0.2 / 0.7]))
    assert picture(second=2).lead(logps) == pytest.approx(np.log([0.5 / 0.3, 2.0]))


def test_sides_take_turns_and_a_consultant_has_them_all() -> None:
    heard: list[tuple[str, ...]] = []

    def scribe(asked):
        heard.extend(one.turns for one in asked)
        return [len(one.shown) for one in asked]

    played(Pixels(pixels=3), Planted(0), scribe, picture())
    assert heard == [("first", "second", "first"), ("second", "first"), ("first",)]
    assert Pixels(turns=("second",)).seats == ("second", "judge")


def test_a_pixel_is_shown_once_and_must_exist() -> None:
    for pixel in (0, 6):
        with pytest.raises(SettingError, match="expected a pixel not shown yet"):
            played(
                Pixels(pixels=2), Planted(0), lambda asked, p=pixel: [p for _ in asked], picture()
            )


def test_random_pixels_depend_on_the_picture_alone() -> None:
    judge, game = Planted(0), Pixels(pixels=4)
    seats = {"first": AtRandom(), "second": AtRandom(), "judge": Sparse(judge)}
    pictures = [picture(seed=seed) for seed in range(30)]
    together = drive([game.play(one) for one in pictures], seats)
    assert together == [drive([game.play(one)], seats)[0] for one in pictures]
    assert len({one.pixels for one in together}) > 20


def test_games_of_different_lengths_are_searched_beside_each_other() -> None:
    judge = Planted(5)
    who = Searching(sees=judge, depth=3, width=6)
    seats = {"first": who, "second": who, "judge": Sparse(judge)}
    games = [Pixels(pixels=2), Pixels(pixels=3), Pixels(pixels=3, turns=("second", "first"))]
    together = drive([game.play(picture()) for game in games], seats)
    assert together == [drive([game.play(picture())], seats)[0] for game in games]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SettingError, match="expected two classes, got 1 twice"):
        picture(first=1)
    with pytest.raises(SettingError, match="pixels, turns"):
        Pixels(pixels=0)
    with pytest.raises(SettingError, match="depth, width"):
        Searching(sees=Planted(0), depth=0)
