"""From values to pixels: linear and logarithmic scales, and the ticks of an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps ``low..high`` to ``start..stop``, by logarithms where ``log``.

    Example:
        Scale(low=0, high=10, start=0, stop=200)(2.5)              # 50.0
        Scale(low=1, high=100, start=0, stop=200, log=True)(10)    # 100.0
    """

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (at - low) / (high - low) * (self.stop - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """At most ``most`` round values within the scale (on a log scale: powers of ten)."""
        if not self.log:
            return ticks(self.low, self.high, most)
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        stride = max(1, math.ceil((last - first + 1) / most))
        return [10.0**power for power in range(first, last + 1, stride)]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within ``low..high``; at most ``most``."""
    assert low < high
    assert most >= 2
    power = math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20):
        step = factor * 10.0**power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            # Rounding takes 0.30000000000000004 back to 0.3.
            return [round(k * step, 12 - power) for k in range(first, last + 1)]
    raise AssertionError("twenty times that power is above range / most, so no more fit")


def cover(values: Iterable[float], start: float, stop: float, *, log: bool = False) -> Scale:
    """A scale over all the values, with a little room; a single value stands in the middle."""
    found = sorted(values)
    low, high = found[0], found[-1]
    if log:
        room = (high / low) ** 0.04 if high > low else 10.0
        return Scale(low=low / room, high=high * room, start=start, stop=stop, log=True)
    room = 0.04 * (high - low) or 0.5 * abs(low) or 1.0
    return Scale(low=low - room, high=high + room, start=start, stop=stop)
