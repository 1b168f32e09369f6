"""What breaks around a run: full disks, torn shards, clocks set back, rewards without a number."""

from __future__ import annotations

import errno
import math
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tiny import SHORT, SMALL, TAUGHT, tiny

from solon.cli import main
from solon.errors import TooManyFailures
from solon.records import Completion, Prompt
from solon.run import lines
from solon.run.guard import Guard
from solon.run.run import Run
from solon.run.shards import read_records, shards
from solon.stages.unended import Unended

LIMITED = """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from solon.cli import main
main(sys.argv[2:])
"""


def ran(limit: int, runs: Path) -> subprocess.CompletedProcess[str]:
    """A tiny run in a process whose files can have so many bytes and no more."""
    keys = [f"{name}={value}" for name, value in (SMALL | SHORT["canonical"]).items()]
    words = ["run", "canonical", "--quiet", "--runs", str(runs), "evaluate=8", "watch=4", *keys]
    command = [sys.executable, "-c", LIMITED, str(limit), *words]
    # not in the repository: a git that may not write its index would leave a lock behind
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=runs.parent
    )


def test_a_disk_that_takes_no_more_ends_in_one_line_and_the_run_goes_on(tmp_path: Path) -> None:
    for limit in (4000, 30_000):  # the manifest, and a checkpoint
        full = ran(limit, tmp_path / "full")
        assert full.returncode == 1
        line = full.stderr.strip()
        assert "File too large; what was written is kept, the same command goes on" in line
        assert "\n" not in line
    whole = 2**30
    assert ran(whole, tmp_path / "full").returncode == 0
    assert ran(whole, tmp_path / "calm").returncode == 0
    weights = [
        next((tmp_path / name).glob("*/policies/final/model.safetensors")).read_bytes()
        for name in ("full", "calm")
    ]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_storage_that_fails_is_one_line_and_other_faults_of_the_system_are_not_hidden(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(error: OSError) -> None:
        def listed(arguments: object) -> None:
            raise error

        monkeypatch.setattr("solon.cli.commands.list_all", listed)

    fails(OSError(code, "it is full", "runs/x/metrics.jsonl"))
    with pytest.raises(SystemExit, match="1"):
        main(["list"])
    assert capsys.readouterr().err.startswith("solon: runs/x/metrics.jsonl: it is full; what was")
    fails(OSError(errno.ESRCH, "no such process"))
    with pytest.raises(OSError, match="no such process"):
        main(["list"])


def doubled(items: Sequence[Prompt]) -> list[Completion]:
    return [Completion(prompt=one, text=one.text * 2) for one in items]


@pytest.mark.parametrize("torn", [b"", b"PAR1 and then nothing"])
def test_a_torn_newest_shard_is_set_aside_and_made_again(torn: bytes, tmp_path: Path) -> None:
    prompts = [Prompt.of(f"row {i}") for i in range(10)]
    with Run(tmp_path) as run:
        made = run.map("said", doubled, prompts, chunk=4)
    newest = shards(tmp_path / "records" / "said")[-1]
    newest.write_bytes(torn)
    worked: list[int] = []

    def counted(items: Sequence[Prompt]) -> list[Completion]:
        worked.append(len(items))
        return doubled(items)

    with Run(tmp_path) as run:
        assert run.map("said", counted, prompts, chunk=4) == made
    assert worked == [2]
    assert newest.with_suffix(".broken").read_bytes() == torn
    (note,) = lines.read(tmp_path / "notes.jsonl")
    assert note["note"].startswith("00002.parquet is set aside")


def test_a_clock_that_is_set_back_makes_no_stage_negative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with Run(tmp_path) as run, run.stage("label"):
        monkeypatch.setattr(time, "time", lambda: now - 86_400)
        run.log(0, loss=1.0)
    (stage,) = lines.read(tmp_path / "stages.jsonl")
    assert 0 <= stage["seconds"] < 60


@dataclass(frozen=True)
class Breaking:
    """A reward that is a number for so many completions, and then is none."""

    good: int
    id: str = "breaking@0"

    def open(self, run: Run) -> Breaking:
        object.__setattr__(self, "_seen", 0)
        return self

    def __call__(self, completions: Sequence[Completion]) -> list[float]:
        seen = self.__dict__["_seen"]
        object.__setattr__(self, "_seen", seen + len(completions))
        return [1.0 if seen + row < self.good else math.nan for row in range(len(completions))]


def test_a_reward_that_turns_nan_stops_the_run_with_its_batch_saved(tmp_path: Path) -> None:
    recipe, _ = tiny("direct", climb__steps="40")
    stops = pytest.raises(TooManyFailures, match="a batch of 8, got none .the reward is not finite")
    with Run(tmp_path, seed=1) as run, stops:
        replace(recipe, scorer=Breaking(good=12))(run)
    kept = read_records(tmp_path / "records" / "unmeasured")
    assert len(kept) == 4 + 8
    assert all(isinstance(one, Completion) and one.tokens for one in kept)
    steps = [line["step"] for line in lines.read(tmp_path / "metrics.jsonl") if "loss" in line]
    assert steps


class Endless:
    """A reward for never coming to an end."""

    def open(self, run: Run) -> Endless:
        return self

    def __call__(self, completions: Sequence[Completion]) -> list[float]:
        return [len(one.tokens) / 24 for one in completions]


@pytest.mark.parametrize("guarded", [False, True])
def test_a_policy_that_unlearns_to_end_is_told_of_once_and_stopped_only_where_asked(
    guarded: bool, tmp_path: Path
) -> None:
    steps = {"climb__steps": "24", "climb__batch": "8", "climb__group": "4"}
    fast = {"climb__adam__lr": "0.03", "climb__adam__warmup": "1"}
    taught = {key.replace(".", "__"): text for key, text in TAUGHT.items()}
    taught |= {"imitate__epochs": "16", "policy__max_new_tokens": "24"}
    recipe, _ = tiny("direct", **steps, **fast, **taught)
    with Run(tmp_path, seed=3) as run:
        if guarded:
            run.guard(Guard(mode="stop", entropy=0.0, length=math.inf))
        replace(recipe, scorer=Endless())(run)
    rates = [line["eos_rate"] for line in lines.read(tmp_path / "metrics.jsonl") if "kl" in line]
    assert rates[0] > 0.5 > rates[-1]
    said = [line["note"] for line in lines.read(tmp_path / "notes.jsonl")]
    told = [note for note in said if re.match(r"\d+ of the newest \d+ completions were cut", note)]
    rung = [note for note in said if note.startswith("alarm") and "eos_rate" in note]
    if guarded:
        assert len(rung) == 1
        assert len(rates) < 24
    else:
        assert len(told) == 1
        assert len(rates) == 24


def test_a_policy_that_ends_is_not_told_of(tmp_path: Path) -> None:
    counts = Unended(share=0.5, window=8)
    ends, cut = (
        [Completion(prompt=Prompt.of("go"), text="on", finish=finish)] * 4
        for finish in ("stop", "length")
    )
    assert counts.count([*ends, *cut]) == ""
    assert counts.count(ends) == ""
    assert counts.count(cut) == ""
    assert counts.count(cut[:1]).startswith("5 of the newest 8 completions were cut")
    assert counts.count(cut) == ""
