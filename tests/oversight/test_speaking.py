"""Speeches that fit: word windows, quotes, draws again, and what becomes of those that never do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oversight.scripted import SOURCE, Model, words

from solon.errors import SettingError
from solon.oversight.asks import Speaker
from solon.oversight.drive import drive
from solon.oversight.speaking import Speaking, Turn
from solon.records import Abstains, Prompt, Speech

SHORT = Speaking(limit=10, least=5, most=12, attempts=3)
TURN = Turn(
    seat="first", side="first", round=1, prompt=Prompt.of("Speak."), source=SOURCE, speaking=SHORT
)


def said(model: Model, turn: Turn = TURN) -> Speech | Abstains:
    (speech,) = drive([turn.play()], {"first": Speaker(model)})
    return speech


def test_what_does_not_fit_is_drawn_again_without_asking_for_the_same_twice() -> None:
    tries = ["too short", words(30, quote="at noon"), words(8), words(8, quote="at noon")]
    model = Model(says=lambda asked, draw: tries[draw])
    speech = said(model, replace(TURN, speaking=replace(SHORT, attempts=4)))
    assert isinstance(speech, Speech)
    assert (speech.drawn, speech.failed) == (4, "")
    assert speech.text.endswith("<v_quote>at noon</v_quote>")
    assert len(model.batches) == 4


def test_after_so_many_draws_the_last_one_is_cut_and_says_why() -> None:
    speech = said(Model(says=lambda asked, draw: words(30, quote="at noon") + f" {draw}"))
    assert isinstance(speech, Speech)
    assert speech.failed == "31 words, where 5 to 12 were asked for"
    assert len(speech.text.split()) == 12


def test_a_speech_needs_a_quote_only_where_there_is_something_to_quote() -> None:
    model = Model(says=lambda asked, draw: words(8))
    without = said(model)
    assert isinstance(without, Speech)
    assert without.failed == "no quote"
    free = said(model, replace(TURN, source=""))
    assert isinstance(free, Speech)
    assert (free.drawn, free.failed) == (1, "")
    lax = said(model, replace(TURN, speaking=replace(SHORT, quotes=False)))
    assert isinstance(lax, Speech)
    assert lax.failed == ""


def test_a_call_that_failed_for_good_is_no_speech() -> None:
    assert said(Model(finish="filter")) == Abstains(reason="no server answered")


def test_thoughts_are_not_spoken() -> None:
    reply = f"<think>I lie.</think> {words(8, quote='at noon')}"
    speech = said(Model(says=lambda asked, draw: reply))
    assert isinstance(speech, Speech)
    assert "lie" not in speech.text


@pytest.mark.parametrize(
    "change", [{"least": 200}, {"most": 50}, {"limit": 0, "least": 0}, {"attempts": 0}]
)
def test_settings_are_checked(change: dict[str, int]) -> None:
    with pytest.raises(SettingError, match=r"least, limit, most|attempts"):
        replace(Speaking(), **change)
