"""Weights from device to device: vLLM's own trainer side of its NCCL weight transfer.

The server must be started with ``--weight-transfer-config '{"backend": "nccl"}'``. vLLM drives the
handshake and the broadcast; what is ours is where the processes meet and how the server is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solon.engines.local.voice import Voice
from solon.engines.vllm.routes import Routes
from solon.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Where the learner's first process waits for vLLM's workers.

    Example:
        Meeting(address="10.0.0.4", port=29600)
    """

    address: str = "127.0.0.1"
    """Address of this machine, as the server's machine reaches it."""
    port: int = 29600
    """A free port here."""


@dataclass(frozen=True, slots=True)
class Control:
    """The four calls that vLLM's trainer side makes of a server (its VLLMWeightSyncClient)."""

    routes: Routes

    def init_weight_transfer_engine(self, init_info: Mapping[str, Any]) -> None:
        self.routes.post("/init_weight_transfer_engine", {"init_info": init_info})

    def start_weight_update(self) -> None:
        self.routes.post("/start_weight_update")

    def update_weights(self, update_info: Any) -> None:
        self.routes.post("/update_weights", {"update_info": update_info})

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        body = {} if weight_version is None else {"weight_version": weight_version}
        self.routes.post("/finish_weight_update", body)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A learner and a server that have met."""

    engine: Any
    """vLLM's TrainerWeightTransferEngine."""

    @classmethod
    def open(cls, meeting: Meeting, routes: Routes, voice: Voice) -> Transfer:
        """Meets the server's workers; every process of the learner must call."""
        if voice.decoder.device.type != "cuda":
            raise SettingError(
                f"push: expected folder for weights on {voice.decoder.device.type}, got nccl, "
                "which needs CUDA"
            )
        return cls(trainer(meeting, routes, voice))

    def send(self) -> None:
        """The learner's weights as they are now; every process must call."""
        self.engine.send_weights()


def trainer(meeting: Meeting, routes: Routes, voice: Voice) -> Any:
    """vLLM's engine over the learner's live module, which it reads anew at each push."""
    try:
        from vllm.distributed import weight_transfer  # pyright: ignore[reportMissingImports]
        from vllm.distributed.weight_transfer import (  # pyright: ignore[reportMissingImports]
            nccl_engine,
        )
    except ImportError as error:
        raise SettingError(
            f"vllm: expected the package for push=nccl, got {error}: pip install 'solon[vllm]', or "
            "use push=folder"
        ) from error
    workers = routes.get("/get_world_size")["world_size"]
    return weight_transfer.WeightTransferTrainerFactory.trainer_init(
        nccl_engine.NCCLTrainerInitInfo(
            rank=voice.ranks.rank,
            master_address=meeting.address,
            master_port=meeting.port,
            world_size=workers + 1,
        ),
        client=Control(routes),
        source=weight_transfer.ModuleSource(voice.decoder.model),
    )
