from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.report.difference import PAIRS, difference, words_changed

WORDS = st.lists(st.sampled_from(["a", "cat", "sat", ".", " ", "\n", "\u200b", "can't"])).map(
    "".join
)


def shown(before: str, after: str) -> str:
    """The pieces as a reader of plain text would write them."""
    marks = {"same": "{}", "gone": "[-{}]", "new": "[+{}]"}
    return "".join(marks[piece.kind].format(piece.text) for piece in difference(before, after))


@given(st.tuples(WORDS, WORDS) | st.tuples(st.text(), st.text()))
def test_the_pieces_spell_both_texts_and_no_two_neighbours_are_of_a_kind(
    texts: tuple[str, str],
) -> None:
    before, after = texts
    found = difference(before, after)
    assert "".join(piece.text for piece in found if piece.kind != "new") == before
    assert "".join(piece.text for piece in found if piece.kind != "gone") == after
    assert all(piece.text for piece in found)
    kinds = [piece.kind for piece in found]
    assert not [pair for pair in pairwise(kinds) if pair[0] == pair[1]]
    assert ("new", "gone") not in pairwise(kinds)


@given(WORDS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert {piece.kind for piece in difference(text, text)} <= {"same"}
    assert words_changed(text, text) == 0


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("the cat sat", "the dog sat", "the[- cat][+ dog] sat"),
        ("You can't.", "You can.", "You[- can't][+ can]."),
        ("Stop it.", "Stop it. Go home.", "Stop it.[+ Go home.]"),
        ("Stop it. Go home.", "Go home.", "[-Stop it. ]Go home."),
        ("one two\n\nthree", "one two three", "one two[-\n\n][+ ]three"),
        ("no, never", "yes, always", "[-no, never][+yes, always]"),
        ("", "new", "[+new]"),
    ],
    ids=["word", "apostrophe", "end", "start", "space", "a sign parts nothing", "empty"],
)
def test_what_changed_is_marked_word_by_word(before: str, after: str, expected: str) -> None:
    assert shown(before, after) == expected


def test_common_words_of_long_texts_are_still_found() -> None:
    # difflib's own shortcut calls a word of more than 1 in 100 junk, and would mark all of it
    before = " ".join(f"the word{k}" for k in range(150))
    assert shown(before, before.replace("word70", "wort")).count("[") == 2


def test_a_flood_of_one_word_is_not_looked_through() -> None:
    began = time.perf_counter()
    found = difference("start " + "x " * 3000 + "end", "start y " + "x " * 3000 + "end")
    assert [piece.kind for piece in found] == ["same", "new", "same"]  # all but y is start or end
    assert PAIRS < 3000 * 2999
    found = difference("start " + "x y " * 1500 + "end", "start " + "y x z " * 1500 + "end")
    assert [piece.kind for piece in found] == ["same", "gone", "new", "same"]
    assert time.perf_counter() - began < 2


def test_words_changed_counts_what_was_taken_out_and_put_in() -> None:
    assert words_changed("a cat sat here", "a dog sat") == 3
    assert words_changed("sat a cat", "a cat sat") == 0
    assert words_changed("no no no", "no") == 2
