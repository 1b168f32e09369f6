"""The NCCL push up to the broadcast: the handshake is vLLM's own, driven against real routes."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from typing import Any

import pytest
from torch import Tensor, nn

from solon.engines.local import Transformer
from solon.engines.vllm.routes import Routes
from solon.engines.vllm.transfer import Control, Meeting, Transfer, trainer
from solon.run.run import Run
from tests.vllm.taught import PROMPTS


@dataclass(kw_only=True)
class NCCLTrainerInitInfo:
    """As in vllm/distributed/weight_transfer/nccl_engine.py."""

    rank: int
    master_address: str
    master_port: int
    world_size: int


@dataclass
class ModuleSource:
    """As in vllm/distributed/weight_transfer/base.py: the live module, read at each push."""

    module: nn.Module


class WeightTransferTrainerFactory:
    @classmethod
    def trainer_init(cls, init_info: Any, *, client: Control, source: ModuleSource) -> Any:
        client.init_weight_transfer_engine({"master_port": init_info.master_port})
        engine = Trainer()
        engine.info, engine.client, engine.source, engine.sent = init_info, client, source, []
        return engine


class Trainer:
    """NCCLTrainerWeightTransferEngine.send_weights without its broadcast."""

    info: NCCLTrainerInitInfo
    client: Control
    source: ModuleSource
    sent: list[dict[str, Tensor]]

    def send_weights(self) -> None:
        weights = {n: p.detach().clone() for n, p in self.source.module.named_parameters()}
        self.client.start_weight_update()
        self.client.update_weights({"names": list(weights)})
        self.sent.append(weights)
        self.client.finish_weight_update()


@pytest.fixture
def transfer(monkeypatch: pytest.MonkeyPatch):
    package = types.ModuleType("vllm.distributed.weight_transfer")
    package.ModuleSource = ModuleSource
    package.WeightTransferTrainerFactory = WeightTransferTrainerFactory
    package.nccl_engine = types.SimpleNamespace(NCCLTrainerInitInfo=NCCLTrainerInitInfo)
    above = types.ModuleType("vllm.distributed")
    above.weight_transfer = package
    monkeypatch.setitem(sys.modules, "vllm", types.ModuleType("vllm"))
    monkeypatch.setitem(sys.modules, "vllm.distributed", above)
    monkeypatch.setitem(sys.modules, "vllm.distributed.weight_transfer", package)


def test_each_push_sends_the_weights_as_they_are(
    run: Run, small: Transformer, transfer: None, monkeypatch: pytest.MonkeyPatch
):
    calls: list[tuple[str, Any]] = []
    monkeypatch.setattr(Routes, "post", lambda self, path, body=None: calls.append((path, body)))
    monkeypatch.setattr(Routes, "get", lambda self, path: {"world_size": 4})
    policy = small.open(run)
    there = Routes(root="http://gpu:8000", timeout=1.0, concurrency=1)
    engine = trainer(Meeting(port=1234), there, policy.voice)
    assert (engine.info.world_size, engine.info.rank) == (5, 0)
    pushes = Transfer(engine)
    pushes.send()
    policy.voice.decoder.model.lm_head.weight.data.add_(1.0)
    pushes.send()
    assert [path for path, _ in calls] == ["/init_weight_transfer_engine"] + 2 * [
        "/start_weight_update", "/update_weights", "/finish_weight_update",
    ]  # fmt: skip
    assert calls[0][1] == {"init_info": {"master_port": 1234}}
    assert "lm_head.weight" in calls[2][1]["update_info"]["names"]
    first, second = (sent["lm_head.weight"] for sent in engine.sent)
    assert float((second - first).min()) == pytest.approx(1.0, abs=1e-6)
    assert policy.sample(PROMPTS)
