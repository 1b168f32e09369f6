"""Numbers, times and names as a reader likes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NONE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """How a measured name is shown: its label, its unit, and whether it is a share.

    Example:
        quantity("win rate")     # Quantity(label="win rate", unit="%", share=True)
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


UNITS = frozenset({"nats", "tokens", "characters", "words", "seconds"})
UNIT_OF: Mapping[str, str] = {
    "kl": "nats",
    "approx kl": "nats",
    "entropy": "nats",
    "chosen logp": "nats",
    "rejected logp": "nats",
}
LABELS: Mapping[str, str] = {"kl": "KL", "approx kl": "approximate KL", "lr": "learning rate"}
SHARES = frozenset({"accuracy", "ended by itself", "kept", "flips memorised"})
ORDER = (
    *("reward", "gold", "kl", "length", "win", "loss", "entropy", "accuracy", "clean", "flips"),
    *("heldout", "margin", "chosen", "rejected", "tau", "score", "judge"),
)


def quantity(name: str) -> Quantity:
    """The quantity of that name: a unit may follow a comma; rates and fractions are shares.

    ``"KL, nats"`` is in nats; ``"win rate, equal length"`` names no unit and stays whole.
    """
    plain = name.replace("/", ": ").replace("_", " ")
    head, _, tail = plain.rpartition(", ")
    label, unit = (head, tail) if tail in UNITS and head else (plain, UNIT_OF.get(plain, ""))
    first = label.partition(",")[0]
    if first in SHARES or first.endswith((" rate", " fraction", " accuracy")):
        return Quantity(label=label, unit="%", share=True)
    return Quantity(label=LABELS.get(label, label), unit=unit)


def rank(name: str) -> int:
    """The place of a measure among those that everybody looks for; unknown ones come last."""
    first = re.split(r"[^a-z]", name.lower())[0]
    return ORDER.index(first) if first in ORDER else len(ORDER)


def known(name: str) -> bool:
    """True for a measure that everybody looks for."""
    return rank(name) < len(ORDER)


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
