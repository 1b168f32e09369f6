"""The shared window moves on a share of 429s only."""

from __future__ import annotations

import asyncio

from solon.engines.endpoint import gate as gate_module
from solon.engines.endpoint.client import backoff, retry_after
from solon.engines.endpoint.gate import Gate


def test_one_429_in_twenty_never_cuts():
    gate = Gate(32)

    async def work():
        for i in range(400):
            await gate.enter()
            gate.leave(limited=i % 20 == 0)

    asyncio.run(work())
    assert gate.window == 32


def test_a_burst_cuts_once_and_answers_widen_it_again(monkeypatch):
    monkeypatch.setattr(gate_module, "SETTLE", 60.0)
    gate = Gate(100)
    gate._cut = -1e9

    async def work(limited: bool, calls: int):
        for _ in range(calls):
            await gate.enter()
            gate.leave(limited=limited)

    asyncio.run(work(True, 20))
    assert gate.window == 70
    asyncio.run(work(False, 70))
    assert 70.9 < gate.window < 71.1
    asyncio.run(work(False, 10_000))
    assert gate.window == 100


def test_a_cancelled_call_passes_its_turn_on():
    async def work():
        gate = Gate(1)
        await gate.enter()
        first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
        await asyncio.sleep(0)
        gate.leave(limited=False)  # the first one's turn comes ...
        first.cancel()  # ... and it goes away
        await asyncio.wait_for(second, timeout=1)

    asyncio.run(work())


def test_a_pause_is_never_shorter_than_asked_and_never_endless():
    assert all(2.0 <= backoff(1, 2.0) <= 2.5 for _ in range(50))
    assert all(0.0 <= backoff(50, 0.0) <= 30.0 for _ in range(50))
    said = ["3", "1e9", "-4", "nan", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""]
    assert [retry_after({"retry-after": text}, 60.0) for text in said] == [3, 60, 0, 0, 0, 0, 0]
