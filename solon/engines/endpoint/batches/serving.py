"""Calls served as files, behind the seam of calls served one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.engines.endpoint.account import Account
from solon.engines.endpoint.batches.errand import Errand
from solon.engines.endpoint.batches.flights import Flight, Flights
from solon.engines.endpoint.batches.landing import Lander
from solon.engines.endpoint.batches.routes import Routes
from solon.engines.endpoint.batches.sending import Sender
from solon.engines.endpoint.batches.settings import Batches
from solon.engines.endpoint.wire import Call, Reply
from solon.errors import EndpointError
from solon.records import Abstains
from solon.run.display import Display


@dataclass(kw_only=True, eq=False)
class BatchFiles:
    """Sends calls as files and waits for them; what is under way is never cancelled.

    Killed at any moment, it comes back to the same files in the same run. The end of the budget
    is raised once everything that was sent is back.
    """

    routes: Routes
    account: Account
    settings: Batches
    folder: Path
    display: Display
    note: Callable[[str], None]

    def __post_init__(self) -> None:
        self.flights = flights = Flights(self.folder)
        routes, account = self.routes, self.account
        self.sender = Sender(
            routes=routes, account=account, flights=flights, settings=self.settings
        )
        self.lander = Lander(
            routes=routes,
            account=account,
            flights=flights,
            poll=self.settings.poll,
            display=self.display,
            note=self.note,
        )

    def __call__(self, calls: Sequence[Call], /) -> dict[bytes, Reply | Abstains]:
        errand = Errand({call.key: call for call in calls})
        try:
            self._run(errand)
        except (KeyboardInterrupt, EndpointError):
            self._leave(errand)
            raise
        if errand.stop:
            raise errand.stop
        return errand.found

    def _run(self, errand: Errand) -> None:
        """Round by round: what is under way, what is sent, and what failed and goes again."""
        flights = self.sender.resumed(errand)
        self._say("came back to", flights)
        while True:
            sent = self.sender.send(errand)
            self._say("sent", sent)
            flights += sent
            if not flights:
                return
            self.lander.land(flights, errand)
            flights = []

    def _leave(self, errand: Errand) -> None:
        left = self.flights.holding(errand.asked)
        self._say("the same command comes back to", left)

    def _say(self, did: str, flights: Sequence[Flight]) -> None:
        for flight in flights:
            what = f"{did} {flight.batch or 'a file'} of {len(flight.rows):,} calls"
            self.note(f"{self.account.judge}: {what}")
