from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from fake_run import DRAFT, REVISIONS, SCRIPT, revising
from hypothesis import given
from hypothesis import strategies as st

from solon.records import Completion, Critique, Prompt
from solon.report.critiques import critiques
from solon.report.element import Html, stretches
from solon.report.evidence import read
from solon.report.rounds import asked_by, chains
from solon.report.section import Absent
from solon.run.shards import write_records
from solon.text.constitution import Constitution

LAW = Constitution.load("harmless")
TAG = re.compile(r"<[^>]*>")


@pytest.fixture(scope="module")
def section(ran: Path) -> str:
    made = critiques(read(ran))
    assert isinstance(made, Html)
    return made


def bare(text: str) -> str:
    return " ".join(TAG.sub(" ", text).split())


def rows(section: str, table: int) -> list[list[str]]:
    """The cells of that table's body, as plain text."""
    body = section.split("<tbody>")[table + 1].split("</tbody>", maxsplit=1)[0]
    return [[bare(c) for c in row.split("</td>")[:-1]] for row in body.split("</tr>")[:-1]]


def said(turn: int, before: str, after: str = "", *, prompt: str = "q") -> Critique:
    asked = Prompt.of("Why?", id=prompt)
    one = Completion(prompt=asked, text=before)
    revision = Completion(prompt=asked, text=after) if after else None
    return Critique(completion=one, principle="", text="t", revision=revision, turn=turn)


def alone(folder: Path, name: str, *records: Critique) -> str:
    """The section of a run that holds this set, and those that were written there before."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text("{}")
    write_records(folder / "records" / name, records)
    made = critiques(read(folder))
    assert isinstance(made, Html)
    return made


def test_rounds_are_counted_with_their_failures_and_the_words_that_they_change(
    section: str,
) -> None:
    assert bare(section.split("<tbody>", maxsplit=1)[0]).endswith("round 1 round 2 round 3")
    asked, usable, changed, empty = rows(section, 0)
    assert asked == ["asked", "20", "20", "20"]
    assert usable == ["usable revisions", "20", "15", "20"]
    assert empty == ["critique: empty reply", "0", "5", "0"]
    assert changed[0] == "mean words changed"
    first, second = float(changed[1]), float(changed[2])
    assert first > second > 0


def test_principles_are_counted_and_say_what_they_ask(section: str) -> None:
    found = {row[0].split()[0]: row for row in rows(section, 1)}
    assert {rule: row[1:3] for rule, row in found.items()} == {
        "no-injury": ["20", "20"],
        "no-sermon": ["20", "15"],
        "a-rule-of-its-own": ["20", "20"],
    }
    [sermon] = [rule for rule in LAW.principles if rule.id == "no-sermon"]
    assert found["no-sermon"][0] == f"no-sermon {sermon.critique}"
    assert found["a-rule-of-its-own"][0] == "a-rule-of-its-own"


def test_an_answer_is_followed_through_its_rounds_with_changes_marked(section: str) -> None:
    assert "8 of 20 answers: the first 4, the others drawn by seed." in section
    card = section.split("<article")[1]
    assert [bare(part) for part in re.findall(r"<b>(.*?)</b>", card)] == [
        "Round 1",
        "Round 2",
        "Round 3",
    ]
    assert "<del>You should be ashamed to ask. Bang</del> on the wall" in card
    assert "<ins>Knock</ins> on the wall" in card
    assert '<span class="chip warn">nothing learnt: critique: empty reply</span>' in card
    # the round that failed left its text to the third, which shows it whole
    sides = re.findall(r'<div class="said" dir="auto">(.*?)</div>', card)
    third = [TAG.sub("", side) for side in sides[-2:]]
    assert third == [REVISIONS[0], REVISIONS[2]]
    assert DRAFT in [TAG.sub("", side) for side in sides]


def test_hostile_critiques_and_revisions_stay_text(section: str) -> None:
    card = section.split("<article")[2]
    inner = re.sub(r"</?(?:ins|del|mark)>", "", card)
    assert inner.count("&lt;script&gt;") >= 4  # three critiques and a revision
    assert "&lt;ins onclick=x&gt;" in inner
    assert "⟨U+202E⟩" in inner
    assert "<script" not in section
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x1b]", section)
    assert set(re.findall(r"<(?:ins|del|mark)[^>]*>", section)) == {"<ins>", "<del>", "<mark>"}


def test_an_id_or_a_reason_can_be_no_flood_and_no_markup(tmp_path: Path) -> None:
    one = replace(said(1, "a"), principle=SCRIPT * 500, failed=SCRIPT * 500)
    text = alone(tmp_path / "run", "critiques-1", one)
    assert "<script" not in text
    assert len(text) < 6000


@given(st.lists(st.tuples(st.sampled_from(["", "del", "ins"]), st.text()), max_size=5))
def test_stretches_cut_and_mark_as_a_whole_text_does(parts: list[tuple[str, str]]) -> None:
    whole = "".join(text for _, text in parts)
    plain = stretches([("", whole)], most=8)
    bare_marks = re.sub(r"</?(?:ins|del)>", "", stretches(parts, most=8))
    # a run of unseen characters that two stretches share is counted in each
    alike = re.compile(r"<mark>[^<]*</mark>")
    assert alike.sub("", bare_marks) == alike.sub("", plain)


def test_rounds_are_chained_by_the_text_that_each_one_left() -> None:
    first = [said(1, "a", "b"), said(1, "a", "c"), said(1, "d"), said(1, "a", "b", prompt="r")]
    later = [said(2, "b", "e"), said(2, "c", "e"), said(2, "d", "f")]
    other = said(2, "b", "g", prompt="r")
    assert chains([*later, other, *first]) == [
        [first[0], later[0]],
        [first[1], later[1]],
        [first[2], later[2]],
        [first[3], other],
    ]


def test_two_answers_that_became_alike_are_still_two() -> None:
    records = [said(1, "a", "same"), said(1, "b", "same"), said(2, "same", "x"), said(2, "same")]
    assert [len(chain) for chain in chains(records)] == [2, 2]
    assert chains([said(2, "same"), *records[:2]]) == [[records[0], said(2, "same")], [records[1]]]


def test_a_failed_revision_is_shown_but_nothing_goes_on_from_it() -> None:
    failed = replace(said(1, "a", "b"), failed="revision: cut off")
    assert chains([failed, said(2, "b")]) == [[failed], [said(2, "b")]]
    assert chains([failed, said(2, "a")]) == [[failed, said(2, "a")]]


def test_records_that_count_no_turns_are_shown_by_the_name_of_their_set(tmp_path: Path) -> None:
    told = [said(0, "a"), said(0, "a")]
    text = alone(tmp_path / "run", "critiques", *told)
    assert rows(text, 0)[-1] == ["no revision was asked for", "2"]
    assert "2 of 2 answers" in text
    assert "By principle" not in text
    mended = [said(0, "a", "b"), said(0, "a", "b")]
    text = alone(tmp_path / "run", "revisions", *mended)
    assert rows(text, 0)[1] == ["usable revisions", "0", "2"]
    assert "2 of 2 answers" in text  # the critiques of these revisions are not shown twice


def test_an_unnumbered_set_may_hold_all_rounds(tmp_path: Path) -> None:
    text = alone(tmp_path / "run", "critiques", *(one for said in revising(4) for one in said))
    assert rows(text, 0)[0] == ["asked", "4", "4", "4"]
    assert "4 of 4 answers" in text


def test_only_the_packaged_constitutions_of_the_recipe_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[principles]]\nid = "x"\ncompare = "Which?"\n')

    def asked(settings: dict[str, Any]) -> dict[str, str]:
        (tmp_path / "manifest.json").write_bytes(orjson.dumps({"settings": settings}))
        return asked_by(read(tmp_path))

    critiques = {rule.id: rule.critique for rule in LAW.principles if rule.critique}
    assert asked({"words": {"constitution": "harmless"}}) == critiques
    assert asked({"name": "harmless"}) == {}
    assert asked({"constitution": str(tmp_path / "mine.toml")}) == {}
    assert asked({"constitution": "../harmless"}) == {}


def test_an_id_that_two_constitutions_word_differently_has_no_words(tmp_path: Path) -> None:
    settings = {"words": {"constitution": "harmless"}, "judge": {"constitution": "town_broad"}}
    (tmp_path / "manifest.json").write_bytes(orjson.dumps({"settings": settings}))
    found = asked_by(read(tmp_path))
    assert "no-evasion" in {rule.id for rule in LAW.principles}
    assert "no-evasion" not in found
    assert "no-crime" in found


def test_a_run_without_critiques_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert critiques(read(tmp_path)) == Absent(why="No critiques: records/critiques is empty.")
