"""Every paid call, written down before it is sent and after it is answered; and the cap on them."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

import orjson

from solon.errors import BudgetSpent, SettingError
from solon.run import lines

__all__ = ["Ledger", "Totals"]

ROUNDING = 1e-9  # of the unit of money

log = logging.getLogger("solon")


@dataclass(slots=True, kw_only=True)
class Totals:
    """What one judge or policy has used. ``money`` is None where a price is unknown: never 0.

    ``calls`` counts every request sent, retries and failures too; ``failures`` those that brought
    no answer; ``in_doubt`` those in flight when the process died and not settled since, whose
    money is the worst case.
    """

    judge: str
    calls: int = 0
    retries: int = 0
    failures: int = 0
    in_doubt: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    money: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    judge: str
    worst: float | None


class Ledger:
    """Calls and money of one run, in ``folder``; survives kill -9; safe across threads.

    ``calls.jsonl`` is append-only: a line before each call is sent, and a line for each settled
    one, written with the next or by ``flush`` (a kill before that leaves the call in doubt).
    ``ledger.jsonl`` holds the totals, one line a judge (``save``). ``budget`` caps money and
    ``calls`` caps requests over the whole run, resumes included.
    """

    def __init__(
        self,
        folder: Path,
        *,
        budget: float | None = None,
        calls: int | None = None,
        note: Callable[[str], None] = log.info,
    ) -> None:
        if budget is not None and not 0 <= budget < inf:
            raise SettingError(f"budget: expected an amount of money, 0 or more, got {budget}")
        self.folder, self.budget, self.calls = folder, budget, calls
        self._totals: dict[str, Totals] = {}
        self._flying: dict[int, Sent] = {}
        self._doubted: dict[int, Sent] = {}
        self._next = 0
        self._spent = 0.0
        self._reserved = 0.0
        self._file: int | None = None
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._recall()
        if self._flying:
            note(in_flight(len(self._flying)))
            self._doubt()

    @property
    def spent(self) -> float:
        """Money spent so far; calls in doubt count at their worst case, unknown prices not."""
        return self._spent

    def send(
        self, judge: str, *, worst: float | None, retry: bool = False, file: str = ""
    ) -> int | None:
        """The number of a call that may now be sent, written to disk; None: wait, then ask again.

        ``worst`` is the most the call can cost (None: price unknown). None comes back while only
        the reserves of calls in flight leave no room. Raises BudgetSpent where the call would pass
        a cap, and SettingError for a cap on money with an unknown price. ``file`` names the file
        that it goes in with others, by which ``calls_of`` finds it again.
        """
        if self.budget is not None and worst is None:
            raise SettingError(unpriced(judge))
        with self._lock:
            self._refuse(judge, worst or 0.0)
            reserved = self._spent + self._reserved + (worst or 0.0)
            if self._passes(reserved):
                return None
            call = self._next
            line = {"sent": call, "judge": judge, "worst": worst, "retry": retry}
            self._write(line | ({"file": file} if file else {}))
            try:
                self._flush()
            except OSError:
                self._lines.pop()  # not written, so not sent; what was settled waits on
                raise
            self._next += 1
            self._send(call, judge, worst, retry=retry)
            return call

    def settle(
        self,
        call: int,
        *,
        answered: bool,
        money: float | None,
        tokens_in: int = 0,
        tokens_out: int = 0,
    ) -> None:
        """Closes a call with what it cost (``money`` None: unknown), also one that was in doubt."""
        line = {"settled": call, "answered": answered, "money": money}
        line |= {"tokens_in": tokens_in, "tokens_out": tokens_out}
        with self._lock:
            self._write(line)
            self._settle(line)

    def calls_of(self, file: str) -> list[int]:
        """The calls that went in that file, or were to go."""
        told = lines.each(self.folder / "calls.jsonl")
        return [line["sent"] for line in told if line.get("file") == file]

    def cancel(self, calls: Iterable[int]) -> None:
        """Closes, at once on disk and at no cost, what was not sent after all and is not closed."""
        nothing = {"answered": False, "money": 0.0, "tokens_in": 0, "tokens_out": 0}
        with self._lock:
            for call in calls:
                if call in self._flying or call in self._doubted:
                    self._write({"settled": call} | nothing)
                    self._settle({"settled": call} | nothing)
            self._flush()

    def reserve(self, calls: Iterable[int]) -> None:
        """Those in doubt are in flight again: somebody waits for their answers."""
        with self._lock:
            for call in calls:
                if call in self._doubted:
                    self._flying[call] = self._cleared(call)

    def hit(self, judge: str, count: int = 1) -> None:
        """Counts replies that came from the cache and cost nothing."""
        with self._lock:
            self._write({"hits": count, "judge": judge})
            self._of(judge).hits += count

    def totals(self) -> list[Totals]:
        """One row a judge, in the order first seen."""
        with self._lock:
            return [Totals(**asdict(total)) for total in self._totals.values()]

    def flush(self) -> None:
        """Writes what was settled since the last call was sent."""
        with self._lock:
            self._flush()

    def save(self) -> None:
        """Writes the totals to ``ledger.jsonl``, whole or not at all."""
        self.flush()
        rows = self.totals()
        if not rows:
            return
        new = self.folder / "ledger.jsonl.new"
        new.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows), encoding="utf-8")
        new.replace(self.folder / "ledger.jsonl")

    def close(self) -> None:
        """Saves the totals, syncs the calls to disk and lets go of the file."""
        self.save()
        with self._lock:
            if self._file is not None:
                os.fsync(self._file)
                os.close(self._file)
                self._file = None

    def _of(self, judge: str) -> Totals:
        return self._totals.setdefault(judge, Totals(judge=judge))

    def _refuse(self, judge: str, worst: float) -> None:
        kept = "what was answered is kept: raise it and resume"
        if self.calls is not None and self._next >= self.calls:
            raise BudgetSpent(f"cap of {self.calls} calls reached; {kept}")
        if self._passes(self._spent + worst):
            raise BudgetSpent(
                f"budget {self.budget:.4f}: spent {self._spent:.4f}, and the next call to {judge} "
                f"may cost {worst:.4f}; {kept}"
            )

    def _passes(self, money: float) -> bool:
        """Sums of fractions are rounded: what passes by less than a billionth just fits."""
        return self.budget is not None and money > self.budget + ROUNDING

    def _send(self, call: int, judge: str, worst: float | None, *, retry: bool) -> None:
        self._flying[call] = Sent(judge, worst)
        self._reserved += worst or 0.0
        total = self._of(judge)
        total.calls += 1
        total.retries += retry

    def _settle(self, line: dict[str, Any]) -> None:
        sent = self._flying.pop(line["settled"], None) or self._cleared(line["settled"])
        # sums of fractions leave a rest, for which a call that just fits would wait for ever
        self._reserved = self._reserved - (sent.worst or 0.0) if self._flying else 0.0
        total = self._of(sent.judge)
        total.failures += not line["answered"]
        total.tokens_in += line["tokens_in"]
        total.tokens_out += line["tokens_out"]
        self._pay(total, line["money"])

    def _cleared(self, call: int) -> Sent:
        """A call that was in doubt, reserved again as if it had been in flight all the time."""
        sent = self._doubted.pop(call)
        total = self._of(sent.judge)
        total.in_doubt -= 1
        if sent.worst is not None:
            self._pay(total, -sent.worst)
            self._reserved += sent.worst
        return sent

    def _pay(self, total: Totals, money: float | None) -> None:
        self._spent += money or 0.0
        total.money = None if money is None or total.money is None else total.money + money

    def _doubt(self) -> None:
        for sent in self._flying.values():
            self._of(sent.judge).in_doubt += 1
            self._pay(self._of(sent.judge), sent.worst)
        self._doubted, self._flying = self._flying, {}
        self._reserved = 0.0

    def _write(self, line: dict[str, Any]) -> None:
        self._lines.append(orjson.dumps(line) + b"\n")

    def _flush(self) -> None:
        if not self._lines:
            return
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / "calls.jsonl"
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            lines.mend(path)  # a line that a crash cut short was never acted on
        self._append(b"".join(self._lines))  # no buffer of ours: survives kill -9
        self._lines.clear()

    def _append(self, text: bytes) -> None:
        """All of it or nothing: a disk that fills up may take a part, without a word."""
        assert self._file is not None
        size, written = os.fstat(self._file).st_size, 0
        try:
            while written < len(text):
                written += os.write(self._file, text[written:])
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def _recall(self) -> None:
        for line in lines.each(self.folder / "calls.jsonl"):
            if "sent" in line:
                self._next = line["sent"] + 1
                self._send(line["sent"], line["judge"], line["worst"], retry=line["retry"])
            elif "settled" in line:
                self._settle(line)
            else:
                self._of(line["judge"]).hits += line["hits"]


def in_flight(count: int) -> str:
    """What to say of calls that were sent and never settled."""
    were, worst = ("call was", "its worst") if count == 1 else ("calls were", "their worst")
    return f"{count} {were} in flight when this run stopped: in doubt, counted at {worst}"


def unpriced(judge: str) -> str:
    """What to say where a budget meets a model of unknown price."""
    return (
        f"{judge}: a budget in money needs the model's price, which is unknown; "
        "set price_in and price_out (per million tokens; 0 for a free server), or cap calls instead"
    )
