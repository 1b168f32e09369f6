"""The routes of a Batch API, retried: upload a file, create, list and look up batches, download."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import aiohttp
import orjson

from solon.engines.endpoint import wire
from solon.engines.endpoint.batches.batch import NO_BATCH, Batch, id_of
from solon.engines.endpoint.batches.flights import Flight
from solon.engines.endpoint.exchange import Outcome, Server, exchanged, limited_body, tried
from solon.engines.endpoint.loop import background, wait
from solon.errors import EndpointError
from solon.records import Abstains

T = TypeVar("T")

OURS = "solon"  # the metadata's field that holds a flight's tag
SLOWEST = 100_000  # bytes a second that an upload is given time for
PAGE = 100  # batches of one list: no server gives more
MOST_OUTPUT = 4 * 2**30  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """One server's Batch API; ``path`` is what the calls in a file are posted to.

    Every method raises EndpointError where the server refuses or does not answer.

    Example:
        Routes(server=server, base="https://api.openai.com/v1", path="chat/completions")
    """

    server: Server
    base: str
    path: str

    def upload(self, lines: Path) -> str:
        """The id of the file, once the server has it."""
        seconds = self.server.timeout + lines.stat().st_size / SLOWEST
        whole = aiohttp.ClientTimeout(total=seconds)

        async def attempt(_: int) -> Outcome[str]:
            form = aiohttp.FormData({"purpose": "batch"})
            with lines.open("rb") as file:
                form.add_field("file", file, filename=f"{OURS}-{lines.name}")
                return await self._told("POST", "files", id_of, data=form, timeout=whole)

        return self._sure("files", wait(tried(self.server, attempt)))

    def create(self, flight: Flight, window: str) -> Batch:
        """Begins the batch of an uploaded file, once however often it must be asked for."""
        asked = {"input_file_id": flight.file, "endpoint": f"/v1/{self.path}"}
        body = asked | {"completion_window": window, "metadata": {OURS: flight.tag}}

        async def attempt(before: int) -> Outcome[Batch]:
            if before:  # perhaps only the answer was lost, and a second batch would be paid too
                found = await self._found(flight)
                if found.answer is not NO_BATCH:
                    return found
            return await self._told("POST", "batches", self._batch, json=body)

        return self._sure("batches", wait(tried(self.server, attempt)))

    def find(self, flight: Flight) -> Batch | None:
        """The flight's batch, by its tag or its file, among all of the account."""

        async def attempt(_: int) -> Outcome[Batch]:
            return await self._found(flight)

        found = self._sure("batches", wait(tried(self.server, attempt)))
        return None if found is NO_BATCH else found

    def look(self, batch: str) -> Outcome[Batch]:
        """One look, not retried: the next one comes soon."""
        return wait(self._told("GET", f"batches/{batch}", self._batch))

    def fetch(self, file: str, into: BinaryIO) -> None:
        """The file's content, whole."""
        server = self._at(f"files/{file}/content")

        async def content(got: aiohttp.ClientResponse) -> Outcome[bool]:
            if got.status != HTTPStatus.OK:
                return _refused(server, got.status, got.headers, await limited_body(got))
            into.seek(0)
            into.truncate()
            async for part in got.content.iter_any():
                if into.tell() > MOST_OUTPUT:
                    raise wire.Malformed(f"a file of more than {MOST_OUTPUT} bytes")
                into.write(part)
            return Outcome(answer=True)

        async def attempt(_: int) -> Outcome[bool]:
            # it may be long: what bounds it is each silence
            silence = aiohttp.ClientTimeout(total=None, sock_read=server.timeout)
            return await exchanged(server, self._request("GET", server.url, silence), content)

        self._sure(f"files/{file}/content", wait(tried(server, attempt)))

    async def _found(self, flight: Flight) -> Outcome[Batch]:
        """Where the list never ends it is fatal: a second batch would be paid for, too."""
        after: dict[str, str] = {}
        passed: set[str] = set()
        while True:  # the newest come first
            told = {"limit": str(PAGE)} | after
            page = await self._told("GET", "batches", partial(self._page, flight), params=told)
            if page.answer is None or isinstance(page.answer, Abstains):
                return cast("Outcome[Batch]", page)  # it holds no page
            batch, more = page.answer
            if batch or not more:
                return Outcome(answer=batch or NO_BATCH)
            if more in passed:
                return Outcome(fatal=f"{self.base}/batches {endless(flight)}")
            passed.add(more)
            after = {"after": more}

    def _page(self, flight: Flight, plain: Any) -> tuple[Batch | None, str]:
        """The flight's batch, if it is listed, and the id after which more come; "" for none."""
        listed: list[dict[str, Any]] = plain["data"]
        ours = next((self._batch(one) for one in listed if _is(one, flight)), None)
        return ours, id_of(listed[-1]) if listed and plain.get("has_more") else ""

    def _batch(self, plain: dict[str, Any]) -> Batch:
        """Its errors' words are cleaned while they are whole: half a key is one, too."""
        for fault in (plain.get("errors") or {}).get("data") or ():
            words = str(fault.get("message") or fault.get("code") or "")
            fault["message"] = self.server.told(orjson.dumps({"error": words}))
        return Batch.of(plain)

    async def _told(
        self, method: str, path: str, read: Callable[[Any], T], **sent: Any
    ) -> Outcome[T]:
        """One request, and the JSON that came back as it is ``read``."""
        server = self._at(path)

        async def whole(got: aiohttp.ClientResponse) -> Outcome[T]:
            body = await limited_body(got)
            if got.status != HTTPStatus.OK:
                return _refused(server, got.status, got.headers, body)
            try:
                return Outcome(answer=read(orjson.loads(body)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return Outcome(reason=f"malformed body ({type(error).__name__})")

        timeout = sent.pop("timeout", aiohttp.ClientTimeout(total=server.timeout))
        return await exchanged(server, self._request(method, server.url, timeout, **sent), whole)

    def _request(
        self, method: str, url: str, timeout: aiohttp.ClientTimeout, **sent: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {k: told for k, told in self.server.headers.items() if k != "Content-Type"}
        # the key goes to the named server only
        return background().connections().request(
            method, url, headers=headers, timeout=timeout, allow_redirects=False, **sent
        )  # fmt: skip

    def _at(self, path: str) -> Server:
        return replace(self.server, url=f"{self.base}/{path}")

    def _sure(self, path: str, answer: T | Abstains) -> T:
        if isinstance(answer, Abstains):
            raise EndpointError(f"{self.base}/{path}: {answer.reason}")
        return answer


def _refused(server: Server, status: int, headers: Any, body: bytes) -> Outcome[Any]:
    if status == HTTPStatus.NOT_FOUND:
        return Outcome(fatal=f"{server.url} answered 404: no such batch or file, or no Batch API")
    return server.refused(status, headers, body)


def endless(flight: Flight) -> str:
    """What to say of a list of which nobody gets to the end."""
    return (
        f"lists the same batches over and over: whether one was made of {flight.tag} cannot be "
        f"told; to send its calls again, delete {flight.tag}.json among the run's batches"
    )


def _is(plain: dict[str, Any], flight: Flight) -> bool:
    tagged = (plain.get("metadata") or {}).get(OURS) == flight.tag
    return tagged or plain.get("input_file_id") == flight.file != ""
