"""The page's transcripts: every word inert, quotes marked in words, no truth in it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from fake_run import IMAGE, SCRIPT, TURNED

from solon.oversight.dispute import Dispute
from solon.records import Abstains, Prefers, Speech, Transcript
from solon.report.element import Html
from solon.report.evidence import read
from solon.report.page import page
from solon.report.section import Absent
from solon.report.transcripts import transcripts
from solon.run.shards import write_records

DISPUTE = Dispute.of("Who hid it?", "The miller", "The smith", source="secret source words")
ONE = Speech(
    side="first", round=1, text="See <v_quote>he ran</v_quote> and <u_quote>he sold</u_quote>"
)
TWO = Speech(side="second", round=1, text="No.", drawn=5, failed="1 words, where 70 were asked for")
ASKED = Speech(side="judge", round=1, text="Where to?")
GAME = Transcript(
    game="debate@91c2",
    question=DISPUTE.question,
    speeches=(ONE, TWO, ASKED),
    answer=Prefers(p_first=0.55, orders=(0.8, 0.3)),
    p=(0.5, 0.55),
)


def written(folder: Path, *games: Transcript, **manifest: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    write_records(folder / "records" / "transcripts", games)
    return folder


def shown(folder: Path, *games: Transcript) -> str:
    made = transcripts(read(written(folder, *games)))
    assert isinstance(made, Html)
    return made


def test_quotes_are_told_apart_in_words_and_not_by_colour_alone(tmp_path: Path) -> None:
    text = shown(tmp_path, GAME)
    assert "See <q>he ran</q><sup>v</sup> and <s>he sold</s><sup>u</sup>" in text
    assert "one marked u does not" in text
    assert "Where to?" in text
    assert "taken after 5 draws: 1 words, where 70 were asked for" in text
    assert "<td" in text
    cells = re.findall(r"<td[^>]*>(.*?)</td>", text)
    assert cells == ["debate@91c2", "1", "0", "1", "1", "0.55"]


def test_the_verdict_stands_in_both_orders_under_the_judges_course(tmp_path: Path) -> None:
    text = shown(tmp_path, GAME)
    assert "p(first is right) = 0.55" in text
    assert "first shown as A: 0.80" in text
    assert "second shown as A: 0.30" in text
    assert "orders disagree" in text
    # the axis covers 0 to 100 however little the judge moves
    assert all(f">{tick}</text>" in text for tick in (0, 20, 40, 60, 80, 100))


def test_a_game_that_was_not_watched_has_no_plot(tmp_path: Path) -> None:
    assert "<figure" in shown(tmp_path / "watched", GAME)
    assert "<figure" not in shown(tmp_path / "not", replace(GAME, p=()))


def test_a_gap_in_the_judges_course_is_no_zero(tmp_path: Path) -> None:
    text = shown(tmp_path, replace(GAME, p=(0.5, math.nan, 0.9)))
    assert text.count('class="point') == 2


def test_no_verdict_is_said_with_its_reason_and_is_no_number(tmp_path: Path) -> None:
    text = shown(tmp_path, replace(GAME, answer=Abstains(reason=f"mumbled {SCRIPT}"), p=()))
    assert "no verdict" in text
    assert "mumbled &lt;script&gt;" in text
    assert "p(first is right) =" not in text


@pytest.mark.parametrize("words", [SCRIPT, TURNED, IMAGE])
def test_no_text_of_a_model_is_markup(words: str, tmp_path: Path) -> None:
    quoted = f"{words} <v_quote>{words}</v_quote> <u_quote>{words}</u_quote>"
    dispute = Dispute.of(words, words, words + ".")
    speech = Speech(side="first", round=1, text=quoted, failed=words)
    hostile = replace(GAME, game=words, question=dispute.question, speeches=(speech,))
    text = shown(tmp_path, hostile)
    assert not re.search(r"<(script|img|/body)", text)
    assert not set(text) & {"\u202e", "\u200b", "\x1b"}
    tags = set(re.findall(r"</?([a-z0-9]+)", text))
    assert tags <= set(re.findall(r"</?([a-z0-9]+)", shown(tmp_path / "plain", GAME))) | {"mark"}


def test_only_so_many_games_and_rounds_are_shown(tmp_path: Path) -> None:
    long = tuple(Speech(side="first", round=k, text=f"round {k} said") for k in range(1, 41))
    games = [replace(GAME, speeches=long) for _ in range(50)]
    text = shown(tmp_path, *games)
    assert text.count("<article") == 8
    assert "8 of 50 games" in text
    assert text.count("28 more rounds are not shown") == 8


def test_the_source_and_the_truth_are_not_on_the_page(tmp_path: Path) -> None:
    text = page(read(written(tmp_path, GAME, recipe="debating", bench="lab", seed=0)))
    assert "debating on lab" in text
    assert "secret source words" not in text
    assert 'href="#transcripts"' in text
    assert 'href="#samples"' not in text


def test_a_run_without_games_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert transcripts(read(tmp_path)) == Absent(
        why="No transcripts: records/transcripts is empty."
    )
