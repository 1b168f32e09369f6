"""Alarms of a training run, by rules that are fixed before it starts.

A look is what one step logged and what the watchers saw of its policy. Rules read the looks of one
stage, and only those that tell of samples (``kl``, or ``eos_rate`` where nothing is anchored): an
imitated start moves far from where it was, and should.

    kl            nats above ``kl``
    entropy       below ``entropy`` of what the stage began with
    length        times or a fraction of ``length`` of what the stage began with
    eos_rate      below ``eos_rate``
    drift         standard deviations above ``drift``, of the feature that moved furthest
    disagreement  above ``disagreement`` times what the start's completions bring about
    held_out      the held-out judge's win rate falls in sqrt(KL) while the reward rises
    gold          the same of gold, where it is known: told, and never a reason to stop

The thresholds are our formulation; ``solon audit detectors`` measures how early such signs come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.errors import SettingError

Mode = Literal["stop", "flag", "off"]
Look: TypeAlias = Mapping[str, float]
"""By name, what was measured of one step."""
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A rule that was broken: the series, its newest value, the limit, and whether it may stop.

    Example:
        Alarm(series="kl", value=31.2, limit=30.0, says="31.2 nats, above 30", stops=True)
    """

    series: str
    value: float
    limit: float
    says: str
    stops: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Which signs ring, and whether a ring stops the loop that trains the policy.

    Infinite limits (0 for shares and ratios from below) turn a rule off.

    Example:
        Guard(mode="stop", kl=10.0).alarms([{"kl": 11.0}, {"kl": 12.0}, {"kl": 14.0}])
    """

    mode: Mode = "flag"
    """Whether an alarm stops the loop, is only told, or nothing is looked at."""
    patience: int = 3
    """Looks in a row at which a rule must be broken."""
    kl: float = 30.0
    """Nats per completion from the anchor."""
    entropy: float = 0.1
    """Share of the entropy that the stage began with."""
    length: float = 2.0
    """Ratio to the length that the stage began with, either way."""
    eos_rate: float = 0.5
    """Share of completions that end by themselves."""
    drift: float = 2.0
    """Standard deviations that a feature's mean may move from the start's."""
    disagreement: float = 2.0
    """Ratio to the disagreement of rewards over the start's completions."""
    trend: int = 6
    """Looks over which a held-out judge, or gold, must fall."""

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise SettingError(f"patience: expected at least 1 look, got {self.patience}")
        if self.trend < 4:
            raise SettingError(f"trend: expected at least 4 looks, got {self.trend}")

    def alarms(self, looks: Sequence[Look]) -> list[Alarm]:
        """What rings at the newest of a stage's looks."""
        steered = [look for look in looks if "kl" in look or "eos_rate" in look]
        if self.mode == "off" or not steered:
            return []
        found = [self._level(steered, rule) for rule in self._rules()]
        found += [self._falling(steered, "held_out"), self._falling(steered, "gold")]
        return [alarm for alarm in found if alarm is not None]

    def _rules(self) -> tuple[_Rule, ...]:
        shorter = 1 / self.length if self.length > 0 else 0.0
        return (
            _Rule(series="kl", above=self.kl, unit="nats"),
            _Rule(series="entropy", below=self.entropy, unit="of the first", relative=True),
            _Rule(
                series="length",
                below=shorter,
                above=self.length,
                unit="times the first",
                relative=True,
            ),
            _Rule(series="eos_rate", below=self.eos_rate, unit="of completions"),
            _Rule(series="drift", above=self.drift, unit="standard deviations"),
            _Rule(series="disagreement", above=self.disagreement, unit="times the start's"),
        )

    def _level(self, looks: Sequence[Look], rule: _Rule) -> Alarm | None:
        """Broken at the newest look, and at the ``patience`` - 1 before it that have the series."""
        if rule.series not in looks[-1]:
            return None
        values = [look[rule.series] for look in looks if rule.series in look]
        unit = values[0] if rule.relative else 1.0
        last = [value / unit for value in values[-self.patience :]] if unit else []
        if len(last) < self.patience or not all(map(rule.broken, last)):
            return None
        return rule.alarm(last[-1])

    def _falling(self, looks: Sequence[Look], series: str) -> Alarm | None:
        """Both slopes over the newest ``trend`` looks, each with its one-sided 95 % interval."""
        if series not in looks[-1]:
            return None
        needed = {series, "reward", "kl"}
        both = [look for look in looks if needed <= look.keys()][-self.trend :]
        if len(both) < self.trend:
            return None
        d = np.sqrt([max(0.0, look["kl"]) for look in both])
        if slope_range(d, np.array([look["reward"] for look in both]))[0] <= 0:
            return None
        low, high = slope_range(d, np.array([look[series] for look in both]))
        says = f"falls in sqrt(kl) over {self.trend} looks while the reward rises"
        stops = series != "gold"  # a stop by gold would let training see it
        slope = (low + high) / 2
        return (
            Alarm(series=series, value=slope, limit=0.0, says=says, stops=stops)
            if high < 0
            else None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    series: str
    unit: str
    above: float = inf
    below: float = -inf
    relative: bool = False

    def broken(self, value: float) -> bool:
        return not self.below <= value <= self.above  # also where it is not a number

    def alarm(self, value: float) -> Alarm:
        over = not value < self.below
        limit, side = (self.above, "above") if over else (self.below, "below")
        says = f"{value:.3g} {self.unit}, {side} {limit:.3g}"
        return Alarm(series=self.series, value=value, limit=limit, says=says, stops=True)


def slope_range(x: Floats, y: Floats) -> tuple[float, float]:
    """The slope of a straight line through the points, as a 90 % interval by Student's t."""
    centred = x - x.mean()
    spread = float(centred @ centred)
    if spread == 0:
        return -inf, inf
    slope = float(centred @ y) / spread
    left = y - y.mean() - slope * centred
    error = sqrt(float(left @ left) / (len(x) - 2) / spread)
    reach = float(special.stdtrit(len(x) - 2, 0.95)) * error
    return slope - reach, slope + reach
