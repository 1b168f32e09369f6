"""Judgements of judgements: places that are favoured, strengths that are planted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from solon.errors import InputError
from solon.judges.meta import Meta, omegas, questions, wins
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Judgement,
    PairJudgement,
    Prefers,
    Prompt,
)
from solon.statistics import bradley_terry

ASKED = Prompt.of("Rate it.")


def said(text: str) -> Completion:
    return Completion(prompt=ASKED, text=text)


def judged(first: Completion, second: Completion, p: float | None) -> PairJudgement:
    answer = Abstains(reason="mute") if p is None else Prefers(p_first=p)
    return Judgement(question=Compare(first=first, second=second), answer=answer, judge="meta")


def times(n: int, first: Completion, second: Completion, p: float | None) -> list[PairJudgement]:
    return [judged(first, second, p)] * n


A, B, C = said("a"), said("b"), said("c")


def test_strengths_recover_those_that_were_planted() -> None:
    planted = np.array([1.2, 0.4, -0.3, -1.3])
    odds = 1 / (1 + np.exp(-np.subtract.outer(planted, planted)))
    np.fill_diagonal(odds, 0.0)
    assert bradley_terry(1000 * odds, ridge=1e-9).strengths == pytest.approx(planted, abs=1e-6)
    draw = np.random.default_rng(1)
    drawn = draw.binomial(400, np.triu(odds)) * 1.0
    drawn += np.tril((400 - drawn).T, -1)
    assert bradley_terry(drawn, ridge=0.01).strengths == pytest.approx(planted, abs=0.2)


def test_with_a_ridge_the_winner_of_every_game_has_a_finite_strength_and_all_sum_to_0() -> None:
    always = np.array([[0.0, 4.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
    with pytest.raises(InputError):
        bradley_terry(always)
    found = bradley_terry(always, ridge=0.1).strengths
    assert found.sum() == pytest.approx(0.0, abs=1e-12)
    assert found[0] == pytest.approx(-found[2])
    assert 1 < found[0] < 20
    # where the slope of the penalised likelihood is 0
    p = 1 / (1 + np.exp(-np.subtract.outer(found, found)))
    slope = always.sum(axis=1) - ((always + always.T) * p).sum(axis=1) - 0.1 * found
    assert slope == pytest.approx(np.zeros(3), abs=1e-9)


def test_omegas_remove_a_planted_position_bias() -> None:
    """Two equals, a judge that names the first in 4 of 5, and one of them first more often."""
    votes = times(24, A, B, 1.0) + times(6, A, B, 0.0) + times(8, B, A, 1.0) + times(2, B, A, 0.0)
    assert omegas(votes) == (8 / 40, 32 / 40)
    fair, plain = wins([A, B], votes, omegas(votes)), wins([A, B], votes, (0.5, 0.5))
    assert fair == pytest.approx(np.array([[0.0, 6.4], [6.4, 0.0]]))
    assert bradley_terry(fair).strengths == pytest.approx([0.0, 0.0])
    assert bradley_terry(plain).strengths[0] > 0.2


def test_ties_and_abstentions_are_nobodys_win_and_none_at_all_weigh_both_places_alike() -> None:
    votes = [judged(A, B, 0.5), judged(B, A, None)]
    assert omegas(votes) == (0.5, 0.5)
    assert not wins([A, B], votes, (0.5, 0.5)).any()


def test_every_pair_is_asked_in_both_orders() -> None:
    asked = [(one.first.text, one.second.text) for one in questions([A, B, C])]
    assert len(asked) == len(set(asked)) == 6
    assert {pair[::-1] for pair in asked} == set(asked)


def verdicts(best: str, worst: str) -> np.ndarray:
    def won(m: Completion, n: Completion) -> float:
        return float(m.text == best or n.text == worst)

    votes = [judged(q.first, q.second, won(q.first, q.second)) for q in questions([A, B, C])]
    return wins([A, B, C], votes, (0.5, 0.5))


def test_the_strongest_is_chosen_the_weakest_rejected_and_equals_are_no_pair() -> None:
    pair = Meta().preference([A, B, C], verdicts("c", "a"))
    assert pair is not None
    assert (pair.chosen, pair.rejected, pair.source) == (C, A, "meta")
    assert Meta().preference([A, B, C], np.ones((3, 3)) - np.eye(3)) is None


@pytest.mark.parametrize(("longest", "kept"), [(5, True), (4, False)])
def test_a_chosen_judgement_over_the_limit_drops_its_pair(longest: int, kept: bool) -> None:
    long = said("aaaaa")
    always: Sequence[Sequence[float]] = [[0.0, 2.0], [0.0, 0.0]]
    pair = Meta(longest=longest).preference([long, B], np.array(always))
    assert (pair is not None) == kept
