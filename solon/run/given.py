"""Parts that are live already, where a value that can be opened is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from solon.run.run import Run

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """Opens to what it holds.

    Example:
        LlmScore(policy=Given(policy))    # the policy that learns judges itself
    """

    live: T

    def open(self, run: Run, /) -> T:
        del run
        return self.live
