"""Rollouts ahead of the learner, killed at any moment: as if there had been no kill."""

import random
import signal
import time
from pathlib import Path

import pytest
from invariants.test_resume import finish, said, start

from solon.run.shards import read_records

AHEAD = ("direct", "climb__ahead=2", "climb__steps=16", "climb__objective__importance=token")


@pytest.mark.slow
def test_a_climb_ahead_killed_at_random_moments_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    began = time.monotonic()
    assert finish(start(whole, AHEAD))
    took = time.monotonic() - began
    draw = random.Random(11)
    for _ in range(3):
        process = start(killed, AHEAD)
        time.sleep(draw.uniform(0.3, 0.7) * took / 2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert finish(start(killed, AHEAD))
    rollouts = Path("records", "rollouts")
    assert read_records(killed / rollouts) == read_records(whole / rollouts)
    weights = Path("policies", "final", "model.safetensors")
    assert (killed / weights).read_bytes() == (whole / weights).read_bytes()
    assert said(killed) == said(whole)
