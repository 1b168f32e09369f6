"""Calls one by one: many in flight, retried, and no bad body costs a neighbour."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus

from solon.engines.endpoint.account import Account
from solon.engines.endpoint.exchange import Outcome, Server, answered, posted, tried
from solon.engines.endpoint.gate import Gate
from solon.engines.endpoint.loop import wait
from solon.engines.endpoint.wire import Call, Reply
from solon.errors import SolonError
from solon.records import Abstains

ROOM_PAUSE = 0.02  # seconds between two looks for room in the budget


@dataclass(slots=True)
class Together:
    """Calls that are asked together, and what stopped them all."""

    todo: Iterator[Call]
    found: dict[bytes, Reply | Abstains] = field(default_factory=dict[bytes, Reply | Abstains])
    stop: SolonError | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def halt(self, error: SolonError) -> None:
        self.stop = self.stop or error
        self.stopped.set()

    async def sleep(self, seconds: float) -> None:
        """Sleeps, but not past the end of all."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopped.wait(), seconds)


@dataclass(kw_only=True, eq=False)
class Online:
    """Serves calls by a request each, as many at a time as the gate lets in."""

    server: Server
    account: Account
    gate: Gate
    _answers: bool = False  # anybody: then what is forbidden is one call's words

    def __call__(self, calls: Sequence[Call], /) -> dict[bytes, Reply | Abstains]:
        together = Together(iter(calls))
        wait(self._serve(together, len(calls)))
        return together.found

    async def _serve(self, together: Together, count: int) -> None:
        # Twice as many workers as places: a call that waits to be retried holds no place.
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(count, 2 * self.gate.most)):
                workers.create_task(self._work(together))
        if together.stop:
            raise together.stop

    async def _work(self, together: Together) -> None:
        for call in together.todo:
            attempt = partial(self._attempt, call, together)
            try:
                together.found[call.key] = await tried(self.server, attempt, together.sleep)
            except SolonError as stop:
                together.halt(stop)
            if together.stop:
                return

    async def _attempt(self, call: Call, together: Together, before: int) -> Outcome[Reply]:
        place = await self.gate.enter()
        outcome: Outcome[Reply] = Outcome(reason="cancelled")
        try:
            number = await self._reserve(call, together, retry=before > 0)
            try:
                outcome = await posted(self.server, call.body, partial(self._read, call))
                self._answers |= isinstance(outcome.answer, Reply)
                if outcome.forbidden and self._answers:
                    outcome = replace(outcome, answer=Abstains(reason=outcome.reason))
            finally:
                self.account.settle(number, call, outcome)
                self.account.keep(call, outcome)
        finally:
            self.gate.leave(place, limited=outcome.limited)
        return outcome

    async def _reserve(self, call: Call, together: Together, *, retry: bool) -> int:
        """Writes the call down before it is sent; waits while others' reserves fill the budget."""
        while True:
            if together.stop:
                raise together.stop
            number = self.account.send(call, retry=retry)
            if number is not None:
                return number
            await asyncio.sleep(ROOM_PAUSE)

    def _read(
        self, call: Call, status: int, headers: Mapping[str, str], body: bytes
    ) -> Outcome[Reply]:
        if status == HTTPStatus.OK:
            return answered(body, call)
        return self.server.refused(status, headers, body)
