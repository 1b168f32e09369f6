"""Constitutions from the shell: what is printed, and mistakes in one line with exit code 2."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from solon.cli import main
from solon.text.constitution import Constitution, names

MINE = """\
name = "mine"

[[principles]]
id = "kind"
compare = "Which is kinder?"
critique = "Is it kind?"
revision = "Kinder."
tags = ["tone"]
weight = 3

[[principles]]
id = "brief"
compare = "Which is longer?"
polarity = "avoid"
counter = true
tags = ["tone", "length"]

[[principles]]
id = "gentle"
critique = "Is it gentle?"
revision = "Gentler."
"""
MISTAKES = {
    "check absent.toml": r"no constitution 'absent\.toml': .* a \.toml file or one of broad, dual",
    "check kind": "no constitution 'kind': .* one of broad, dual, harmless",
    "show bad.toml": r"bad\.toml, line 3, field 'heft': expected one of id, .* got 'heft'",
    "diff harmless kind": "no constitution 'kind'",
    "convert absent.json --out new.toml": r"absent\.json: expected a file, got none",
    "convert list.json --out new.json": r"--out: expected the path of a \.toml file, got 'new",
    "convert list.json --out mine.toml": r"--out: expected a new file, got mine\.toml: File exists",
    "convert list.json --out no/new.toml": r"--out: expected a new file, got no/new\.toml: No such",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(MINE, encoding="utf-8")
    Path("bad.toml").write_text("# a\n\n[[principles]]\nid='a'\ncompare='A?'\nheft=2", "utf-8")
    Path("list.json").write_text(json.dumps(["Which is kinder? Options:"]), encoding="utf-8")


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["constitution", *command.split()])
    [said] = capsys.readouterr().err.strip().splitlines()
    assert stopped.value.code == 2
    assert re.match(f"solon: .*{MISTAKES[command]}", said)


@pytest.mark.parametrize("command", ["", "verify mine.toml", "check", "convert list.json"])
def test_an_action_that_is_not_there_or_lacks_something_is_answered_with_the_usage(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["constitution", *command.split()])
    assert stopped.value.code == 2
    assert "usage: solon constitution" in capsys.readouterr().err


def test_check_prints_digest_size_and_the_share_of_draws_by_tag(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["constitution", "check", "mine.toml"])
    assert capsys.readouterr().out.splitlines() == [
        f"mine  {Constitution.load('mine.toml').digest}",
        "3 principles, 1 counter",
        "share of draws    principles  comparisons  revisions",
        "length                     1       25.0 %      0.0 %",
        "tone                       2      100.0 %     75.0 %",
        "(counters)                 1       25.0 %      0.0 %",
        "(all)                      3      100.0 %    100.0 %",
    ]
    main(["constitution", "check", "town"])
    assert capsys.readouterr().out.splitlines()[-1].split() == ["(all)", "3", "100.0", "%", "–"]


def test_list_says_what_each_is_for_and_show_prints_every_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["constitution", "list"])
    listed = capsys.readouterr().out
    assert re.findall(r"^(\w+) +\d+ principles", listed, re.MULTILINE) == names()
    assert "Few and broad" in listed
    main(["constitution", "show", "mine.toml"])
    assert "brief  counter  avoid  tone  length\n  compare   Which is longer?" in (
        capsys.readouterr().out
    )
    main(["constitution", "show", "rights"])
    shown = capsys.readouterr().out
    assert all(one.critique in shown for one in Constitution.load("rights").principles)


def test_show_prints_no_character_that_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("mine.toml").write_text('[[principles]]\nid="a"\ncompare="\\u001b[2J?"', "utf-8")
    main(["constitution", "show", "mine.toml"])
    main(["constitution", "diff", "mine.toml", "town"])
    assert "\x1b" not in capsys.readouterr().out


def test_diff_prints_one_line_for_each_difference(capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.toml").write_text(MINE.replace("weight = 3", "weight = 4.5"), encoding="utf-8")
    main(["constitution", "diff", "mine.toml", "new.toml"])
    assert capsys.readouterr().out == "~ kind, weight: 3.0 -> 4.5\n"
    main(["constitution", "diff", "mine.toml", "mine.toml"])
    assert capsys.readouterr().out == "no difference\n"


def test_what_is_converted_can_be_checked_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    main(["constitution", "convert", "list.json", "--out", "new.toml"])
    converted = capsys.readouterr().out
    main(["constitution", "check", "new.toml"])
    assert capsys.readouterr().out == converted
    [principle] = Constitution.load("new.toml").principles
    assert (principle.id, principle.compare) == ("list-1", "Which is kinder?")


def test_looking_at_constitutions_loads_nothing_heavy() -> None:
    code = "import sys\nfrom solon.cli import main\nmain(['constitution', 'list'])\n"
    code += "heavy = ('torch', 'numpy', 'scipy', 'transformers', 'aiohttp', 'rich')\n"
    code += "print(*[name for name in heavy if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
