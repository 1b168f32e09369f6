"""The routes of a vLLM server: JSON in and out, many at a time, tried again where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from solon.engines.endpoint.loop import background, wait
from solon.engines.endpoint.wire import said
from solon.errors import EndpointError

# A server that is paused by another client says 503; one that restarts breaks connections.
ATTEMPTS = 6
FIRST_PAUSE = 0.25  # seconds
DEVELOPMENT = "start it with VLLM_SERVER_DEV_MODE=1 in its environment (vLLM 0.32 or later)"


class _Again(Exception):
    """An attempt that failed in a way that may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Where a server is, and how it is called. Raises EndpointError for whatever fails for good."""

    root: str
    timeout: float
    concurrency: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def get(self, path: str) -> Any:
        return wait(self._call("GET", path, None))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return wait(self._call("POST", path, body))

    def post_all(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[Any]:
        """One answer for each body, in order; after the first failure the others are given up."""
        return wait(self._all(path, bodies))

    async def _all(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[Any]:
        places = asyncio.Semaphore(self.concurrency)

        async def one(body: Mapping[str, Any]) -> Any:
            async with places:
                return await self._call("POST", path, body)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(body)) for body in bodies]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            try:
                return await self._once(method, path, body)
            except _Again as error:
                reason = str(error)
        raise EndpointError(f"{self.root}{path}: {reason}, {ATTEMPTS} times")

    async def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        data = None if body is None else orjson.dumps(body)
        try:
            async with (
                background()
                .connections()
                .request(
                    method,
                    self.root + path,
                    data=data,
                    headers={"Content-Type": "application/json", **self.headers},
                    timeout=aiohttp.ClientTimeout(total=self.timeout),
                    allow_redirects=False,
                ) as got
            ):
                return self._read(got.status, await got.read(), path)
        except TimeoutError as error:
            raise EndpointError(
                f"{self.root}{path}: no answer within {self.timeout:g} s"
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise EndpointError(f"no server answers at {self.root} ({error.strerror})") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _Again(f"the connection broke ({type(error).__name__})") from error

    def _read(self, status: int, body: bytes, path: str) -> Any:
        if status == HTTPStatus.NOT_FOUND and not path.startswith("/v1/"):
            raise EndpointError(f"{self.root} has no {path.partition('?')[0]}: {DEVELOPMENT}")
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise _Again(f"HTTP 503: {said(body)}")
        if status != HTTPStatus.OK:
            raise EndpointError(f"{self.root}{path} answered {status}: {said(body)}")
        try:
            return orjson.loads(body or b"null")
        except ValueError as error:
            raise EndpointError(f"{self.root}{path}: expected JSON, got {body[:40]!r}") from error
