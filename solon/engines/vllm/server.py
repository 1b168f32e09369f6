"""A vLLM server as a sampler: ids in and out, and weights pushed through its own routes."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from solon.engines.endpoint.secret import secret
from solon.engines.local.sampling import Drawn, Manner
from solon.engines.local.voice import Voice
from solon.engines.vllm.request import Request, drawn, sampling
from solon.engines.vllm.routes import Routes
from solon.engines.vllm.served import served
from solon.engines.vllm.transfer import Meeting, Transfer
from solon.errors import EndpointError, SettingError
from solon.run.run import Run


@dataclass(frozen=True, kw_only=True)
class Server:
    """A vLLM server that samples for us; it must run with VLLM_SERVER_DEV_MODE=1.

    Its weight routes ask for no key: whoever reaches its port can change its weights.

    Example:
        Server(base_url="http://gpu:8000/v1", folder="/shared/pushed")
    """

    base_url: str = "http://localhost:8000/v1"
    """Where the server is, up to /v1."""
    served: str = ""
    """Model, as the server names it; empty takes the first that it lists."""
    key_env: str = "VLLM_API_KEY"
    """Environment variable that holds the key, where the server wants one."""
    push: Literal["folder", "nccl"] = "folder"
    """How weights get there: a folder that both sides see, or NCCL from device to device."""
    folder: str = ""
    """Where the folders are written, by the same path on both sides; empty is in the run's."""
    meeting: Meeting = Meeting()
    """Where NCCL's processes meet."""
    concurrency: int = 256
    """Most requests in flight."""
    timeout: float = 600.0
    """Seconds that bound one request, or one push."""

    def begin(self, voice: Voice, run: Run) -> Live:
        """Raises SettingError or EndpointError where the server cannot do what is needed."""
        self._check(voice)
        key = secret(self.key_env, needed=False)
        routes = Routes(
            root=self.base_url.rstrip("/").removesuffix("/v1"),
            timeout=self.timeout,
            concurrency=self.concurrency,
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )
        model = voice.ranks.agreed(lambda: served(routes, self.served, voice, run.note))
        transfer = None
        if self.push == "nccl":
            transfer = Transfer.open(self.meeting, routes, voice)
        return Live(
            routes=routes,
            model=model,
            manner=voice.manner,
            stops=tuple(voice.stops),
            folder=Path(self.folder or run.dir / "vllm").absolute(),
            transfer=transfer,
            mark=voice.ranks.agreed(lambda: secrets.token_hex(4)),
        )

    def _check(self, voice: Voice) -> None:
        url = urlsplit(self.base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise SettingError(f"base_url: expected http(s)://host/path, got {self.base_url!r}")
        if self.concurrency < 1 or self.timeout <= 0:
            raise SettingError("concurrency, timeout: expected more than 0")
        if self.push == "nccl" and voice.decoder.adapter is not None:
            raise SettingError(
                "push: expected folder where adapters learn (they are folded in), got nccl"
            )


@dataclass(slots=True, kw_only=True)
class Live:
    """A server that has what it needs. Satisfies Sampler.

    ``mark`` tells our weights from those of another run with a policy of the same id.
    """

    routes: Routes
    model: str
    manner: Manner
    stops: tuple[int, ...]
    folder: Path
    transfer: Transfer | None
    mark: str

    def holds(self, version: str, /) -> bool:
        """Asks the server: it may have been started anew, or serve another run by now."""
        return self.routes.get("/weight_info").get("weight_version") == self._label(version)

    def _label(self, version: str) -> str:
        return f"{version} {self.mark}"

    def load(self, voice: Voice, version: str, /) -> None:
        """Pushes while no request is running. Where it fails, the server stays paused, and its
        weights without a name: they may be half of the old and half of the new.
        """
        pushed = self.folder / f"{version}-{self.mark}"
        if self.transfer is None:
            voice.save(pushed, version)  # every process must ask
        voice.ranks.agreed(self._stop)
        if self.transfer is not None:
            self.transfer.send()  # every process must take part
        voice.ranks.agreed(lambda: self._take(None if self.transfer else pushed, version))

    def _stop(self) -> None:
        self.routes.post("/pause?mode=wait")
        self._name("none: a push is under way")

    def _take(self, pushed: Path | None, version: str) -> None:
        if pushed is not None:
            self._reload(pushed)
        if not self.routes.post("/reset_prefix_cache").get("success"):
            raise EndpointError(f"{self.routes.root}: its prefix cache could not be reset")
        self._name(self._label(version))
        self.routes.post("/resume")

    def _reload(self, pushed: Path) -> None:
        body = {"method": "reload_weights", "kwargs": {"weights_path": str(pushed)}}
        try:
            self.routes.post("/collective_rpc", body)
        except EndpointError as error:
            raise EndpointError(
                f"{error} (expected a server that sees {pushed} and serves a model of the same "
                "shape; start it anew before the next push)"
            ) from error
        finally:
            shutil.rmtree(pushed)

    def _name(self, label: str) -> None:
        self.routes.post("/update_weight_version", {"new_version": label})

    def draw(self, requests: Sequence[Request], /) -> list[Drawn]:
        bodies = [self._body(one) for one in requests]
        answers = self.routes.post_all("/v1/completions", bodies)
        return [
            read(body, one, self.routes.root) for body, one in zip(answers, requests, strict=True)
        ]

    def _body(self, request: Request) -> dict[str, Any]:
        return sampling(self.manner, request, self.stops) | {
            "model": self.model,
            "prompt": list(request.ids),
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,
            "add_special_tokens": False,
        }


def read(body: Any, request: Request, root: str) -> Drawn:
    """The one choice of an answer. Raises EndpointError where it is not vLLM's."""
    try:
        choice = body["choices"][0]
        tokens, logps = choice["token_ids"], choice["logprobs"]["token_logprobs"]
        prompt, finish = choice["prompt_token_ids"], choice["finish_reason"]
    except (KeyError, IndexError, TypeError) as error:
        raise EndpointError(
            f"{root}: expected vLLM's token_ids and logprobs, got an answer without {error}"
        ) from error
    if list(prompt) != list(request.ids):
        raise EndpointError(f"{root}: expected the prompt's own {len(request.ids)} ids to be read")
    return drawn(tokens, logps, finish)
