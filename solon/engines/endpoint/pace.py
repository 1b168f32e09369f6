"""How many calls a second a server admits, learnt from its 429s.

A limit is a bucket that fills at the limit's rate. Where it is empty at two moments, it admitted in
between just what it was filled with: so the second crowd of 429s tells the rate, after a first one
that only says that there is a limit. A 429 now and then says nothing: no slower pace avoids it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace

CROWD, RARE = 4, 1e-5  # so many in a row, or as many as chance hardly brings: it is empty
PERIOD, FEWEST = 0.25, 40  # seconds, and calls, that a share of 429s is taken over
SHORTEST = 0.1  # seconds over which calls a second can be told
PERIOD_MOST = 2.5  # seconds, however few calls there were
SOME = 0.02  # share of 429s, besides the stray ones, that is put up with
STRAY_MOST = 0.3  # what refuses more than this does so by a limit
SETTLE = 0.15  # seconds of silence after a cut, in which calls under way come back
APART = 20  # calls admitted between two empty buckets, or they tell no rate
USED = 0.8  # of the pace is used, or a faster one is not worth a trial
KEEP = 0.97  # of the rate that was measured
THIRD = 3.0  # a first crowd says no rate: begin well below
LARGE, SMALL = 1.15, 1.05  # how much faster a trial is, before and after the rate was measured
LARGEST = 1.5  # once the limit has moved far
PATIENCE, LONGEST = 16, 120  # calm periods between two trials
LAST = 32  # refusals that are remembered
LUCK = 4  # trials in a row that went well: the limit has moved, and the steps grow


@dataclass(frozen=True, slots=True)
class Count:
    """Calls sent and calls refused until a moment."""

    time: float
    sent: int
    refused: int

    @property
    def admitted(self) -> int:
        return self.sent - self.refused


@dataclass(slots=True)
class Pace:
    """The rate, and the moment from which on the next call may be sent.

    Example:
        number = pace.sent(now); pace.heard(now + 0.1, number, limited=True)
    """

    rate: float = math.inf
    """Calls a second; infinite until a server refuses a crowd of them."""
    free: float = 0.0
    """When the next call may be sent, on the clock of who asks."""
    stray: float = 0.0
    """Share of 429s that a slower pace does not avoid."""
    _now: Count | None = None
    _start: Count | None = None
    _empty: Count | None = None
    _refused: deque[int] = field(default_factory=lambda: deque(maxlen=LAST))
    _settles: float = 0.0
    _before: tuple[float, float] | None = None
    _trial: bool = False
    _step: float = LARGE
    _wait: int = 1
    _calm: int = 0
    _luck: int = 0
    _offered: float = 0.0

    def sent(self, now: float) -> int:
        """A call goes out; its number."""
        count = self._now or Count(now, 0, 0)
        self._start = self._start or count
        self._now = Count(now, count.sent + 1, count.refused)
        if self.rate < math.inf:
            self.free = max(now, self.free) + 1 / self.rate
        return count.sent

    def heard(self, now: float, number: int, *, limited: bool) -> None:
        """That call came back, refused by a 429 or not."""
        if self._now is None:
            return
        self._now = Count(now, self._now.sent, self._now.refused + limited)
        if now <= self._settles:
            return
        if self._settles:
            self._settle()
        if limited and self._crowded(number):
            self._cut(crowd=True)
        elif self._over() or self._told():
            self._look()

    def _crowded(self, number: int) -> bool:
        """Whether the calls sent around this one were refused too, so many that it is no chance.

        In the order in which they were sent: a 429 comes at once and an answer late, so that what
        was just heard is mostly 429s, and then mostly answers to calls of long ago.
        """
        self._refused.append(number)
        first = last = number
        while first - 1 in self._refused:
            first -= 1
        while last + 1 in self._refused:
            last += 1
        row = math.ceil(math.log(RARE) / math.log(self.stray + SOME))
        return last - first + 1 >= max(CROWD, row)

    def _told(self) -> bool:
        """Whether a limit that is suspected tells its rate now: no more need be wasted on it."""
        suspected = self.rate < math.inf and self._step == LARGE
        return suspected and self._refusals() > self._chance() and self._filled() is not None

    def _over(self) -> bool:
        """Whether a period is."""
        start, now = self._start, self._now
        assert start is not None
        assert now is not None
        seconds = now.time - start.time
        return seconds >= (PERIOD if now.sent - start.sent >= FEWEST else PERIOD_MOST)

    def _settle(self) -> None:
        """The calls that were under way at a cut are back, and none went out since.

        So what was refused meanwhile was refused before the cut, when the bucket was empty.
        """
        self._settles = 0.0
        if self._empty is not None and self._now is not None:
            self._empty = replace(self._empty, refused=self._now.refused)
        self._begin()

    def _begin(self) -> None:
        self._start = self._now
        self._refused.clear()

    def _measured(self) -> tuple[float, float]:
        """(share refused, calls sent a second) of the period so far."""
        start, now = self._start, self._now
        assert start is not None
        assert now is not None
        sent, seconds = now.sent - start.sent, now.time - start.time
        # a crowd can end a period that has hardly begun: then the one before says it better
        offered = sent / seconds if seconds >= SHORTEST else self._offered or sent / SHORTEST
        return self._refusals() / max(1, sent), min(self.rate, offered)

    def _refusals(self) -> int:
        assert self._start is not None
        assert self._now is not None
        return self._now.refused - self._start.refused

    def _chance(self) -> float:
        """How many refusals in a period may still be chance: two deviations more than expected."""
        assert self._start is not None
        assert self._now is not None
        expected = (self.stray + SOME) * (self._now.sent - self._start.sent)
        return expected + 2 * math.sqrt(expected) + 1

    def _cut(self, *, crowd: bool) -> None:
        """Slower: to the rate that the bucket is known to fill at, or to less."""
        share, offered = self._measured()
        known = self._filled()
        if known is not None:
            rate = KEEP * max(min(known, offered), offered / THIRD)
            self._wait = min(LONGEST, max(PATIENCE, 2 * self._wait * self._trial))
            self._step = SMALL
        else:
            rate = offered / THIRD if crowd else KEEP * offered * (1 - share)
            self._wait = PATIENCE if self._step == SMALL else 1
        self._before = None if crowd or self._trial else (self.rate, share)
        self._slow(max(1.0, rate))

    def _filled(self) -> float | None:
        """What the bucket was filled with a second since it was empty before, if it was."""
        empty, now = self._empty, self._now
        assert now is not None
        if empty is None or now.admitted < empty.admitted + APART:
            return None
        return (now.admitted - empty.admitted) / (now.time - empty.time)

    def _slow(self, rate: float) -> None:
        assert self._now is not None
        self.rate, self.free = rate, self._now.time + SETTLE
        self._settles, self._empty = self.free, self._now
        self._trial, self._calm, self._luck = False, 0, 0
        self._begin()

    def _look(self) -> None:
        """At the end of a period: too fast, no use in being slower, or calm."""
        share, self._offered = self._measured()
        before, self._before = self._before, None
        as_before = before is not None and 0.6 * before[1] < share <= STRAY_MOST
        if before is not None and as_before:  # slower helped nothing
            self.rate, self.stray = before[0], max(self.stray, share)
            self._empty, self._step, self._wait = None, LARGE, 1
            self._begin()
        elif self._refusals() > self._chance():
            self._cut(crowd=False)
        else:
            self._begin()
            self.stray *= 0.98
            if self._offered > USED * self.rate:
                self._calmly()

    def _calmly(self) -> None:
        """After so many calm periods, a trial of a faster pace; it stays where it goes well."""
        if self._trial:
            self._trial, self._luck = False, self._luck + 1
            self._wait = 1 if self._step >= LARGE else PATIENCE // 4
            if self._luck >= LUCK:
                self._step = LARGE if self._luck < 2 * LUCK else LARGEST
        self._calm += 1
        if self._calm >= self._wait:
            self._calm, self._trial = 0, True
            self.rate *= self._step
