"""Work begun before it is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import ContextVar

import pytest

from solon.errors import BudgetSpent
from solon.records import Group, Prompt
from solon.run.ahead import Elsewhere, begin, first, leave, ready

said: ContextVar[str] = ContextVar("said", default="nothing")


def test_work_runs_in_a_daemon_of_its_own_and_in_the_callers_context() -> None:
    said.set("here")

    def work() -> tuple[str, bool, str]:
        thread = threading.current_thread()
        return thread.name, thread.daemon, said.get()

    assert begin(work, name="turn-3").result() == ("turn-3", True, "here")


@pytest.mark.parametrize("error", [BudgetSpent("spent"), KeyboardInterrupt()])
def test_what_work_raises_its_result_raises_as_itself(error: BaseException) -> None:
    def work() -> None:
        raise error

    future = begin(work, name="fails")
    with pytest.raises(type(error)) as told:
        future.result()
    assert told.value is error


def test_the_first_is_the_lowest_of_what_is_done() -> None:
    gate = threading.Event()
    late = begin(gate.wait, name="late")
    assert first({4: late, 7: ready(1), 9: ready(2)}) == 7
    gate.set()
    late.result()
    assert first({4: late, 7: ready(True)}) == 4


def test_work_that_hangs_is_left_behind() -> None:
    gate = threading.Event()
    hangs = begin(gate.wait, name="hangs")
    began = time.monotonic()
    leave([hangs, ready(True)], seconds=0.05)
    assert 0.04 < time.monotonic() - began < 5
    assert not hangs.done()
    gate.set()
    leave([hangs])
    assert hangs.done()


def test_only_what_says_so_answers_elsewhere() -> None:
    class Here:
        pass

    class There:
        elsewhere = True

        def begin_sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> Future[list[Group]]:
            raise NotImplementedError

    assert isinstance(There(), Elsewhere)
    assert not isinstance(Here(), Elsewhere)
