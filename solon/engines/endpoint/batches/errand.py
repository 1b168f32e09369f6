"""What one question to the client comes to, over as many files as it takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from solon.engines.endpoint.batches.flights import Row
from solon.engines.endpoint.exchange import Outcome, Server
from solon.engines.endpoint.wire import Call, Reply
from solon.errors import BudgetSpent
from solon.records import Abstains


@dataclass(slots=True)
class Errand:
    """Calls that are asked together: what is to be sent yet, what was found, what stopped it."""

    asked: dict[bytes, Call]
    todo: dict[bytes, Call] = field(init=False)
    tries: Counter[bytes] = field(default_factory=Counter[bytes])
    found: dict[bytes, Reply | Abstains] = field(default_factory=dict[bytes, Reply | Abstains])
    stop: BudgetSpent | None = None

    def __post_init__(self) -> None:
        self.todo = dict(self.asked)

    def leave_to(self, row: Row) -> None:
        """The call is under way already."""
        if self.todo.pop(row.key, None):
            self.tries[row.key] = row.tries

    def take(self, row: Row, outcome: Outcome[Reply], server: Server) -> None:
        """What came for the row: found, to be sent again, or given up."""
        if row.key not in self.asked:
            return
        if outcome.answer is not None:
            self.found[row.key] = outcome.answer
            return
        self.tries[row.key] += 1
        if self.tries[row.key] >= server.attempts:
            self.found[row.key] = server.given_up(outcome)
        else:
            self.todo[row.key] = self.asked[row.key]
