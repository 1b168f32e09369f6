"""Two processes with a part of each weight: one push of the whole, one set of requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from solon.engines.local import Transformer
from solon.engines.vllm import OnVllm, Vllm
from solon.errors import SettingError
from solon.run.ranks import Ranks, working
from solon.run.run import Run
from tests.vllm.double import LLM
from tests.vllm.served import Server, serving

SCRIPT = Path(__file__).with_name("several.py")


def test_two_processes_sample_as_one(run: Run, small: Transformer, tmp_path: Path):
    small.open(run).save(tmp_path / "model")
    with serving(Server(tmp_path / "model")) as server:
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command = [*launch, "--nproc-per-node", "2", str(SCRIPT), server.url, str(tmp_path)]
        env = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
        subprocess.run(command, timeout=300, capture_output=True, env=env, check=True)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first["tokens"] == second["tokens"]
    assert max(first["gap"], second["gap"]) < 1e-5
    assert server.calls.count("collective_rpc") == 2
    assert server.calls.count("completions") == 16


def test_vllm_inside_one_of_several_processes_is_refused(
    run: Run, small: Transformer, engines: list[LLM]
):
    class Two:
        rank, count = 0, 2

    ranks: Ranks = Two()
    with working(ranks):
        with pytest.raises(SettingError, match="one process with vLLM inside it, got 2: use a ser"):
            OnVllm(policy=replace(small, sharding="auto")).open(run)
        with pytest.raises(SettingError, match="judge: expected one process .*use an endpoint"):
            Vllm(model="m").open(run)
    assert not engines
