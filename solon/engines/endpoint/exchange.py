"""One request to a server: what came of it, whether to try again, and how long to wait before."""

from __future__ import annotations

import asyncio
import email.utils
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import aiohttp

from solon.engines.endpoint import wire
from solon.engines.endpoint.loop import background
from solon.engines.endpoint.wire import Asked, Reply
from solon.errors import EndpointError
from solon.records import Abstains

T = TypeVar("T")

TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
CLOSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}
NOTHING = (0, 0)  # tokens
TOLD = 200  # characters of a server's own words
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T]):
    """What one attempt brought; ``answer`` None: try again. ``tokens`` None: billed at worst."""

    answer: T | Abstains | None = None
    reason: str = ""
    tokens: tuple[int, int] | None = None
    limited: bool = False
    forbidden: bool = False
    unreachable: bool = False
    after: float = 0.0
    fatal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where calls go and how patient we are. Keep it out of logs: ``headers`` hold the key."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    key_env: str
    model: str
    timeout: float
    attempts: int
    patience: float

    def clean(self, text: str) -> str:
        """The text without our key, which some servers send back, whole or half masked."""
        if self.secret:
            text = text.replace(self.secret, "***")
        return re.sub(r"\b(sk|key)-[\w*.-]+", "***", text)

    def told(self, body: bytes) -> str:
        """The server's own words about an error, cut after they were cleaned: half a key is one."""
        return self.clean(wire.said(body))[:TOLD]

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Outcome[Any]:
        """What an answer that is not a 200 comes to."""
        if status in CLOSED:
            return Outcome(fatal=self._closed(status), tokens=NOTHING)
        text = f"HTTP {status}: {self.told(body)}"
        spent = status == HTTPStatus.PAYMENT_REQUIRED or b"insufficient_quota" in body
        if spent and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Outcome(fatal=f"{self.url}: the account's quota is spent", tokens=NOTHING)
        after = retry_after(headers, self.patience)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Outcome(reason=text, tokens=NOTHING, limited=True, after=after)
        if status == HTTPStatus.FORBIDDEN:  # of one call's words, or of all: others will tell
            return Outcome(reason=text, tokens=NOTHING, forbidden=True)
        if status in TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Outcome(reason=text, tokens=NOTHING, after=after)
        return Outcome(answer=Abstains(reason=text), tokens=NOTHING)

    def given_up(self, outcome: Outcome[Any]) -> Abstains:
        """What the last attempt comes to; EndpointError where nobody is answered at all."""
        if outcome.unreachable:
            raise EndpointError(f"no server answers at {self.url} ({outcome.reason})")
        if outcome.forbidden:
            raise EndpointError(self._closed(HTTPStatus.FORBIDDEN))
        return Abstains(reason=f"{outcome.reason}, {self.attempts} times")

    def _closed(self, status: int) -> str:
        where, model, env = self.url, self.model, self.key_env
        if status == HTTPStatus.NOT_FOUND:
            return (
                f"{where} answered 404: no model {model!r}, or no such path; see base_url and api"
            )
        if not self.secret:
            return f"{where} answered {status}: set the environment variable {env} to your key"
        return f"{where} answered {status}: the key in {env} is wrong or may not use {model!r}"


async def tried(
    server: Server,
    attempt: Callable[[int], Awaitable[Outcome[T]]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T | Abstains:
    """Tries until answered. A 429 spends patience (seconds), anything else an attempt.

    ``attempt`` is given the number of attempts before it. Raises EndpointError where the server
    refuses everything, or none answers.
    """
    errors = limits = 0
    until = time.monotonic() + server.patience
    while True:
        outcome = await attempt(errors + limits)
        if outcome.fatal:
            raise EndpointError(outcome.fatal)
        if outcome.answer is not None:
            return outcome.answer
        limits += outcome.limited
        errors += not outcome.limited
        pause = backoff(limits if outcome.limited else errors, outcome.after)
        if errors >= server.attempts:
            return server.given_up(outcome)
        if outcome.limited and time.monotonic() + pause > until:
            return Abstains(reason=f"rate-limited for {server.patience:g} s")
        await sleep(pause)


async def posted(
    server: Server, body: bytes, read: Callable[[int, Mapping[str, str], bytes], Outcome[T]]
) -> Outcome[T]:
    """One body posted, its answer as it is ``read``, or what went wrong on the way."""

    async def whole(got: aiohttp.ClientResponse) -> Outcome[T]:
        return read(got.status, got.headers, await limited_body(got))

    request = background().connections().post(
        server.url,
        data=body,
        headers=server.headers,
        timeout=aiohttp.ClientTimeout(total=server.timeout),
        allow_redirects=False,  # the key goes to the named server only
    )  # fmt: skip
    return await exchanged(server, request, whole)


async def exchanged(
    server: Server,
    request: AbstractAsyncContextManager[aiohttp.ClientResponse],
    read: Callable[[aiohttp.ClientResponse], Awaitable[Outcome[T]]],
) -> Outcome[T]:
    """The request's answer as it is ``read``, or what went wrong on the way."""
    try:
        async with request as got:
            return await read(got)
    except TimeoutError:
        return Outcome(reason=f"no answer within {server.timeout:g} s")
    except aiohttp.ClientConnectorError as error:
        text = server.clean(f"{type(error).__name__}: {error.strerror or 'cannot connect'}")
        return Outcome(reason=text, tokens=NOTHING, unreachable=True)
    except (aiohttp.ClientError, OSError) as error:
        return Outcome(reason=f"the connection broke ({type(error).__name__})")
    except wire.Malformed as error:
        return Outcome(reason=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a body does to us costs its own row alone
        return Outcome(reason=f"malformed answer ({type(error).__name__})")


async def limited_body(got: aiohttp.ClientResponse) -> bytes:
    """The body; Malformed past MAX_BODY bytes, also where it was compressed."""
    parts: list[bytes] = []
    size = 0
    async for part in got.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > wire.MAX_BODY:
            raise wire.Malformed(f"a body of more than {wire.MAX_BODY} bytes")
    return b"".join(parts)


def answered(body: bytes, call: Asked) -> Outcome[Reply]:
    """What a 200 brought; a malformed one is paid as far as it says, else at worst."""
    try:
        answer = wire.read(body, logprobs=call.logprobs)
    except wire.Malformed as error:
        return Outcome(reason=str(error), tokens=wire.billed(body))
    if isinstance(answer, Abstains):
        return Outcome(answer=answer, tokens=wire.billed(body))
    known = answer.tokens_in > 0  # a server that counts never read nothing
    return Outcome(answer=answer, tokens=(answer.tokens_in, answer.tokens_out) if known else None)


def backoff(failures: int, after: float) -> float:
    """Seconds to wait: full jitter over a doubling span, never less than the server asked for."""
    span = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10))
    share = random.random()  # noqa: S311 - spreads the load, decides nothing
    return after * (1.0 + 0.25 * share) if after else span * share


def retry_after(headers: Mapping[str, str], most: float) -> float:
    """Seconds that Retry-After asks for, as a number or as a date, cut to [0, most]; 0: none."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text)
    return min(max(seconds, 0.0), most) if seconds == seconds else 0.0  # noqa: PLR0124 - NaN


def _until(date: str) -> float:
    """Seconds until a date; 0 for what is none."""
    try:
        when = email.utils.parsedate_tz(date)
        return email.utils.mktime_tz(when) - time.time() if when else 0.0
    except (ValueError, OverflowError):
        return 0.0
