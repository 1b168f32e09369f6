"""Killed at any moment and started again: the same records and weights as without the kill."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from solon.run import lines
from solon.run.shards import read_records

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tiny import tiny
from solon.run.run import Run
recipe, bench = tiny(sys.argv[3], **dict(setting.split("=") for setting in sys.argv[4:]))
with Run(Path(sys.argv[1]), seed=5, checkpoint_seconds=0.0) as run:
    print("started", flush=True)
    recipe(run)
print("finished", flush=True)
"""
RECIPES = (
    ("canonical", "judge=human", "climb__steps=12"),
    ("online_preference", "judge=human", "steps=12"),
    ("spin", "iterations=3"),
)


def start(folder: Path, recipe: tuple[str, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(folder), str(Path(__file__).parents[1]), *recipe]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def finish(process: subprocess.Popen[str]) -> bool:
    out, _ = process.communicate(timeout=120)
    return out.endswith("finished\n")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=[recipe[0] for recipe in RECIPES])
def test_a_run_killed_at_random_moments_ends_as_one_that_was_not(
    recipe: tuple[str, ...], tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    began = time.monotonic()
    assert finish(start(whole, recipe))
    took = time.monotonic() - began
    draw = random.Random(7)
    for share in (draw.uniform(0.1, 0.4), draw.uniform(0.2, 0.6)):
        process = start(killed, recipe)
        time.sleep(share * took)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert finish(start(killed, recipe))

    names = sorted(folder.name for folder in (whole / "records").iterdir())
    assert len(names) >= 2
    for name in names:
        assert read_records(killed / "records" / name) == read_records(whole / "records" / name)
    weights = Path("policies", "final", "model.safetensors")
    assert (killed / weights).read_bytes() == (whole / weights).read_bytes()
    assert said(killed) == said(whole)


def said(folder: Path) -> list[dict[str, object]]:
    """Every metric line without its time."""
    found = lines.read(folder / "metrics.jsonl")
    return [{key: value for key, value in line.items() if key != "time"} for line in found]
