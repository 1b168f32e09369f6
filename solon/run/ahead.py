"""Work begun before it is needed: threads that never hold up the end of the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import copy_context
from threading import Thread
from typing import Protocol, TypeVar, runtime_checkable

from solon.records import Group, Prompt

T = TypeVar("T")

GRACE = 2.0  # seconds for which a loop that breaks off waits for work that is nearly done


@runtime_checkable
class Elsewhere(Protocol):
    """A learner that can be sampled outside this process, or on a device of its own."""

    @property
    def elsewhere(self) -> bool:
        """Whether it is."""
        ...

    def begin_sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> Future[list[Group]]:
        """n completions of each prompt by the weights as they are now, drawn while it learns."""
        ...


def begin(work: Callable[[], T], /, *, name: str) -> Future[T]:
    """The work, begun in a thread of its own; whatever it raises, its result raises."""
    future: Future[T] = Future()

    def done() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
            future.set_exception(error)

    # a pool's threads are joined when the process ends: a judge that hangs would keep it alive
    Thread(target=copy_context().run, args=(done,), name=name, daemon=True).start()
    return future


def ready(value: T, /) -> Future[T]:
    """A result that is there already."""
    future: Future[T] = Future()
    future.set_result(value)
    return future


def first(work: Mapping[int, Future[T]], /) -> int:
    """The lowest number of what is done, once anything is."""
    wait(work.values(), return_when=FIRST_COMPLETED)
    return min(number for number, future in work.items() if future.done())


def leave(work: Collection[Future[T]], /, *, seconds: float = GRACE) -> None:
    """Waits for what is nearly done, and no longer: what hangs dies with the process."""
    wait(work, timeout=seconds)
