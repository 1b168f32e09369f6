"""One submission while it is being scored.

axes: S runs, M test examples.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from solon.researchers.alarms import Alarm
from solon.researchers.ledger import Record
from solon.seams.classifying import Ints


@dataclass(slots=True, kw_only=True)
class Submission:
    """What became of it so far: its record, and the alarms behind the record's names."""

    record: Record
    alarms: list[Alarm] = field(default_factory=list[Alarm])

    def note(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)

    def detail(self) -> dict[str, Any]:
        """The record without its predictions, and each alarm whole."""
        detail = asdict(replace(self.record, classes=()))
        return detail | {"alarms": [asdict(one) for one in self.alarms]}


def plurality(classes: Ints, count: int) -> Ints:
    """[M] the class that most of the runs [S M] gave; the lowest of those that tie."""
    return np.stack([(classes == k).sum(0) for k in range(count)]).argmax(0)
