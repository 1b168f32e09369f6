"""The command line: mistakes are one line with the way out, and exit code 2."""

import os
import re
from pathlib import Path

import pytest
from tiny import SMALL

from solon.cli import main
from solon.run import lines

LONG = "a" * 300
SHORTER = "aaa[.]{3}: expected the path of a file or a folder, got a name that is too long$"
MISTAKES = {
    "run canonicl": "no recipe 'canonicl'; there are .*canonical.*did you mean 'canonical'",
    "run canonical evaluate=0": "evaluate: expected at least 1, got 0",
    "run canonical climb.batch=0": "batch: expected at least 1, got 0",
    "run canonical climb.steps=-1": "steps: expected at least 0, got -1",
    "run canonical climb.adam.lr=nan": "climb.adam.lr: expected a learning rate, .* got nan",
    "run canonical climb.group=1": "group: RLOO takes its baseline from .*at least 2, got 1",
    "run canonical label.prompts=0": "prompts: expected at least 1, got 0",
    "run canonical climb.stps=3": "Climb has no 'stps'; it has steps, .*did you mean 'steps'",
    "run canonical climb.steps=many": "climb.steps: expected int, got 'many'",
    "run canonical climb.objective=best": "climb.objective: .*one of dapo, drgrpo, grpo, ppo",
    "run canonical --on nowhere": "no bench 'nowhere'; there are lab, local, endpoint",
    "run canonical --on absent.py": "absent.py: expected a Python file that holds a bench",
    "run canonical --on local": r"canonical needs prompts.*prompts.path=FILE",
    "run canonical seed=two": "seed: expected a whole number, got 'two'",
    "run canonical steps": "expected KEY=VALUE, got 'steps'",
    "audit position_bia --judgements x": "no audit 'position_bia'; .*position_bias",
    "audit detectors": "give --recorded FILE, as detectors has rows of its own",
    "audit agreement --recorded x": "agreement has no rows of its own: give --judgements FILE",
    "audit evasiveness --recorded x": "evasiveness has no rows of its own: give --answers FILE",
    "audit detectors --recorded absent.jsonl": "absent.jsonl: expected a file",
    "audit agreement --judgements absent.jsonl": "absent.jsonl: expected a file",
    "label absent.jsonl --out out": "absent.jsonl: expected a file",
    "run supervised --on local policy.model=/absent demonstrations.path=a.txt": (
        "policy.model: expected a model folder, got '/absent'"
    ),
    "label absent.jsonl --out a_file": "a_file: expected a folder, got a file",
    "label absent.jsonl --out /dev/null": "/dev/null: expected a folder, got a file",
    "label absent.jsonl --out a_file/below": "below: expected a folder, got a path below a file",
    f"label absent.jsonl --out {LONG}": SHORTER,
    f"label {LONG}.jsonl --out out": SHORTER,
    f"label pairs.jsonl --out out --on endpoint judge.model=m judge.preamble={LONG}": SHORTER,
    f"audit agreement --judgements {LONG}": SHORTER,
    "show directt": "no recipe 'directt'.*did you mean 'direct'",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_one_line_that_says_the_way_out(
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    (tmp_path / "a_file").touch()
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "q", "first": "a", "second": "b"}')
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    said = capsys.readouterr().err.strip().splitlines()
    assert stopped.value.code == 2
    assert said[-1].startswith("solon: ")
    assert re.search(MISTAKES[command], said[-1])


def test_list_and_show_name_every_recipe_and_setting(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list"])
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("canonical", "direct", "position_bias", "endpoint"))
    main(["show", "canonical"])
    shown = capsys.readouterr().out
    assert "climb.objective.kl.coefficient" in shown
    assert "Updates of the policy" in shown or "Batches of prompts" in shown


def test_a_run_from_the_shell_ends_with_a_page_and_is_not_run_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = [f"{k}={v}" for k, v in SMALL.items() if not k.startswith(("judge.", "scorer."))]
    command = ["run", "canonical", "judge=human", "label.prompts=24", "climb.steps=2"]
    command += ["climb.batch=4", "climb.group=2", "evaluate=12", "watch=4", "seed=3", *own]
    main(command)
    [folder] = list((tmp_path / "runs").iterdir())
    assert (folder / "report.html").stat().st_size > 10_000
    assert "the whole story" in capsys.readouterr().out
    stages = lines.read(folder / "stages.jsonl")
    metrics = (folder / "metrics.jsonl").read_bytes()
    main(command)
    assert lines.read(folder / "stages.jsonl") == stages
    assert (folder / "metrics.jsonl").read_bytes() == metrics
    assert {path.stem for path in (folder / "audits").iterdir()} >= {"agreement", "length_bias"}


def test_a_live_audit_asks_the_judge_of_the_bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["audit", "agreement", "judge=human", "labels.noise=0", "draws=50", "--out", "found.json"])
    said = capsys.readouterr().out
    assert "accuracy" in said
    assert "1.0000" in said
    assert (tmp_path / "found.json").exists()


def test_a_name_that_is_no_text_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["label", os.fsdecode(b"caf\xe9.jsonl"), "--out", "labels"])
    assert "expected arguments in UTF-8, got 'caf\\udce9.jsonl'" in capsys.readouterr().err


@pytest.mark.parametrize("money", ["five", "nan", "-1", "inf"])
def test_a_budget_that_caps_nothing_is_refused(
    money: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["audit", "position_bias", f"--budget={money}"])
    said = capsys.readouterr().err
    assert f"--budget: expected an amount of money, 0 or more, got '{money}'" in said
