"""The driver's side of the desk: one ledger, one cache and one set of notes for all copies."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from solon.engines.ray.desk import Desk, Wish
from solon.engines.ray.raised import Raised
from solon.run.run import Run


@dataclass(slots=True, kw_only=True)
class Counter:
    """Answers wishes, in a thread of its own, in the order they came to the desk.

    ``sent`` holds each copy's calls in flight and the worst that each can cost. When a copy dies
    they count as failures at their worst: nobody can tell what they cost.
    """

    run: Run
    desk: Any
    sent: dict[int, dict[int, float | None]] = field(
        default_factory=lambda: defaultdict[int, dict[int, float | None]](dict)
    )
    heard: set[str] = field(default_factory=set[str])
    """What copies noted while they opened."""
    gone: set[int] = field(default_factory=set[int])
    owed: dict[int, Raised] = field(default_factory=dict[int, Raised])
    """What went wrong with a wish that nobody waited for: its copy hears of it by its next one."""

    def serve(self) -> None:
        """Until the desk or the cluster has gone, in whichever words Ray says so."""
        answers: list[tuple[int, Any]] = []
        while ray.is_initialized():  # else Ray would begin a cluster by itself
            try:
                # a thread that waits inside Ray would end the process when Ray is shut down
                wishes: list[Wish] = self.desk.exchange.remote(answers).future().result()
            except Exception:  # noqa: BLE001 - only Ray fails here: a wish's failure is a value
                close_desk(self.desk)  # nobody may wait there for an answer
                return
            done = [(wish, self._done(wish)) for wish in wishes]
            answers = [(wish.ticket, answer) for wish, answer in done if wish.ticket]

    def _done(self, wish: Wish) -> Any:
        answer = self._answer(wish)
        if wish.ticket:
            return self.owed.pop(wish.copy, answer)
        if isinstance(answer, Raised):
            self.owed.setdefault(wish.copy, answer)
        return None

    def _answer(self, wish: Wish) -> Any:
        ledger, cache = self.run.ledger, self.run.cache
        table: Mapping[str, Callable[..., Any]] = {
            "send": self._send,
            "settle": self._settle,
            "hit": lambda _, *args: ledger.hit(*args),
            "totals": lambda _: ledger.totals(),
            "flush": lambda _: ledger.flush(),
            "get": lambda _, keys: cache.get(keys),
            "put": lambda _, *args: cache.put(*args),
            "keep": lambda _: cache.flush(),
            "note": self._note,
            "lost": self._lost,
        }
        try:
            return table[wish.what](wish.copy, *wish.args)
        except Exception as error:  # noqa: BLE001 - it belongs to the copy that asked
            return Raised.of(error, copy=wish.copy)

    def _note(self, _: int, text: str, opening: bool) -> None:  # noqa: FBT001 - as it was told
        if not opening or text not in self.heard:
            self.run.note(text)
        if opening:
            self.heard.add(text)

    def _send(self, copy: int, judge: str, terms: Mapping[str, Any]) -> int | None:
        if copy in self.gone:
            return None
        call = self.run.ledger.send(judge, **terms)
        if call is not None:
            self.sent[copy][call] = terms["worst"]
        return call

    def _settle(self, copy: int, call: int, terms: Mapping[str, Any]) -> None:
        if copy not in self.gone:
            del self.sent[copy][call]
            self.run.ledger.settle(call, **terms)

    def _lost(self, copy: int) -> None:
        self.gone.add(copy)
        for call, worst in self.sent.pop(copy, {}).items():
            self.run.ledger.settle(call, answered=False, money=worst)
        self.run.ledger.flush()


def open_desk(run: Run) -> Any:
    """The desk's handle, on this node, with the driver behind it."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    desk = ray.remote(Desk).options(num_cpus=0, scheduling_strategy=here).remote()
    # the run holds what holds the desk: a thread that held the run would keep all of them for ever
    counter = Counter(run=weakref.proxy(run), desk=desk)
    Thread(target=counter.serve, name="ray-desk", daemon=True).start()
    return desk


def close_desk(desk: Any) -> None:
    """Ends the driver's thread with its desk, where the cluster has not gone before."""
    if ray.is_initialized():
        with suppress(RayError):
            ray.kill(desk)
