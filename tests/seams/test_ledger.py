"""The ledger: every call is written before it is sent, and the cap holds."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from solon.errors import BudgetSpent, SettingError
from solon.run.ledger import Ledger


def paid(ledger: Ledger, money: float | None, *, worst: float | None = 0.5) -> None:
    call = ledger.send("judge", worst=worst)
    assert call is not None
    ledger.settle(call, answered=True, money=money, tokens_in=10, tokens_out=2)


def test_totals_add_up_and_are_written_whole(tmp_path: Path):
    ledger = Ledger(tmp_path)
    paid(ledger, 0.25)
    call = ledger.send("judge", worst=0.5, retry=True)
    assert call is not None
    ledger.settle(call, answered=False, money=0.5)
    ledger.hit("judge", 3)
    ledger.close()
    row = json.loads((tmp_path / "ledger.jsonl").read_text())
    assert row == {
        "judge": "judge", "calls": 2, "retries": 1, "failures": 1, "in_doubt": 0,
        "hits": 3, "tokens_in": 10, "tokens_out": 2, "money": 0.75,
    }  # fmt: skip
    assert Ledger(tmp_path).totals() == ledger.totals()


def test_a_budget_stops_before_the_call_that_might_pass_it(tmp_path: Path):
    ledger = Ledger(tmp_path, budget=1.0)
    paid(ledger, 0.3)
    paid(ledger, 0.3)
    with pytest.raises(BudgetSpent, match=r"budget 1\.0000: spent 0\.6000"):
        ledger.send("judge", worst=0.5)
    assert ledger.spent == pytest.approx(0.6)
    assert ledger.totals()[0].calls == 2


def test_reserves_of_calls_in_flight_make_the_next_one_wait(tmp_path: Path):
    ledger = Ledger(tmp_path, budget=1.0)
    first, second = ledger.send("judge", worst=0.5), ledger.send("judge", worst=0.5)
    assert first is not None
    assert second is not None
    assert ledger.send("judge", worst=0.5) is None
    ledger.settle(first, answered=True, money=0.0)
    assert ledger.send("judge", worst=0.5) is not None


def test_spending_is_remembered_when_the_run_resumes(tmp_path: Path):
    first = Ledger(tmp_path, budget=1.0, calls=3)
    paid(first, 0.6)
    first.close()
    again = Ledger(tmp_path, budget=1.0, calls=3)
    with pytest.raises(BudgetSpent):
        again.send("judge", worst=0.5)
    paid(again, 0.1, worst=0.2)
    paid(again, 0.1, worst=0.2)
    with pytest.raises(BudgetSpent, match="cap of 3 calls"):
        again.send("judge", worst=0.0)


def test_an_unknown_price_is_none_and_meets_no_budget(tmp_path: Path):
    free = Ledger(tmp_path / "free")
    paid(free, None, worst=None)
    assert free.totals()[0].money is None
    with pytest.raises(SettingError, match="price_in and price_out"):
        Ledger(tmp_path / "capped", budget=1.0).send("judge", worst=None)


def test_calls_in_flight_at_kill_9_are_in_doubt_and_counted_at_their_worst(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from solon.run.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "call = ledger.send('judge', worst=0.5)\n"
        "ledger.settle(call, answered=True, money=0.2, tokens_in=4, tokens_out=1)\n"
        "ledger.send('judge', worst=0.5)\n"
        "print('sent', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"sent\n"
        os.kill(child.pid, signal.SIGKILL)
    notes: list[str] = []
    (total,) = Ledger(tmp_path, note=notes.append).totals()
    assert (total.calls, total.in_doubt, total.money) == (2, 1, pytest.approx(0.7))
    assert notes == ["1 call was in flight when this run stopped: in doubt, counted at its worst"]


def test_a_line_cut_short_by_a_crash_is_left_out_and_mended(tmp_path: Path):
    ledger = Ledger(tmp_path)
    paid(ledger, 0.25)
    ledger.close()
    with (tmp_path / "calls.jsonl").open("ab") as file:
        file.write(b'{"sent": 1, "judge": "ju')
    again = Ledger(tmp_path)
    paid(again, 0.25)
    again.close()
    assert Ledger(tmp_path).totals()[0].money == pytest.approx(0.5)
    assert Ledger(tmp_path).totals()[0].calls == 2


def test_the_totals_handed_out_are_a_copy(tmp_path: Path):
    ledger = Ledger(tmp_path)
    paid(ledger, 0.25)
    ledger.totals()[0].calls = 99
    assert ledger.totals()[0].calls == 1


@pytest.mark.parametrize("budget", [float("nan"), float("inf"), -1.0])
def test_a_cap_that_could_not_bind_is_refused(budget: float, tmp_path: Path):
    with pytest.raises(SettingError, match="budget: expected an amount of money, 0 or more"):
        Ledger(tmp_path, budget=budget)


def test_a_call_that_just_fits_is_sent_or_refused_and_never_waits_for_nobody(tmp_path: Path):
    """Sums of fractions leave rests: with nobody in flight, nothing may be waited for."""
    draw = random.Random(0)
    for number in range(300):
        worsts = [round(draw.uniform(0.001, 0.05), 5) for _ in range(12)]
        ledger = Ledger(tmp_path / str(number), budget=sum(worsts))
        calls = [ledger.send("judge", worst=one) for one in worsts[:-1]]
        for call, worst in zip(calls, worsts, strict=False):
            assert call is not None
            ledger.settle(call, answered=True, money=worst)
        try:
            assert ledger.send("judge", worst=worsts[-1]) is not None
        except BudgetSpent:
            assert ledger.spent + worsts[-1] > sum(worsts)
        ledger.close()


def test_a_disk_that_takes_a_part_of_a_line_keeps_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ledger, real, room = Ledger(tmp_path), os.write, [10]
    paid(ledger, 0.25)

    def fills_up(file: int, text: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(file, text[: room[0]])
        room[0] -= written
        return written

    with monkeypatch.context() as full:
        full.setattr(os, "write", fills_up)
        with pytest.raises(OSError, match="No space left"):
            ledger.send("judge", worst=0.5)
    assert ledger.totals()[0].calls == 1
    paid(ledger, 0.25)
    ledger.close()
    again = Ledger(tmp_path)
    assert again.totals() == ledger.totals()
    assert (again.totals()[0].calls, again.spent) == (2, 0.5)
