"""Best against worst: ties teach nothing, and length control keeps to the tiers."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from solon.judges.pairing import best_and_worst
from solon.records import Completion, Prompt

PROMPT = Prompt.of("how ?")


def texts(*words: str) -> list[Completion]:
    return [Completion(prompt=PROMPT, text=word) for word in words]


rated = st.lists(
    st.tuples(st.text("ab", min_size=1, max_size=6), st.integers(0, 5).map(float)),
    min_size=2,
    max_size=7,
)


@given(rated)
def test_without_length_control_it_is_the_highest_against_the_lowest(rows) -> None:
    scores = [score for _, score in rows]
    found = best_and_worst(texts(*(word for word, _ in rows)), scores)
    if max(scores) == min(scores):
        assert found is None
    else:
        assert found is not None
        assert found.chosen.text == rows[scores.index(max(scores))][0]
        assert found.rejected.text == rows[scores.index(min(scores))][0]


@given(rated, st.floats(0.05, 0.45))
def test_with_length_control_both_stay_in_their_tier(rows, rho) -> None:
    scores = [score for _, score in rows]
    found = best_and_worst(texts(*(word for word, _ in rows)), scores, rho=rho)
    if found is None:
        return
    spread = max(scores) - min(scores)
    own = [score for word, score in rows if word == found.chosen.text]
    other = [score for word, score in rows if word == found.rejected.text]
    assert max(own) >= max(scores) - rho * spread - 1e-9
    assert min(other) <= min(scores) + rho * spread + 1e-9


def test_length_control_takes_the_shortest_good_and_the_longest_bad_one() -> None:
    four = texts("aaaa", "aa", "bbbb", "b")
    plain = best_and_worst(four, [5.0, 4.8, 1.2, 1.0])
    short = best_and_worst(four, [5.0, 4.8, 1.2, 1.0], rho=0.1)
    assert plain is not None
    assert short is not None
    assert (plain.chosen.text, plain.rejected.text) == ("aaaa", "b")
    assert (short.chosen.text, short.rejected.text) == ("aa", "bbbb")


def test_scores_within_the_gap_are_a_tie() -> None:
    two = texts("a", "b")
    assert best_and_worst(two, [3.0, 3.4], gap=0.5) is None
    assert best_and_worst(two, [3.0, 3.6], gap=0.5) is not None
    assert best_and_worst([], []) is None
