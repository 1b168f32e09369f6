"""Where copies leave what they want of the run, and the driver comes to answer.

An actor beside the driver, since Ray lets no worker call the driver itself: no port of our own is
opened, and whoever can reach the cluster's actors can reach it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray

from solon.engines.ray.raised import Raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a copy wants of the run; ``ticket`` 0 waits for no answer."""

    copy: int
    what: str
    args: tuple[Any, ...]
    ticket: int = 0


class Desk:
    """Wishes in the order they came, and their answers."""

    def __init__(self) -> None:
        self._wishes: asyncio.Queue[Wish] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tickets = 0

    async def ask(self, copy: int, what: str, args: tuple[Any, ...]) -> Any:
        """The driver's answer."""
        self._tickets += 1
        ticket = self._tickets
        future = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        self._wishes.put_nowait(Wish(copy=copy, what=what, args=args, ticket=ticket))
        return await future

    async def tell(self, copy: int, what: str, args: tuple[Any, ...]) -> None:
        """Nobody waits for this one."""
        self._wishes.put_nowait(Wish(copy=copy, what=what, args=args))

    async def exchange(self, answers: Sequence[tuple[int, Any]]) -> list[Wish]:
        """Hands out the driver's answers, by ticket; waits for the next wishes."""
        for ticket, answer in answers:
            self._waiting.pop(ticket).set_result(answer)
        found = [await self._wishes.get()]
        while not self._wishes.empty():
            found.append(self._wishes.get_nowait())
        return found


@dataclass(slots=True, kw_only=True)
class Line:
    """A copy's line to the desk. What is said first is heard first.

    Example:
        Line(desk=desk, copy=2).ask("send", "judge@1a2b3c", {"worst": 0.01})
    """

    desk: Any
    copy: int
    _told: bool = False

    def ask(self, what: str, *args: Any) -> Any:
        """Waits for the answer; raises what went wrong with it, or with what was told before."""
        answer = ray.get(self.desk.ask.remote(self.copy, what, args))
        self._told = False
        if isinstance(answer, Raised):
            raise answer.error()
        return answer

    def tell(self, what: str, *args: Any) -> None:
        """Waits for nothing."""
        self._told = True
        self.desk.tell.remote(self.copy, what, args)

    def settle(self) -> None:
        """Returns when the run has all that it was told."""
        if self._told:
            self.ask("flush")
