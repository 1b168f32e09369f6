"""Many calls to one server: in order, paid once, capped, retried; no bad body costs a neighbour."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

import aiohttp

from solon.engines.endpoint import wire
from solon.engines.endpoint.gate import Gate
from solon.engines.endpoint.loop import background, wait
from solon.engines.endpoint.prices import Price
from solon.engines.endpoint.wire import Call, Reply
from solon.errors import EndpointError, SolonError
from solon.records import Abstains
from solon.run.cache import Cache
from solon.run.ledger import Ledger
from solon.run.ranks import Ranks, at_work

TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
NOTHING = (0, 0)
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0  # seconds
ROOM_PAUSE = 0.02  # seconds between two looks for room in the budget


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

    def given_up(self, outcome: Outcome) -> Abstains:
        """What the last attempt comes to; EndpointError where nobody answers at all."""
        if outcome.unreachable:
            raise EndpointError(f"no server answers at {self.url} ({outcome.reason})")
        return Abstains(reason=f"{outcome.reason}, {self.attempts} times")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt brought; ``answer`` None: try again. ``tokens`` None: billed at worst."""

    answer: Reply | Abstains | None = None
    reason: str = ""
    tokens: tuple[int, int] | None = None
    limited: bool = False
    unreachable: bool = False
    after: float = 0.0
    fatal: str = ""


@dataclass(slots=True)
class Batch:
    """Calls that are asked together, and what stopped them all."""

    todo: Iterator[Call]
    found: dict[bytes, Reply | Abstains]
    stop: SolonError | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def halt(self, error: SolonError) -> None:
        self.stop = self.stop or error
        self.stopped.set()

    async def sleep(self, seconds: float) -> None:
        """Sleeps, but not past the batch's end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopped.wait(), seconds)


@dataclass(kw_only=True, eq=False)
class Client:
    """Answers batches of calls from the cache and, for the rest, from the server.

    Raises BudgetSpent before the call that might pass the cap, and EndpointError where the server
    refuses everything; what was answered until then is in the cache.
    """

    server: Server
    judge: str
    price: Price | None
    gate: Gate
    cache: Cache
    ledger: Ledger
    note: Callable[[str], None]
    ranks: Ranks = field(default_factory=at_work)

    def ask(self, calls: Sequence[Call]) -> list[Reply | Abstains]:
        """One answer a call, in order; equal calls are sent once, by one process of a run."""
        return self.ranks.agreed(lambda: self._ask(calls))

    def _ask(self, calls: Sequence[Call]) -> list[Reply | Abstains]:
        found: dict[bytes, Reply | Abstains] = {
            key: wire.recalled(value)
            for key, value in self.cache.get([call.key for call in calls]).items()
        }
        missing = {call.key: call for call in calls if call.key not in found}
        if len(calls) > len(missing):
            self.ledger.hit(self.judge, len(calls) - len(missing))
        if missing:
            try:
                wait(self._serve(Batch(iter(missing.values()), found), len(missing)))
            finally:
                self.cache.flush()  # what was answered is kept before it counts as paid
                self.ledger.flush()
        return self._told([found[call.key] for call in calls])

    def _told(self, answers: list[Reply | Abstains]) -> list[Reply | Abstains]:
        failed = [answer.reason for answer in answers if isinstance(answer, Abstains)]
        if failed:
            self.note(f"{self.judge}: {len(failed)} of {len(answers)} calls failed ({failed[0]})")
        return answers

    async def _serve(self, batch: Batch, count: int) -> None:
        # Twice as many workers as places: a call that waits to be retried holds no place.
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(count, 2 * self.gate.most)):
                workers.create_task(self._work(batch))
        if batch.stop:
            raise batch.stop

    async def _work(self, batch: Batch) -> None:
        for call in batch.todo:
            try:
                batch.found[call.key] = await self._answer(call, batch)
            except SolonError as stop:
                batch.halt(stop)
            if batch.stop:
                return

    async def _answer(self, call: Call, batch: Batch) -> Reply | Abstains:
        """Tries until answered. A 429 spends patience (seconds), anything else an attempt."""
        errors = limits = 0
        until = time.monotonic() + self.server.patience
        while True:
            outcome = await self._attempt(call, batch, retry=errors + limits > 0)
            if outcome.fatal:
                raise EndpointError(outcome.fatal)
            if outcome.answer is not None:
                return outcome.answer
            limits += outcome.limited
            errors += not outcome.limited
            pause = backoff(limits if outcome.limited else errors, outcome.after)
            if errors >= self.server.attempts:
                return self.server.given_up(outcome)
            if outcome.limited and time.monotonic() + pause > until:
                return Abstains(reason=f"rate-limited for {self.server.patience:g} s")
            await batch.sleep(pause)

    async def _attempt(self, call: Call, batch: Batch, *, retry: bool) -> Outcome:
        await self.gate.enter()
        outcome = Outcome(reason="cancelled")
        try:
            number = await self._reserve(call, batch, retry=retry)
            try:
                outcome = await self._post(call)
            finally:
                self._settle(number, call, outcome)
        finally:
            self.gate.leave(limited=outcome.limited)
        return outcome

    async def _reserve(self, call: Call, batch: Batch, *, retry: bool) -> int:
        """Writes the call down before it is sent; waits while others' reserves fill the budget."""
        worst = self.price.of(call.worst_in, call.worst_out) if self.price else None
        while True:
            if batch.stop:
                raise batch.stop
            number = self.ledger.send(self.judge, worst=worst, retry=retry)
            if number is not None:
                return number
            await asyncio.sleep(ROOM_PAUSE)

    def _settle(self, number: int, call: Call, outcome: Outcome) -> None:
        tokens_in, tokens_out = outcome.tokens or (call.worst_in, call.worst_out)
        money = self.price.of(tokens_in, tokens_out) if self.price else None
        known_in, known_out = outcome.tokens or NOTHING
        self.ledger.settle(
            number,
            answered=isinstance(outcome.answer, Reply),
            money=money if outcome.tokens != NOTHING else 0.0,
            tokens_in=known_in,
            tokens_out=known_out,
        )
        reply = outcome.answer
        if isinstance(reply, Reply) and (reply.alternatives or not call.logprobs):
            self.cache.put(call.key, wire.kept(reply))

    async def _post(self, call: Call) -> Outcome:
        return await posted(self.server, call.body, partial(self._read, call=call))

    def _read(self, status: int, headers: Mapping[str, str], body: bytes, call: Call) -> Outcome:
        if status == HTTPStatus.OK:
            return read(body, call)
        text = f"HTTP {status}: {self.server.clean(wire.said(body))}"
        after = retry_after(headers, self.server.patience)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            return Outcome(fatal=self._refused(status), tokens=NOTHING)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            if b"insufficient_quota" in body:
                fatal = f"{self.server.url}: the account's quota is spent"
                return Outcome(fatal=fatal, tokens=NOTHING)
            return Outcome(reason=text, tokens=NOTHING, limited=True, after=after)
        if status in TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Outcome(reason=text, tokens=NOTHING, after=after)
        return Outcome(answer=Abstains(reason=text), tokens=NOTHING)

    def _refused(self, status: int) -> str:
        where, model, env = self.server.url, self.server.model, self.server.key_env
        if status == HTTPStatus.NOT_FOUND:
            return (
                f"{where} answered 404: no model {model!r}, or no such path; see base_url and api"
            )
        if not self.server.secret:
            return f"{where} answered {status}: set the environment variable {env} to your key"
        return f"{where} answered {status}: the key in {env} is wrong or may not use {model!r}"


def read(body: bytes, call: Call) -> Outcome:
    """What a 200 brought; a malformed one is paid as far as it says, else at worst."""
    try:
        answer = wire.read(body, logprobs=call.logprobs)
    except wire.Malformed as error:
        return Outcome(reason=str(error), tokens=wire.billed(body))
    if isinstance(answer, Abstains):
        return Outcome(answer=answer, tokens=wire.billed(body))
    known = answer.tokens_in > 0  # a server that counts never read nothing
    return Outcome(answer=answer, tokens=(answer.tokens_in, answer.tokens_out) if known else None)


async def posted(
    server: Server, body: bytes, read: Callable[[int, Mapping[str, str], bytes], Outcome]
) -> Outcome:
    """One request, its answer as it is ``read``, or what went wrong on the way."""
    try:
        async with (
            background()
            .connections()
            .post(
                server.url,
                data=body,
                headers=server.headers,
                timeout=aiohttp.ClientTimeout(total=server.timeout),
                allow_redirects=False,  # the key goes to the named server only
            ) as got
        ):
            return read(got.status, got.headers, await limited_body(got))
    except TimeoutError:
        return Outcome(reason=f"no answer within {server.timeout:g} s")
    except aiohttp.ClientConnectorError as error:
        text = server.clean(f"{type(error).__name__}: {error.strerror or 'cannot connect'}")
        return Outcome(reason=text, tokens=NOTHING, unreachable=True)
    except (aiohttp.ClientError, OSError) as error:
        return Outcome(reason=f"the connection broke ({type(error).__name__})")
    except wire.Malformed as error:
        return Outcome(reason=str(error))


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
        when = email.utils.parsedate_tz(text)
        seconds = email.utils.mktime_tz(when) - time.time() if when else 0.0
    return min(max(seconds, 0.0), most) if seconds == seconds else 0.0  # noqa: PLR0124 - NaN
