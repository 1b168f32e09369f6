"""How calls go as files."""

from __future__ import annotations

import math
from dataclasses import dataclass

from solon.errors import SettingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The files of an endpoint with ``batch=True``; the limits are OpenAI's.

    Example:
        Endpoint(model="gpt-4o-mini", batch=True, batches=Batches(poll=300.0))
    """

    rows: int = 50_000
    """Most calls of one file."""
    megabytes: float = 200.0
    """Largest file, in millions of bytes."""
    window: str = "24h"
    """Time within which the server is to answer, in its own words."""
    poll: float = 60.0
    """Seconds between two looks at a file that is under way."""
    share: float = 0.5
    """Share of the prices that a call in a file costs."""

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise SettingError(f"rows: expected at least 1, got {self.rows}")
        for name in ("megabytes", "poll"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(f"{name}: expected a positive number, got {getattr(self, name)}")
        if not 0 <= self.share <= 1:
            raise SettingError(f"share: expected a share from 0 to 1, got {self.share}")
