"""A loopback vLLM server: the routes that we call, with the answers that vLLM 0.32 gave to them.

Read from vllm/entrypoints/rl/online/api_router.py, serve/dev/{rpc,cache,server_info}/api_router.py
and openai/completion/{protocol,serving}.py. Behind it is a real tiny model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from transformers import AutoConfig

from tests.vllm.model import Model
from tests.wire.server import listening

DEVELOPMENT = {
    "collective_rpc", "get_world_size", "is_paused", "pause", "reset_prefix_cache", "resume",
    "server_info", "update_weight_version", "weight_info",
}  # fmt: skip


@dataclass
class Server:
    folder: Path
    mode: str = "raw_logprobs"
    max_model_len: int = 64
    development: bool = True
    token_ids: bool = True
    busy: int = 0  # requests that still get a 503
    latency: float = 0.0  # seconds that a completion takes
    root: str = ""
    version: str = "default"
    paused: bool = False
    calls: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """As it was when it was started: the folder's weights, and no version of ours."""
        self.model = Model.dummy(AutoConfig.from_pretrained(self.folder))
        self.model.load_folder(self.folder)
        self.version, self.paused = "default", False

    async def handle(self, request: web.Request) -> web.Response:
        name = request.path.strip("/")
        if name in DEVELOPMENT and not self.development:
            return web.json_response({"detail": "Not Found"}, status=404)
        self.calls.append(name.rpartition("/")[2])
        body = await request.json() if request.can_read_body else {}
        if name.endswith("completions"):
            await asyncio.sleep(self.latency)
        try:
            return web.json_response(getattr(self, name.rpartition("/")[2])(body, request.query))
        except Failed as failure:
            said = {"error": {"message": failure.args[1], "code": failure.args[0]}}
            return web.json_response(said, status=failure.args[0])

    def models(self, body: Any, query: Any) -> dict[str, Any]:
        return {"data": [{"id": "m", "root": self.root or str(self.folder)}]}

    def server_info(self, body: Any, query: Any) -> dict[str, Any]:
        assert query["config_format"] == "json"
        config = {"max_model_len": self.max_model_len, "logprobs_mode": self.mode}
        return {"vllm_config": {"model_config": config}}

    def pause(self, body: Any, query: Any) -> dict[str, Any]:
        assert query["mode"] == "wait"
        self.paused = True
        return {"status": "paused"}

    def resume(self, body: Any, query: Any) -> dict[str, Any]:
        self.paused = False
        return {"status": "resumed"}

    def collective_rpc(self, body: Any, query: Any) -> dict[str, Any]:
        assert body["method"] == "reload_weights"
        assert self.paused
        (path,) = body["kwargs"].values()
        self.paths.append(path)
        try:
            self.model.load_folder(Path(path))
        except (AssertionError, FileNotFoundError, KeyError) as error:
            raise Failed(500, "Call to collective_rpc method failed: Worker failed") from error
        return {"results": [None]}

    def reset_prefix_cache(self, body: Any, query: Any) -> dict[str, Any]:
        self.model.remembered.clear()
        return {"success": True}

    def update_weight_version(self, body: Any, query: Any) -> dict[str, Any]:
        self.version = body["new_version"]
        return {"success": True, "new_version": self.version}

    def weight_info(self, body: Any, query: Any) -> dict[str, Any]:
        return {"weight_version": self.version}

    def completions(self, body: Any, query: Any) -> dict[str, Any]:
        if self.paused or self.busy:
            self.busy -= 1
            raise Failed(503, "generation is paused")
        self.bodies.append(body)
        assert body["model"] == "m"
        assert (body["logprobs"], body["add_special_tokens"]) == (0, False)
        names = ("temperature", "top_p", "top_k", "seed", "max_tokens", "stop_token_ids")
        said = self.model.say(
            body["prompt"], mode=self.mode, **{name: body[name] for name in names}
        )
        choice: dict[str, Any] = {
            "index": 0,
            "text": "",
            "finish_reason": said.finish,
            "logprobs": {"token_logprobs": [max(logp, -9999.0) for logp in said.logps]},
        }
        if self.token_ids and body["return_token_ids"]:
            choice |= {"token_ids": said.tokens, "prompt_token_ids": body["prompt"]}
        return {"choices": [choice]}


class Failed(Exception):
    """A status and what is said of it."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, in a thread of its own, on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    with listening(app) as server.url:
        yield server
