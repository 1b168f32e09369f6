"""One event loop in a background thread, and the connections that live on it."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")


class Background:
    """A loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.session: aiohttp.ClientSession | None = None
        self.thread = threading.Thread(
            target=self.loop.run_forever, name="solon-endpoint", daemon=True
        )
        self.thread.start()
        atexit.register(self.close)

    def connections(self) -> aiohttp.ClientSession:
        """The pool, made on first use; the gates bound it, and no cookie passes between calls."""
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self.session

    def close(self) -> None:
        if self.session is not None:
            asyncio.run_coroutine_threadsafe(self.session.close(), self.loop).result(timeout=5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=5)
        self.loop.close()


_lock = threading.Lock()
_running: dict[int, Background] = {}


def background() -> Background:
    """The process's loop; a forked child, whose threads did not survive, gets its own."""
    with _lock:
        if os.getpid() not in _running:
            _running[os.getpid()] = Background()
        return _running[os.getpid()]


def wait(work: Coroutine[Any, Any, T]) -> T:
    """The work's result; where the caller is interrupted, the work is cancelled and cleans up."""
    over = threading.Event()

    async def whole() -> T:
        try:
            return await work
        finally:
            over.set()

    future = asyncio.run_coroutine_threadsafe(whole(), background().loop)
    try:
        return future.result()
    finally:
        future.cancel()
        over.wait(timeout=5)
