"""Numbers, times and names as a reader likes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NONE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """How a measured name is shown: its label, its unit, and whether it is a share.

    Example:
        quantity("win_rate")     # Quantity(label="win rate", unit="%", share=True)
    """

    label: str
    unit: str = ""
    share: bool = False

    def __call__(self, value: float) -> str:
        """The value in this quantity's own writing."""
        if not self.share:
            return figure(value, digits=3)
        return f"{figure(100 * value, digits=3)}\N{NO-BREAK SPACE}%"

    @property
    def title(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit else self.label


KNOWN: Mapping[str, Quantity] = {
    "reward": Quantity(label="reward"),
    "gold": Quantity(label="gold"),
    "kl": Quantity(label="KL to the anchor", unit="nats"),
    "length": Quantity(label="length", unit="tokens"),
    "win_rate": Quantity(label="win rate", unit="%", share=True),
    "length_controlled_win_rate": Quantity(
        label="length-controlled win rate", unit="%", share=True
    ),
    "loss": Quantity(label="loss"),
    "entropy": Quantity(label="entropy", unit="nats"),
    "accuracy": Quantity(label="accuracy", unit="%", share=True),
    "lr": Quantity(label="learning rate"),
    "grad_norm": Quantity(label="gradient norm"),
}
ORDER = ("reward", "gold", "kl", "length", "win_rate", "loss", "entropy", "accuracy")


def quantity(name: str) -> Quantity:
    """The quantity of that name; an unknown name is its own label, ``..._rate`` is a share."""
    if name in KNOWN:
        return KNOWN[name]
    label = name.replace("/", ": ").replace("_", " ")
    share = name.endswith("_rate")
    return Quantity(label=label, unit="%" if share else "", share=share)


def number(value: Any) -> float:
    """What JSON holds as a float: null, text and booleans are not a number."""
    return float(value) if isinstance(value, int | float) and value is not True else math.nan


def figure(value: float, *, digits: int = 4) -> str:
    """The value to ``digits`` significant figures, thousands grouped, with a true minus sign."""
    if not math.isfinite(value):
        return NONE if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    if value and not 1e-4 <= size < 1e9:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{_bare(mantissa)}e{int(exponent)}"
    else:
        whole = len(str(int(size))) if size >= 1 else 1 - math.ceil(-math.log10(size or 1))
        text = _bare(f"{value:,.{max(0, digits - whole)}f}")
    return text.replace("-", "−")


def places(values: Iterable[float]) -> int:
    """Decimal places that give the largest of the values three significant figures."""
    size = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return max(0, 2 - math.floor(math.log10(size))) if size >= 1e-9 else 2


def fixed(value: float, decimals: int) -> str:
    """The value to that many decimal places, so that a column lines up at its point."""
    return f"{value:,.{decimals}f}".replace("-", "−") if math.isfinite(value) else figure(value)


def span(seconds: float) -> str:
    """A duration in its two largest units: ``3 min 12 s``."""
    if not math.isfinite(seconds):
        return NONE
    if seconds < 60:
        return f"{figure(seconds, digits=2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def moment(value: Any) -> str:
    """A time in UTC to the minute, from seconds since 1970 or from ISO 8601 text."""
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            return value
        when = when.astimezone(UTC) if when.tzinfo else when
    elif math.isfinite(number(value)):
        when = datetime.fromtimestamp(number(value), UTC)
    else:
        return NONE
    return f"{when:%Y-%m-%d %H:%M}" + (" UTC" if when.tzinfo else "")


def _bare(text: str) -> str:
    """Without trailing zeros behind the point."""
    return text.rstrip("0").rstrip(".") if "." in text else text
