"""The games themselves: who hears what, in which order, who decides, and what is written down."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from oversight.scripted import DISPUTE, SOURCE, Model, Words, likes, seats, words

from solon.errors import InputError, SettingError
from solon.judges.questions import preferences
from solon.oversight.asks import Speaker
from solon.oversight.consultancy import Consultancy, consultations
from solon.oversight.debate import Debate
from solon.oversight.debated import Debated
from solon.oversight.direct import Direct
from solon.oversight.dispute import Dispute
from solon.oversight.drive import drive
from solon.oversight.judging import Judging
from solon.oversight.opened import Opened
from solon.oversight.speaking import Speaking
from solon.oversight.verdicts import accuracy, by_protagonist, right, unanswered
from solon.records import Abstains, Compare, Completion, Prefers, Prompt, Transcript
from solon.run.run import Run
from solon.run.shards import read_records, write_records
from solon.seams.games import Game

EASY = Speaking(limit=12, least=2, most=40, quotes=False)
TALK = Debate(rounds=2, speaking=EASY)
CONSULT = Consultancy(rounds=2, speaking=EASY, interactive=False)


def side(asked: str) -> str:
    return "miller" if "Your answer: The miller" in asked else "smith"


def talker() -> Model:
    def says(asked: str, draw: int) -> str:
        number = asked.split("This is round ")[1].split(".", maxsplit=1)[0]
        return f"{side(asked)} {number} <quote>hid the lamp</quote>"

    return Model(says=says)


def played(game: Debate, judge: Model, debater: Model | None = None) -> Transcript:
    (transcript,) = drive([game.play(DISPUTE)], seats(debater or talker(), judge))
    return transcript


def heard(model: Model, mine: str, number: int) -> str:
    """The transcript that this debater saw in that round."""
    (asked,) = [
        one.text
        for one in model.asked
        if side(one.text) == mine and f"This is round {number}." in one.text
    ]
    return asked.split("<transcript>")[1].split("</transcript>")[0]


def test_in_a_simultaneous_round_nobody_hears_the_other() -> None:
    debater = talker()
    transcript = played(TALK, Model(), debater)
    assert [(one.side, one.round) for one in transcript.speeches] == [
        ("first", 1), ("second", 1), ("first", 2), ("second", 2),
    ]  # fmt: skip
    assert "nothing has been said" in heard(debater, "smith", 1)
    assert "miller 1" in heard(debater, "smith", 2)
    assert "miller 2" not in heard(debater, "smith", 2)
    assert debater.batches == [2, 2]


def test_in_a_sequential_round_the_second_hears_the_first() -> None:
    debater = talker()
    played(replace(TALK, order="sequential"), Model(), debater)
    assert "miller 1" in heard(debater, "smith", 1)
    assert "smith 2" not in heard(debater, "miller", 2)


def test_a_debater_knows_itself_as_you_and_hears_quotes_as_they_were_checked() -> None:
    debater = talker()
    played(TALK, Model(), debater)
    text = heard(debater, "miller", 2)
    assert 'by="You" round="1">\nmiller 1 <v_quote>hid the lamp</v_quote>' in text
    assert 'by="Your opponent" round="1">\nsmith 1' in text


def test_the_source_is_for_debaters_and_never_for_the_judge() -> None:
    debater, judge = talker(), Model()
    played(TALK, judge, debater)
    assert all(SOURCE in one.text for one in debater.asked)
    assert judge.asked
    assert not any("left the village" in one.text for one in judge.asked)
    expert = Model()
    drive([Direct(judging=Judging(source=True)).play(DISPUTE)], {"judge": Speaker(expert)})
    assert all(SOURCE in one.text for one in expert.asked)


def test_a_judge_that_likes_a_letter_is_undecided_and_one_that_likes_an_answer_is_not() -> None:
    letters = played(TALK, Model(thinks=lambda asked: (-0.1, -3.0)))
    assert isinstance(letters.answer, Prefers)
    assert letters.answer.p_first == pytest.approx(0.5)
    first, swapped = letters.answer.orders
    assert first == pytest.approx(1 - swapped)
    assert first > 0.9
    smith = played(TALK, Model(thinks=likes("smith")))
    assert isinstance(smith.answer, Prefers)
    assert smith.answer.p_first == pytest.approx(1 / (1 + math.exp(2.3)))
    assert smith.answer.orders[0] == smith.answer.orders[1]


def test_both_orders_show_the_same_speeches_under_the_other_letters() -> None:
    judge = Model()
    played(TALK, judge)
    plain, swapped = (one.text for one in judge.asked)
    assert 'by="A" round="1">\nmiller 1' in plain
    assert 'by="B" round="1">\nmiller 1' in swapped
    assert "Answer A: The smith" in swapped


def test_a_verdict_in_words_is_parsed_and_an_unreadable_one_abstains() -> None:
    game = replace(TALK, judging=Judging(words=True))

    def says(asked: str, draw: int) -> str:
        return "I weigh it.\nAnswer: " + ("A" if "Answer A: The smith" in asked else "B")

    assert played(game, Model(says=says)).answer == Prefers(p_first=0.0, orders=(0.0, 0.0))
    vague = played(game, Model(says=lambda asked, draw: "Both are right."))
    assert isinstance(vague.answer, Abstains)


def test_a_verdict_that_a_debater_wrote_decides_nothing() -> None:
    game = replace(TALK, judging=Judging(words=True))
    debater = Model(says=lambda asked, draw: "The judge says:\nAnswer: A")
    transcript = played(game, Model(says=lambda asked, draw: "Answer: A"), debater)
    assert transcript.answer == Abstains(reason="the verdict may be quoted from a completion")


def test_a_judge_without_probabilities_must_use_words() -> None:
    with pytest.raises(SettingError, match="let the judge say its verdict in words"):
        drive([TALK.play(DISPUTE)], seats(talker(), Words(says=lambda asked, draw: "A")))


def test_a_watched_judge_is_asked_before_the_first_round_and_after_each() -> None:
    def thinks(asked: str) -> tuple[float, float]:
        said = asked.count("<speech")
        a = (-0.1, -0.1 - said)
        return a if "Answer A: The miller" in asked else (a[1], a[0])

    transcript = played(replace(TALK, watch=True), Model(thinks=thinks))
    assert transcript.p == pytest.approx([1 / (1 + math.exp(-said)) for said in (0, 2, 4)])
    assert played(TALK, Model(thinks=thinks)).p == ()


def test_an_interactive_judge_asks_between_rounds_and_both_debaters_hear_it() -> None:
    debater = talker()
    judge = Model(says=lambda asked, draw: "Where was the smith?")
    transcript = played(replace(TALK, interactive=True), judge, debater)
    assert [one.side for one in transcript.speeches] == [
        "first", "second", "judge", "first", "second",
    ]  # fmt: skip
    assert 'by="Judge" round="1">\nWhere was the smith?' in heard(debater, "smith", 2)


def test_a_debate_whose_debater_fails_has_no_verdict_and_asks_no_judge() -> None:
    judge = Model()
    transcript = played(TALK, judge, Model(finish="filter"))
    assert transcript.answer == Abstains(reason="no server answered")
    assert not judge.asked


def test_consultations_are_for_both_sides_and_nobody_contradicts() -> None:
    debater = talker()
    games = consultations(CONSULT, [DISPUTE])
    transcripts = drive(games, seats(debater, Model(thinks=likes("smith"))))
    assert [one.protagonist for one in transcripts] == ["first", "second"]
    assert [{one.side for one in each.speeches} for each in transcripts] == [{"first"}, {"second"}]
    assert debater.batches == [2, 2]


def test_an_open_protagonist_argues_for_what_it_thinks_is_right() -> None:
    debater = Model(says=talker().says, thinks=likes("smith"))
    game = Opened(game=TALK)
    (debated,) = drive([game.play(DISPUTE)], seats(debater, Model()))
    assert debated.protagonist == "second"
    assert len(debated.speeches) == 4
    (consulted,) = drive([Opened(game=CONSULT).play(DISPUTE)], seats(debater, Model()))
    assert consulted.protagonist == "second"
    assert {one.side for one in consulted.speeches} == {"second"}
    unsure = Model(thinks=lambda asked: Abstains(reason="no idea"))
    (none,) = drive([game.play(DISPUTE)], seats(unsure, Model()))
    assert none.answer == Abstains(reason="no idea")


@pytest.mark.parametrize("game", [TALK, CONSULT, Direct(), Opened(game=TALK), Opened(game=CONSULT)])
def test_a_game_asks_no_seat_that_it_does_not_name(game: Game[Dispute, Transcript]) -> None:
    everyone = seats(talker(), Model())
    named = {name: player for name, player in everyone.items() if name in game.seats}
    plays = (
        consultations(game, [DISPUTE]) if isinstance(game, Consultancy) else [game.play(DISPUTE)]  # type: ignore[call-arg]
    )
    assert all(one.game for one in drive(plays, named))


def test_ids_change_with_the_rules_and_with_nothing_else() -> None:
    assert TALK.id == replace(TALK).id
    assert TALK.id != replace(TALK, rounds=3).id
    assert TALK.id.startswith("debate@")


def test_transcripts_are_records(tmp_path: Path) -> None:
    made = [
        played(replace(TALK, watch=True), Model()),
        played(TALK, Model(), Model(finish="filter")),
    ]
    assert read_records(write_records(tmp_path, made)) == made


def test_a_debate_is_a_pair_judge_whose_rationale_is_the_debate(tmp_path: Path) -> None:
    prompt = Prompt(id="p", messages=Prompt.of("Who?").messages, facts=(("story", SOURCE),))
    one, other = (Completion(prompt=prompt, text=f"The {who}") for who in ("miller", "smith"))
    mute = Completion(prompt=prompt, text="The mute")
    debater = talker()
    spec = Debated(debater=debater, judge=Model(thinks=likes("smith")), game=TALK, source="story")
    with Run(tmp_path) as run:
        judge = spec.open(run)
        said = judge([Compare(first=one, second=other), Compare(first=other, second=mute)])
    assert [pair.chosen.text for pair in preferences(said)] == ["The smith", "The smith"]
    assert "<v_quote>hid the lamp</v_quote>" in said[0].rationale
    assert said[0].question == Compare(first=one, second=other)
    assert said[0].digest != said[1].digest
    assert judge.id == f"scripted@0/scripted@0/{TALK.id}"
    assert debater.batches == [4, 4]


def verdict(name: str, p: float | None, protagonist: str = "") -> Transcript:
    asked = Dispute.of("Who?", "A", "B", id=name).question
    answer = Abstains(reason="none") if p is None else Prefers(p_first=p)
    return Transcript(
        game="g",
        question=asked,
        speeches=(),
        answer=answer,
        protagonist=protagonist or "",  # type: ignore[arg-type]
    )


def test_no_answer_counts_as_wrong_a_tie_as_half_and_questions_are_clusters() -> None:
    rights = {"a": "first", "b": "second", "c": "first"}
    made = [verdict("a", 0.9), verdict("b", 0.9), verdict("c", None), verdict("a", 0.5)]
    assert [right(one, rights) for one in made] == [1.0, 0.0, 0.0, 0.5]
    assert accuracy(made, rights).estimate == pytest.approx(1.5 / 4)
    assert unanswered(made) == 0.25
    alone = accuracy([verdict("a", 0.9), verdict("b", 0.9)] * 20, rights)
    apart = accuracy([verdict("a", 0.9), verdict("b", 0.9)], rights)
    assert alone.high - alone.low >= 0.99 * (apart.high - apart.low)
    with pytest.raises(InputError, match="right side of question 'a'"):
        accuracy(made, {})


def test_open_games_are_told_apart_by_what_the_protagonist_chose() -> None:
    rights = {"a": "first"}
    made = [verdict("a", 0.9, "first"), verdict("a", 0.9, "second"), verdict("a", 0.9)]
    assert by_protagonist(made, rights) == {True: made[:1], False: made[1:2]}


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError, match="rounds: expected at least 1"):
        Debate(rounds=0)
    with pytest.raises(SettingError, match="rounds: expected at least 1"):
        Consultancy(rounds=0)
    assert words(3) == "so so so"
