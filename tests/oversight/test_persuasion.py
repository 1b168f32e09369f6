"""Optimised speeches: the best for the speaker's own side, whichever letter it has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oversight.scripted import DISPUTE, Model, seats

from solon.oversight.debate import Debate
from solon.oversight.drive import drive
from solon.oversight.persuasion import BestOf, Refine
from solon.oversight.speaking import Speaking
from solon.records import Abstains, Transcript

EASY = Speaking(limit=12, least=1, most=40, quotes=False)
GAME = Debate(rounds=1, speaking=EASY, persuasion=BestOf(n=4))


def numbered(asked: str, draw: int) -> str:
    return f"{'miller' if 'Your answer: The miller' in asked else 'smith'} {draw}"


def strength(asked: str) -> tuple[float, float]:
    """Believes who says the higher number: A's less B's."""
    said = {"A": 0.0, "B": 0.0}
    for part in asked.split('<speech by="')[1:]:
        said[part[0]] += float(part.split(">\n")[1].split("\n")[0].split()[-1])
    gap = said["A"] - said["B"]
    return (gap, 0.0)


def played(game: Debate, **players: Model) -> Transcript:
    debater = players.pop("debater", Model(says=numbered))
    (transcript,) = drive([game.play(DISPUTE)], seats(debater, Model(), **players))
    return transcript


def test_each_side_gives_its_most_persuasive_speech_and_never_its_worst() -> None:
    transcript = played(GAME, preference=Model(thinks=strength))
    assert [one.text for one in transcript.speeches] == ["miller 3", "smith 3"]
    worst = played(GAME, preference=Model(thinks=lambda asked: strength(asked)[::-1]))
    assert [one.text for one in worst.speeches] == ["miller 0", "smith 0"]


@pytest.mark.parametrize("lead", ["A", "B"])
def test_the_letter_that_a_side_has_changes_nothing(lead: str) -> None:
    """A preference model that loves one letter above all still tells the speeches apart."""

    def thinks(asked: str) -> tuple[float, float]:
        gap = strength(asked)[0] + (4.0 if lead == "A" else -4.0)
        return (gap, 0.0)

    transcript = played(GAME, preference=Model(thinks=thinks))
    assert [one.text for one in transcript.speeches] == ["miller 3", "smith 3"]


def test_speeches_without_a_readable_preference_are_not_chosen() -> None:
    def thinks(asked: str) -> tuple[float, float] | Abstains:
        return Abstains(reason="mute") if " 3\n" in asked else strength(asked)

    transcript = played(GAME, preference=Model(thinks=thinks))
    assert [one.text for one in transcript.speeches] == ["miller 2", "smith 2"]
    mute = Model(thinks=lambda asked: Abstains(reason="mute"))
    none = played(GAME, preference=mute)
    assert none.answer == Abstains(reason="the preference model gave no readable answer")


def writer(asked: str, draw: int) -> str:
    if "adviser says" in asked:
        return f"better {asked.split('<critique>')[1].split()[1]}"
    return "draft 1"


def critic() -> Model:
    return Model(says=lambda asked, draw: f"critique {draw + 5}")


def raters(asked: str) -> tuple[float, float]:
    """yes the likelier the higher the critique's number; of speeches, the higher number."""
    if "<critique>" in asked:
        return (0.0, float(asked.split("<critique>")[1].split()[1]))
    return strength(asked)


def test_a_speech_is_written_again_after_the_critique_rated_best() -> None:
    game = replace(GAME, persuasion=Refine(n=3))
    players = {"preference": Model(thinks=raters), "critic": critic()}
    transcript = played(game, debater=Model(says=writer), **players)
    assert [one.text for one in transcript.speeches] == ["better 7", "better 7"]


def test_a_draft_stays_where_rewriting_it_does_not_help() -> None:
    game = replace(GAME, persuasion=Refine(n=3))
    worse = Model(
        thinks=lambda asked: raters(asked) if "<critique>" in asked else strength(asked)[::-1]
    )
    transcript = played(game, debater=Model(says=writer), preference=worse, critic=critic())
    assert [one.text for one in transcript.speeches] == ["draft 1", "draft 1"]
    silent = played(
        game,
        debater=Model(says=writer),
        preference=Model(thinks=raters),
        critic=Model(finish="filter"),
    )
    assert [one.text for one in silent.speeches] == ["draft 1", "draft 1"]


def test_the_seats_that_persuasion_needs_are_the_games() -> None:
    assert GAME.seats == ("first", "second", "judge", "preference")
    assert replace(GAME, persuasion=Refine()).seats[-1] == "critic"
