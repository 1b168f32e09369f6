"""Questions with one known answer and a wrong one that is near, made from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiz:
    """A question, its answer, and a wrong one of the same kind.

    Example:
        Quiz(id="sum-0", question="What is 17 + 25?", right="42", wrong="52")
    """

    id: str
    question: str
    right: str
    wrong: str


def quizzes(n: int = 48, *, seed: int = 0) -> list[Quiz]:
    """Sums, products, days of the week and days between dates, in turn."""
    rng = np.random.default_rng(seed)
    kinds = list(_KINDS.items())
    return [
        Quiz(id=f"{name}-{k}", question=question, right=right, wrong=wrong)
        for k in range(n)
        for name, made in [kinds[k % len(kinds)]]
        for question, right, wrong in [made(rng)]
    ]


def _sum(rng: np.random.Generator) -> tuple[str, str, str]:
    a, b = (int(x) for x in rng.integers(120, 900, 2))
    return f"What is {a} + {b}?", str(a + b), str(a + b + int(rng.choice([-10, 10, 100])))


def _product(rng: np.random.Generator) -> tuple[str, str, str]:
    a, b = (int(x) for x in rng.integers(12, 60, 2))
    return f"What is {a} times {b}?", str(a * b), str(a * b + int(rng.choice([-b, b, 10])))


def _weekday(rng: np.random.Generator) -> tuple[str, str, str]:
    day, later = int(rng.integers(7)), int(rng.integers(8, 40))
    wrong = DAYS[(day + later + int(rng.choice([-1, 1]))) % 7]
    asked = f"Today is {DAYS[day]}. Which day of the week is it in {later} days?"
    return asked, DAYS[(day + later) % 7], wrong


def _between(rng: np.random.Generator) -> tuple[str, str, str]:
    first = date(2023, 1, 1) + timedelta(days=int(rng.integers(200)))
    days = int(rng.integers(20, 120))
    last = first + timedelta(days=days)
    asked = f"How many days is it from {first.isoformat()} to {last.isoformat()}?"
    return asked, str(days), str(days + int(rng.choice([-2, -1, 1, 2])))


_KINDS: dict[str, Callable[[np.random.Generator], tuple[str, str, str]]] = {
    "sum": _sum,
    "product": _product,
    "weekday": _weekday,
    "between": _between,
}
