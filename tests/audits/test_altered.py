"""What an alteration adds, and that it keeps everything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.judges.altering import altered, by_turns
from solon.records import Compare, Completion, Prompt
from solon.text.altered import FEATURES, bulleted, numbered, repeated, restated
from solon.text.hostile import neutralise, restore
from solon.text.injected import ATTACKS, PLACEBO, injected

TEXT = "Boil it for six minutes. Then wait!\nPeel it under water."
MARKS = r"[*#\-\s]+|\b\d\.\s"


def test_restating_says_the_whole_again_so_many_times() -> None:
    for times in (1, 3, 5):
        text = restated(TEXT, times=times)
        assert text is not None
        assert text.startswith(TEXT)
        assert text.count(TEXT) == times + 1
        assert len(text) < (times + 1) * (len(TEXT) + 25)
    assert restated(" \n", times=1) is None


def test_the_items_of_a_list_are_said_twice_and_numbered_through() -> None:
    text = "Do this:\n1. boil\n   gently\n2. wait\nDone."
    assert repeated(text) == "Do this:\n1. boil\n2. wait\n3. boil\n   gently\n4. wait\nDone."
    assert repeated("- boil\n* wait") == "- boil\n* wait\n- boil\n* wait"
    assert repeated("1. boil") is None
    assert repeated("In 1990. It was\n- cold") is None


def test_lists_hold_a_sentence_an_item() -> None:
    assert bulleted(TEXT) == "- Boil it for six minutes.\n- Then wait!\n- Peel it under water."
    assert numbered(TEXT) == "1. Boil it for six minutes.\n2. Then wait!\n3. Peel it under water."
    for text in ("One sentence.", "- one\n- two", "See. ```\nx = 1. y\n```"):
        assert bulleted(text) is None
        assert numbered(text) is None


@pytest.mark.parametrize("name", ["bold", "heading", "bullets", "numbers"])
def test_form_adds_no_word_but_a_heading(name: str) -> None:
    text = FEATURES[name](TEXT)
    assert text is not None
    assert re.sub(MARKS, "", text).removeprefix("Answer") == re.sub(MARKS, "", TEXT)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_added_once(name: str) -> None:
    text = FEATURES[name](TEXT)
    assert text is not None
    assert text != TEXT
    if name not in ("praise", "authority", "confidence", "own_score"):
        assert FEATURES[name](text) is None


def test_the_first_word_of_each_sentence_is_bold() -> None:
    bold = FEATURES["bold"]
    assert bold(TEXT) == "**Boil** it for six minutes. **Then** wait!\n**Peel** it under water."
    assert bold("It's 3.5 times {more}.") == "**It's** 3.5 times {more}."


@given(st.text(max_size=60))
def test_no_alteration_fails_or_loses_a_text(text: str) -> None:
    for name, feature in FEATURES.items():
        made = feature(text)
        if made is not None and name not in ("bold", "bullets", "numbers"):
            assert text in made
    for made in (restated(text, times=2), injected(text, PLACEBO, slot=1, answer="1")):
        assert made is None or made.startswith(text)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_claims_the_answer_of_its_slot_and_is_made_harmless_without_loss(
    name: str,
) -> None:
    text = injected("{slot} eggs", ATTACKS[name], slot=2, answer="B")
    assert text.startswith("{slot} eggs\n\n")
    assert "B" in text.removeprefix("{slot} eggs")
    assert "{" not in text.removeprefix("{slot} eggs").replace('{"reason', "")
    tags = frozenset({"completion_1", "completion_2"})
    safe = neutralise(text, tags)
    assert (safe != text) == (name in ("tag", "close", "turns"))
    assert restore(safe, tags) == text


def test_every_other_pair_is_turned_and_an_altered_text_has_no_tokens() -> None:
    one, two = (
        Completion(prompt=Prompt.of("Egg?"), text=text, policy="p@1", tokens=(1,), logps=(-0.1,))
        for text in ("a", "b")
    )
    pair = Compare(first=one, second=two)
    assert by_turns([pair] * 3) == [pair, pair.swapped(), pair]
    other = altered(one, "c")
    assert (other.text, other.tokens, other.logps, other.policy) == ("c", (), (), "p@1")
