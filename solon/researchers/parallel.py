"""Work at one time: the runs of a method, and agents beside each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Thread

from solon.researchers.method import Answer, Execute, Method
from solon.researchers.problem import Problem


def answers(
    execute: Execute, method: Method, problems: Iterable[Problem], *, workers: int
) -> Generator[Answer]:
    """The method's answers, in the order of the problems; 0 workers are as many as the cores.

    Closed before its end it begins no further run, and waits for those that it began.
    """
    count = workers or os.cpu_count() or 1
    if count == 1:
        yield from (execute(method, one) for one in problems)
        return
    with ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(execute, method, one) for one in problems]
        try:
            for one in waiting:
                yield one.result()
        finally:
            for one in waiting:
                one.cancel()


def together(works: Sequence[Callable[[], None]]) -> None:
    """All of them at one time, until the last has ended or the first has failed.

    A failure is raised at once and leaves the others to end by themselves, as an interrupt does:
    whoever waits for a model, or for a scorer that is gone, must not hold up the end.
    """
    ended = SimpleQueue[BaseException | None]()

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            ended.put(error)
        else:
            ended.put(None)

    for work in works:
        Thread(target=run, args=(work,), daemon=True).start()
    for _ in works:
        if (error := ended.get()) is not None:
            raise error
