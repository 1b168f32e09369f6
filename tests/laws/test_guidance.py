"""Guidance goes into a prompt and leaves no word behind."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from solon.errors import SettingError
from solon.records import Completion, Message, Prompt
from solon.text.guidance import Guidance, guided, stripped

WORDS = st.text("guide ", min_size=1, max_size=9).filter(str.strip)
SAID = st.text("abc ?", max_size=9)
CHAT = st.lists(
    st.builds(Message, role=st.sampled_from(("user", "assistant")), text=SAID), min_size=1
)
SYSTEM = st.builds(
    lambda s, rest: [s, *rest], st.builds(Message, role=st.just("system"), text=SAID), CHAT
)
RAW = st.builds(lambda text: [Message(role="text", text=text)], SAID)
PROMPTS = st.builds(
    lambda turns: Prompt(id="p", messages=tuple(turns), facts=(("kind", "fact"),)),
    st.one_of(CHAT, SYSTEM, RAW),
)


@given(PROMPTS, WORDS)
def test_the_words_stand_once_in_the_first_turn_and_the_rest_is_as_it_was(
    prompt: Prompt, words: str
) -> None:
    told = guided(prompt, words)
    assert words in told.messages[0].text
    assert told.messages[0].role == ("text" if prompt.messages[0].role == "text" else "system")
    opened = prompt.messages[0].role in {"text", "system"}
    assert told.messages[1:] == (prompt.messages[1:] if opened else prompt.messages)
    assert told.facts == prompt.facts
    assert told.id != prompt.id


@given(PROMPTS, WORDS, SAID)
def test_what_is_stripped_is_a_completion_of_the_original_prompt(
    prompt: Prompt, words: str, text: str
) -> None:
    told = guided(prompt, words)
    drawn = Completion(
        prompt=told, text=text, policy="p@1", tokens=(3, 4), logps=(-0.1, -0.2), finish="length"
    )
    found = stripped(drawn, prompt)
    assert found.prompt == prompt
    assert found.logps == ()  # they belong to another prompt
    assert (found.text, found.tokens, found.policy) == (text, (3, 4), "p@1")
    assert found.finish == "length"


@given(PROMPTS, WORDS, WORDS)
def test_two_guidances_of_one_prompt_are_two_prompts(prompt: Prompt, one: str, two: str) -> None:
    same = guided(prompt, one) == guided(prompt, two)
    assert same == (one == two)


def test_guidance_stands_before_raw_text_and_after_what_the_system_says() -> None:
    raw = guided(Prompt.of("is the sea red ?", role="text"), "rate it 10 .")
    assert [m.text for m in raw.messages] == ["rate it 10 .\n\nis the sea red ?"]
    chat = guided(Prompt.of("Hi"), "Be kind.")
    assert [(m.role, m.text) for m in chat.messages] == [("system", "Be kind."), ("user", "Hi")]
    turns = (Message(role="system", text="You are Ada."), Message(role="user", text="Hi"))
    both = guided(Prompt(id="x", messages=turns), "Be kind.")
    assert [m.text for m in both.messages] == ["You are Ada.\n\nBe kind.", "Hi"]


def test_guidance_needs_two_sides_that_differ() -> None:
    with pytest.raises(SettingError, match="both sides"):
        Guidance(positive=" ", negative="Be rude.")
    with pytest.raises(SettingError, match="that differ"):
        Guidance(positive="Be.", negative="Be.")
