"""Which calls may go out now: so many at a time, and so many a second as the server admits."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from solon.engines.endpoint.pace import Pace

START = 16


class Gate:
    """Places and a pace, shared by all calls of one endpoint; first come, first served.

    It begins with a few places and doubles them with each round of answers, so that a server that
    is limited meets no storm; once a limit is known each round adds one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.window = float(min(most, START))
        self.pace = Pace()
        self._inside = 0
        self._queue: deque[asyncio.Future[int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self) -> int:
        """Waits for a place, and for the pace; the number of the call, which ``leave`` is told."""
        loop = asyncio.get_running_loop()
        if not self._queue and self._open(loop.time()):
            return self._take(loop.time())
        turn = loop.create_future()
        self._queue.append(turn)
        self._wake()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the turn had come: its place is free again
                self._inside -= 1
            self._wake()
            raise

    def leave(self, number: int, *, limited: bool) -> None:
        """Gives that call's place back; ``limited`` where the server answered 429."""
        self._inside -= 1
        self.pace.heard(asyncio.get_running_loop().time(), number, limited=limited)
        if not limited and self.window < self.most:
            more = 1.0 if self.pace.rate == math.inf else 1.0 / self.window
            self.window = min(self.most, self.window + more)
        self._wake()

    def _open(self, now: float) -> bool:
        return self._inside < int(self.window) and self.pace.free <= now

    def _take(self, now: float) -> int:
        self._inside += 1
        return self.pace.sent(now)

    def _wake(self) -> None:
        """Lets in who may; where only the pace keeps the next one, comes back when it may."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._queue and self._open(now):
            turn = self._queue.popleft()
            if not turn.done():  # a cancelled call left its turn behind
                turn.set_result(self._take(now))
        waits = self._queue and self._inside < int(self.window)
        if waits and self._timer is None:
            self._timer = loop.call_at(math.nextafter(self.pace.free, math.inf), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._wake()
