"""``solon debate``: one game on the terminal, a file of them in a folder, over a real server."""

from __future__ import annotations

import json
import math
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from wire.server import Server, serving, text_of

from solon.bench.debating import debating_on, one_question
from solon.bench.debating.outcome import summary
from solon.bench.debating.posing import Posed
from solon.bench.debating.protocols import protocol
from solon.bench.debating.rating import rated
from solon.bench.debating.stage import Stage
from solon.cli import main
from solon.errors import SettingError
from solon.oversight.consultancy import Consultancy
from solon.oversight.debate import Debate
from solon.oversight.dispute import SIDES, Dispute, Side
from solon.oversight.opened import Opened
from solon.oversight.persuasion import BestOf
from solon.oversight.speaking import Speaking
from solon.records import Abstains, Prefers, Speech, Transcript
from solon.run.shards import read_records
from solon.statistics.elo import expected

STORY = "The miller ran to the mill at night and hid the lamp below the old wheel."
MARKUP = "[bold red]I win[/bold red] \x1b[31mred\x07 \u202eback <script>alert(1)</script> "
RULES = ["speaking.least=1", "speaking.most=150"]
ENDS = re.compile(r"<speech by=\"([AB])\" round=\"\d\">\n(.*?)\n</speech>", re.DOTALL)


@dataclass
class Court(Server):
    """The miller's side quotes what the source says, the other side what it does not."""

    def answer(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        if body["model"] == "judge":
            return super().answer(body, text)
        honest = "Your answer: the miller" in text
        quote = "hid the lamp" if honest else "sold the lamp"
        said = f"{MARKUP} It is told: <quote>{quote}</quote>."
        message = {"role": "assistant", "content": said}
        usage = {"prompt_tokens": 100, "completion_tokens": 20}
        return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


def weigh(text: str) -> dict[str, float]:
    """The judge's log-odds are true quotes of A less those of B."""
    said = ENDS.findall(text)
    gap = sum((1 if by == "A" else -1) * words.count("<v_quote>") for by, words in said)
    p = 1 / (1 + math.exp(-gap))
    return {"A": math.log(p), "B": math.log(1 - p)}


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Court]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    monkeypatch.setenv("COLUMNS", "400")
    with serving(Court(next_token=weigh)) as server:
        assert isinstance(server, Court)
        yield server


def players(url: str) -> list[str]:
    models = [f"{who}.model={who}" for who in ("debater", "judge")]
    urls = [f"{who}.base_url={url}" for who in ("debater", "judge")]
    return ["--on", "endpoint", *models, *urls, *RULES]


def questions(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(number: int, right: str | None = "first") -> dict[str, Any]:
    told = {"question": f"Who hid lamp {number}?", "first": "the miller", "second": "the smith"}
    return {"id": f"q{number}", **told, "source": STORY, "right": right, "cluster": number // 2}


def stopped(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    """The exit code and the last line of errors."""
    with pytest.raises(SystemExit) as end:
        main(command)
    return end.value.code, capsys.readouterr().err.strip().splitlines()[-1]


def test_one_question_is_shown_as_it_is_played(
    court: Court, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "story.txt").write_text(STORY)
    answers = ["--first", "the miller", "--second", "the smith", "--source", "story.txt"]
    main(["debate", "Who hid the lamp?", *answers, *players(court.url), "rounds=2"])
    said = capsys.readouterr().out
    assert "“hid the lamp” [found]" in said
    assert "“sold the lamp” [not found]" in said
    assert [f"round {k}" in said for k in (1, 2, 3)] == [True, True, False]
    # before anything was said, then exp(1) to 1, then exp(2) to 1, and the verdict
    words = re.findall(r"judge: first (\d+)% (█*░*) (\d+)% second", said)
    assert [(a, b) for a, _, b in words] == [("50", "50"), ("73", "27"), ("88", "12"), ("88", "12")]
    assert [bar.count("█") for _, bar, _ in words] == [12, 18, 21, 21]
    assert "→ the first answer   p(first): first shown as A 88%, second shown as A 88%" in said
    assert "quotes: 2 found in the source, 2 not found" in said
    assert re.search(r"debater@\w+: 4 calls, 0 replies from the cache, 400 tokens read", said)
    assert re.search(r"judge@\w+: 6 calls", said)
    assert not list(tmp_path.glob("*/manifest.json"))  # nothing is kept without --out


def test_what_a_model_writes_is_no_markup_and_no_control_character(
    court: Court, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = ["[red]Who[/red]?", "--first", "[/]the miller\x1b[2J", "--second", "the smith"]
    main(["debate", *hostile, *players(court.url), "rounds=1"])
    said = " ".join(capsys.readouterr().out.split())
    assert "[red]Who[/red]?" in said
    assert "[bold red]I win[/bold red]" in said
    assert "⟨U+001B⟩[31mred⟨U+0007⟩" in said
    assert not set(said) & {"\x1b", "\x07", "\u202e"}


def test_a_file_of_questions_is_played_counted_and_never_paid_twice(
    court: Court, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(0), row(1), row(2, "second"), row(3, None)]
    command = ["debate", "--questions", str(questions(tmp_path, rows)), "--out", "games"]
    command += [*players(court.url), "rounds=1", "chunk=3"]
    main(command)
    said = capsys.readouterr().out
    told = json.loads((tmp_path / "games" / "summary.json").read_text())
    [line] = told["rows"]
    # the judge believes the miller each time; the row whose truth is not known does not count
    assert line["values"]["judge accuracy"]["estimate"] == pytest.approx(2 / 3)
    assert line["values"]["judge accuracy"]["n"] == 3
    assert line["values"]["verified quote rate"]["estimate"] == 0.5
    assert "accuracy is of the 3 questions whose right answer is known" in told["notes"]
    assert "66.7" in said
    asked = len(court.bodies)
    assert asked == 4 * (2 + 2)  # a speech of each side, a verdict in each order
    played = read_records(tmp_path / "games" / "records" / "transcripts")
    assert [one.question.first.prompt.id for one in played] == ["q0", "q1", "q2", "q3"]
    assert {one.p for one in played} == {()}  # files are not watched unless it is asked for
    page = (tmp_path / "games" / "report.html").read_text()
    assert "<s>sold the lamp</s><sup>u</sup>" in page
    assert "<script>" not in page
    main(command)
    assert len(court.bodies) == asked
    assert read_records(tmp_path / "games" / "records" / "transcripts") == played
    code, why = stopped([*command, "rounds=2"], capsys)
    assert (code, "games holds games of other settings, files or seed" in why) == (1, True)
    assert len(court.bodies) == asked


def test_a_mistaken_command_that_played_nothing_is_mended_in_the_same_folder(
    court: Court, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = questions(tmp_path, [row(0) | {"right": "A"}])
    command = ["debate", "--questions", str(path), "--out", "games", *players(court.url)]
    assert stopped(command, capsys)[0] == 2  # a bad row
    questions(tmp_path, [row(0)])
    code, why = stopped([*command, "judge.base_url=nowhere"], capsys)
    assert (code, "base_url: expected http(s)" in why) == (2, True)
    main([*command, "rounds=1", "--quiet"])
    assert (
        json.loads((tmp_path / "games" / "manifest.json").read_text())["settings"]["game"]["rounds"]
        == 1
    )


def test_games_without_any_verdict_have_a_page_and_are_a_failure(
    court: Court, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = questions(tmp_path, [row(0), row(1)])
    command = ["debate", "--questions", str(path), "--out", "games", *players(court.url)]
    code, why = stopped([*command, "judging.words=true", "rounds=1"], capsys)
    assert (code, "no game has a verdict; the first: no verdict on the last line" in why) == (
        1,
        True,
    )
    assert "no verdict" in (tmp_path / "games" / "report.html").read_text()


def test_other_prices_and_more_calls_at_once_are_the_same_games(
    court: Court, tmp_path: Path
) -> None:
    command = ["debate", "--questions", str(questions(tmp_path, [row(0)])), "--out", "games"]
    command += [*players(court.url), "rounds=1", "--quiet"]
    main(command)
    asked = len(court.bodies)
    main([*command, "judge.concurrency=2", "judge.price_in=1", "judge.price_out=1"])
    assert len(court.bodies) == asked


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(
    court: Court, tmp_path: Path
) -> None:
    path = questions(tmp_path, [row(k) for k in range(6)])
    common = ["debate", "--questions", str(path), *players(court.url), "rounds=1", "chunk=2"]
    command = [*common, "debater.concurrency=2", "--quiet", "--out"]
    main([*command, "whole"])
    needed = len(court.bodies)
    (tmp_path / "replies.sqlite").unlink()
    court.latency = 0.3
    code = f"from solon.cli import main; main({[*command, 'killed']!r})"
    child = subprocess.Popen([sys.executable, "-c", code])
    shard = tmp_path / "killed" / "records" / "transcripts" / "00000.parquet"
    wait(lambda: shard.exists() and court.inside > 0)
    child.send_signal(signal.SIGKILL)
    child.wait()
    court.latency = 0.0
    wait(lambda: court.inside == 0)
    before = len(court.bodies) - needed
    assert 0 < before < needed
    main([*command, "killed"])
    games = [
        read_records(tmp_path / name / "records" / "transcripts") for name in ("whole", "killed")
    ]
    assert games[0] == games[1]
    # asked twice is only what was in flight: at most two of each model
    assert len(court.bodies) - needed <= needed + 4


def wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


BAD = {
    "first": ({"first": 3}, "row 2, field 'first': expected text, got 3"),
    "second": ({"second": " "}, "row 2, field 'second': expected text, got"),
    "same": ({"second": "the miller"}, "row 2, field 'second': expected another answer"),
    "right": ({"right": "A"}, "row 2, field 'right': expected first or second, got 'A'"),
    "id": ({"id": "q0"}, "row 2, field 'id': expected each once, got 'q0'"),
    "source": ({"source": ["a"]}, "row 2, field 'source': expected text or a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_one_line_and_nothing_is_asked(
    name: str, court: Court, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, expected = BAD[name]
    path = questions(tmp_path, [row(0), row(1) | change])
    command = ["debate", "--questions", str(path), *players(court.url), "--out", "games"]
    code, why = stopped(command, capsys)
    assert code == 2
    assert why.startswith(f"solon: {path}, {expected}")
    assert not court.bodies


MISTAKES = {
    "debate Who? --first A": "debate: expected QUESTION --first ANSWER --second ANSWER",
    "debate --first A --second B": "debate: expected QUESTION --first ANSWER --second ANSWER",
    "debate Who? --first A --second A": "second: expected another answer than the first, got A",
    "debate Who? --first A --second B --questions x": "QUESTION or --questions FILE, got both",
    "debate Who? --first A --second B --source absent": "absent: expected a readable text file",
    "debate Who?": "expected KEY=VALUE, got 'Who.'",
    "debate --on endpoint": "expected QUESTION --first ANSWER --second ANSWER, or --questions FILE",
    "debate --protocol quarrel": "expected one of debate, .*prover-estimator, got 'quarrel'",
    "debate roundz=2": "Debating has no 'roundz'",
    "debate rounds=0": "rounds: expected at least 1, got 0",
    "debate persuasion=worst": "persuasion: .*best_of, plain, refine",
    "debate questions.n=2": "debate: expected --out FOLDER for 2 questions",
    "debate --questions absent.jsonl --out o": "absent.jsonl: expected a file, got nothing there",
    "debate Who? --first A --second B --protocol expert": "expert: expected a source to read",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_one_line_that_says_the_way_out(
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, why = stopped(command.split(), capsys)
    assert code == 2
    assert re.search(MISTAKES[command], why)


def test_another_runs_folder_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    code, why = stopped(["debate", "--out", str(tmp_path)], capsys)
    assert code == 1
    assert "holds another run: give another --out" in why
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_the_town_argues_about_a_hidden_story_without_any_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(
        ["debate", "--protocol", "consultancy", "rounds=1", "seed=5", "--out", str(tmp_path / "a")]
    )
    said = capsys.readouterr().out
    assert "who hid the" in said
    assert "verdict of consultancy@" in said
    assert all(f"for the {side} answer" in said for side in SIDES)  # both are played
    assert re.search("the (first|second) answer is right, which no player was told", said)
    told = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert [one["name"] for one in told["rows"]] == [
        "consultancy",
        "consultant was right",
        "consultant was wrong",
    ]
    main(
        ["debate", "--protocol", "consultancy", "rounds=1", "seed=5", "--out", str(tmp_path / "a")]
    )
    again = capsys.readouterr().out
    shown = [line for line in said.splitlines() if line.startswith(("│", "judge", "→"))]
    assert shown == [one for one in again.splitlines() if one.startswith(("│", "judge", "→"))]


def test_in_the_town_debate_beats_the_judge_alone(tmp_path: Path) -> None:
    def accuracy(protocol: str) -> float:
        out = tmp_path / protocol
        command = ["debate", "--protocol", protocol, "questions.n=60", "seed=11", "--quiet"]
        main([*command, "--out", str(out)])
        rows = json.loads((out / "summary.json").read_text())["rows"]
        return rows[0]["values"]["judge accuracy"]["estimate"]

    assert accuracy("naive") == 0.5  # it has read nothing, and ties count half
    assert accuracy("debate") > 0.75


def test_settings_reach_the_rules_and_the_players() -> None:
    said = {"rounds": "2", "order": "sequential", "speaking.limit": "80", "judging.words": "true"}
    more = {"persuasion": "best_of", "persuasion.n": "16", "debater.skill": "3", "watch": "false"}
    made = debating_on("lab", said | more)
    rules = Debate(rounds=2, order="sequential", persuasion=BestOf(n=16))
    speaking = Speaking(limit=80)
    assert made.game == replace(
        rules, speaking=speaking, judging=replace(rules.judging, words=True)
    )
    assert getattr(made.debater, "skill", None) == 3
    opened = debating_on("lab", {"rounds": "2", "persuasion": "refine"}, by="open-debate").game
    assert isinstance(opened, Opened)
    assert (opened.game.rounds, opened.game.watch) == (2, True)


def test_a_bench_of_ones_own_says_who_debates(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from solon.bench import Bench\n"
        "from solon.lab.passage_advocate import PassageAdvocate\n"
        "from solon.lab.passage_reader import PassageReader\n"
        "from solon.oversight.debate import Debate\n"
        "from solon.oversight.debated import Debated\n"
        "players = dict(debater=PassageAdvocate(skill=2), judge=PassageReader())\n"
        "bench = Bench(name='mine', debate=Debated(**players, game=Debate(rounds=5)))\n"
    )
    asked = one_question("Who?", "anna", "ben", None)
    made = debating_on(str(tmp_path / "mine.py"), {}, questions=asked)
    assert isinstance(made.game, Debate)
    assert made.game.rounds == 5
    (tmp_path / "bare.py").write_text("from solon.bench import Bench\nbench = Bench(name='bare')\n")
    with pytest.raises(SettingError, match="the bench 'bare' has no debaters"):
        debating_on(str(tmp_path / "bare.py"), {}, questions=asked)


def game(name: str, p: float | None, protagonist: Any = "", quoted: str = "") -> Transcript:
    dispute = Dispute.of("Who?", "a", "b", id=name)
    answer = Abstains(reason="mute") if p is None else Prefers(p_first=p, orders=(p, p))
    said = (Speech(side="first", round=1, text=quoted),) if quoted else ()
    return Transcript(
        game="debate@1",
        question=dispute.question,
        speeches=said,
        answer=answer,
        protagonist=protagonist,
    )


def posed(name: str, right: Side | None, cluster: str = "") -> Posed:
    return Posed(dispute=Dispute.of("Who?", "a", "b", id=name), right=right, cluster=cluster)


def test_sides_of_a_consultancy_count_the_same_and_silence_is_wrong() -> None:
    asked = [posed("x", "first"), posed("y", "second")]
    played = [
        game("x", 0.9, "first"),
        game("x", 0.4, "second"),
        game("y", None, "first"),
        game("y", 0.2, "second"),
    ]
    told = summary(played, asked, Consultancy())
    found = {one["name"]: one["values"]["judge accuracy"]["estimate"] for one in told["rows"]}
    right, wrong = found["consultant was right"], found["consultant was wrong"]
    assert (right, wrong) == (1.0, 0.0)
    assert found["consultancy"] == (right + wrong) / 2
    assert told["rows"][0]["values"]["no verdict rate"]["estimate"] == 0.25


def test_questions_of_one_story_are_one_cluster() -> None:
    played = [game(str(k), 0.9 if k < 6 else 0.1) for k in range(12)]
    wide = {}
    for name, size in (("alone", 1), ("together", 6)):
        asked = [posed(str(k), "first", cluster=f"{k // size}") for k in range(12)]
        cell = summary(played, asked, protocol("debate"))["rows"][0]["values"]["judge accuracy"]
        wide[name] = cell["high"] - cell["low"]
    assert wide["together"] > wide["alone"]


def test_without_the_truth_nothing_is_said_of_accuracy() -> None:
    quoted = "<v_quote>a</v_quote> <u_quote>b</u_quote> <v_quote>c</v_quote>"
    told = summary([game("x", 0.9, quoted=quoted)], [posed("x", None)], protocol("debate"))
    values = told["rows"][0]["values"]
    assert set(values) == {"no verdict rate", "verified quote rate"}
    assert values["verified quote rate"]["estimate"] == pytest.approx(2 / 3)
    assert "no row says which answer is right, so no accuracy is counted" in told["notes"]


def test_a_narrow_terminal_shows_one_side_below_the_other() -> None:
    dispute = Dispute.of("Who?", "the miller", "the smith")
    speeches = (
        Speech(side="first", round=1, text="one"),
        Speech(side="second", round=1, text="two", failed="2 words, where 70 were asked for"),
        Speech(side="judge", round=1, text="why?"),
    )
    shown: dict[int, list[str]] = {}
    for width in (40, 100):
        console = Console(file=StringIO(), width=width)
        stage = Stage(console, dispute)
        stage.spoke(speeches)
        assert isinstance(console.file, StringIO)
        shown[width] = console.file.getvalue().splitlines()
        assert max(map(len, shown[width])) <= width
    assert not [line for line in shown[40] if "one" in line and "two" in line]
    assert [line for line in shown[100] if "one" in line and "two" in line]
    assert any("the judge asks" in line for line in shown[40])
    assert any("after 1 draws: 2 words" in line for line in shown[100])


def test_the_judge_never_reads_the_source(court: Court, tmp_path: Path) -> None:
    path = questions(tmp_path, [row(0)])
    main(["debate", "--questions", str(path), *players(court.url), "--out", "g", "--quiet"])
    judged = [text_of(body) for body in court.bodies if body["model"] == "judge"]
    assert judged
    assert not [text for text in judged if "below the old wheel" in text]


def against(url: str) -> list[str]:
    return [*players(url), "opponent.model=rival", "rounds=1"]


def test_each_side_is_answered_by_its_own_model_and_then_by_the_other(
    court: Court, tmp_path: Path
) -> None:
    path = questions(tmp_path, [row(0), row(1, "second")])
    main(["debate", "--questions", str(path), *against(court.url), "--out", "games", "--quiet"])
    folder = tmp_path / "games" / "records"
    straight, swapped = (
        read_records(folder / name) for name in ("transcripts", "transcripts-swapped")
    )
    for games, sides in ((straight, ("debater", "rival")), (swapped, ("rival", "debater"))):
        by = [{one.side: one.policy for one in game.speeches} for game in games]
        assert [set(one) for one in by] == [{"first", "second"}] * 2
        assert all(one["first"].startswith(sides[0].replace("rival", "opponent")) for one in by)
        assert all(one["second"].startswith(sides[1].replace("rival", "opponent")) for one in by)
    asked = [body["model"] for body in court.bodies]
    assert (asked.count("debater"), asked.count("rival")) == (4, 4)
    for body in court.bodies:
        if body["model"] == "rival":
            assert body["temperature"] == 0.4  # all that is not set is the debater's
    page = (tmp_path / "games" / "report.html").read_text()
    assert "8 of" not in page
    assert "4 of 4 games" in page


def test_who_argues_for_the_miller_wins_so_neither_model_is_ahead(
    court: Court, tmp_path: Path
) -> None:
    rows = [row(k) for k in range(4)]
    command = ["debate", "--questions", str(questions(tmp_path, rows)), "--out", "games"]
    main([*command, *against(court.url), "--quiet"])
    told = json.loads((tmp_path / "games" / "summary.json").read_text())
    values = told["rows"][0]["values"]
    assert (values["win rate"]["estimate"], values["win rate"]["n"]) == (0.5, 8)
    assert values["Elo ahead"]["estimate"] == 0
    assert values["judge accuracy"]["estimate"] == 1
    assert any("each question played both ways" in note for note in told["notes"])
    asked = len(court.bodies)
    main([*command, *against(court.url), "--quiet"])
    assert len(court.bodies) == asked


def test_a_single_question_between_two_models_is_shown_both_ways(
    court: Court, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ["--first", "the miller", "--second", "the smith"]
    main(["debate", "Who hid the lamp?", *answers, *against(court.url)])
    said = capsys.readouterr().out
    assert said.count("verdict of debate@") == 2
    assert "win rate" in said


def test_elo_is_the_logit_of_the_win_rate() -> None:
    straight = [game(str(k), 0.9 if k < 6 else 0.2) for k in range(8)]  # the debater is first
    swapped = [game(str(k), 0.3 if k < 6 else None) for k in range(8)]  # and second here
    clusters = {str(k): str(k) for k in range(8)}
    found = rated(straight, swapped, clusters)
    rate = 12 / 14  # two are undecided
    assert found["win rate"]["estimate"] == pytest.approx(rate)
    ahead = found["Elo ahead"]
    assert ahead["estimate"] == pytest.approx(400 * math.log10(rate / (1 - rate)))
    assert expected(ahead["low"], 0) == pytest.approx(found["win rate"]["low"])
    assert expected(ahead["high"], 0) == pytest.approx(found["win rate"]["high"])
    assert rated([game("0", None)], [], clusters) == {}
    assert rated(straight[:6], [], clusters)["Elo ahead"]["estimate"] == math.inf


def test_only_a_debate_has_two_sides() -> None:
    said = {"opponent.model": "rival", "debater.model": "a", "judge.model": "b"}
    asked = one_question("Who?", "anna", "ben", None)
    with pytest.raises(SettingError, match="opponent: expected the protocol debate, got consult"):
        debating_on("endpoint", said, by="consultancy", questions=asked)
    made = debating_on("endpoint", said, questions=asked)
    assert getattr(made.opponent, "model", "") == "rival"
    assert getattr(made.debater, "model", "") == "a"


def test_bounds_of_a_speech_are_set_in_either_order() -> None:
    for keys in (("limit", "least"), ("least", "limit")):
        said = {"limit": "40", "least": "1"}
        made = debating_on("lab", {f"speaking.{key}": said[key] for key in keys})
        assert isinstance(made.game, Debate)
        assert made.game.speaking == Speaking(limit=40, least=1)
    with pytest.raises(SettingError, match="^least, limit, most: expected them in this order"):
        debating_on("lab", {"speaking.limit": "40"})
