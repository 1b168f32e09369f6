"""How many calls may be in flight: the window widens slowly and is cut on a share of 429s."""

from __future__ import annotations

import asyncio
import time
from collections import deque

LOOK_BACK = 50  # calls over which the share of 429s is taken
SHARE = 0.1  # below it a 429 is stray: only the request that got it waits
SETTLE = 0.2  # seconds between two cuts: one burst of 429s is one signal


class Gate:
    """A window shared by all calls of one endpoint; first come, first served.

    A stray 429 leaves the window alone. A share of 429s cuts it to 0.7 of itself; each answer
    widens it by 1/window, up to ``most``.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.window = float(most)
        self._inside = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._seen: deque[bool] = deque(maxlen=LOOK_BACK)
        self._cut = 0.0

    async def enter(self) -> None:
        """Waits for a place."""
        while self._inside >= int(self.window):
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()  # the turn may have come already: pass it on
                raise
        self._inside += 1

    def leave(self, *, limited: bool) -> None:
        """Gives the place back; ``limited`` where the server answered 429."""
        self._inside -= 1
        self._seen.append(limited)
        if not limited:
            self.window = min(self.most, self.window + 1.0 / self.window)
        elif self._crowded() and time.monotonic() - self._cut > SETTLE:
            self.window = max(1.0, 0.7 * self.window)
            self._cut = time.monotonic()
        self._wake()

    def _crowded(self) -> bool:
        return sum(self._seen) >= max(2.0, SHARE * len(self._seen))

    def _wake(self) -> None:
        places = int(self.window) - self._inside
        while places > 0 and self._queue:
            turn = self._queue.popleft()
            if not turn.done():  # a cancelled call left its turn behind
                turn.set_result(None)
                places -= 1
