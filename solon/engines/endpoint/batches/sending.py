"""Calls cut into files, reserved at their worst, and sent; or found where they are under way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import BinaryIO

from solon.engines.endpoint.account import Account
from solon.engines.endpoint.batches.errand import Errand
from solon.engines.endpoint.batches.flights import Flight, Flights, Row
from solon.engines.endpoint.batches.routes import Routes
from solon.engines.endpoint.batches.rows import line
from solon.engines.endpoint.batches.settings import Batches
from solon.engines.endpoint.wire import Call
from solon.errors import BudgetSpent, EndpointError
from solon.records import Abstains

ROOM_PAUSE = 0.02  # seconds between two looks for room in the budget


@dataclass(kw_only=True, eq=False)
class Sender:
    """Sends no call that might pass the budget, and none that is under way."""

    routes: Routes
    account: Account
    flights: Flights
    settings: Batches

    def resumed(self, errand: Errand) -> list[Flight]:
        """The files under way that hold some of the calls; what the server never got is dropped."""
        self._tidy()
        found: list[Flight] = []
        for flight in self.flights.holding(errand.todo):
            known = flight if flight.batch else self._looked_for(flight)
            if known is None:
                self._call_off(flight)
                continue
            found.append(known)
            self.account.ledger.reserve(row.number for row in known.rows)
            for row in known.rows:
                errand.leave_to(row)
        return found

    def _tidy(self) -> None:
        """Drops what a kill left of files that were never sent, or whose answers are all kept."""
        self.flights.tidy()
        ledger = self.account.ledger
        for tag in self.flights.unsent():
            ledger.cancel(ledger.calls_of(tag))
            self.flights.drop(tag)
        for flight in list(self.flights.all()):
            keys = {row.key for row in flight.rows}
            if len(self.account.cache.get(list(keys))) == len(keys):
                # the answers to a file that has no name at the server came from elsewhere
                drop = self.flights.remove if flight.file else self._call_off
                drop(flight)

    def send(self, errand: Errand) -> list[Flight]:
        """As many files as the budget has room for; the rest has to wait until they are back."""
        sent: list[Flight] = []
        while errand.todo and errand.stop is None:
            flight = self._filled(self.flights.tag(), errand)
            if flight is None:
                break
            sent.append(self._launched(flight))
        return sent

    def _filled(self, tag: str, errand: Errand) -> Flight | None:
        """The next file, which is under way from here on; None where there is room for no call."""
        with self.flights.filling(tag) as file:
            rows = self._rows(tag, file, errand)
            if rows:
                return self.flights.new(tag, rows)
        self.flights.drop(tag)
        return None

    def _rows(self, tag: str, file: BinaryIO, errand: Errand) -> list[Row]:
        """The rows of the file, written down and reserved."""
        rows: list[Row] = []
        most = round(self.settings.megabytes * 1_000_000)
        for call in list(errand.todo.values()):
            text = line(call, self.routes.path)
            if len(text) > most:
                size = f"a call of {len(text)} bytes, of {most} in a file"
                errand.found[call.key] = Abstains(reason=size)
                del errand.todo[call.key]
                continue
            if len(rows) == self.settings.rows or file.tell() + len(text) > most:
                break
            number = self._reserved(tag, call, errand)
            if number is None:
                break
            file.write(text)
            rows.append(row_of(call, number, errand.tries[call.key]))
            del errand.todo[call.key]
        return rows

    def _reserved(self, tag: str, call: Call, errand: Errand) -> int | None:
        """The call's number; None where there is no room, for now or (``errand.stop``) at all."""
        while True:
            try:
                number = self.account.send(call, retry=errand.tries[call.key] > 0, file=tag)
            except BudgetSpent as stop:
                errand.stop = stop
                return None
            if number is not None or in_the_air(errand):
                return number
            time.sleep(ROOM_PAUSE)

    def _launched(self, flight: Flight) -> Flight:
        """The file, sent; each id is on disk before the next step."""
        try:
            file = self.routes.upload(self.flights.lines(flight.tag))
            flight = self.flights.write(flight, file=file)
            batch = self.routes.create(flight, self.settings.window)
        except EndpointError:
            if self._looked_for(flight) is None:
                self._call_off(flight)
            raise
        return self._known(flight, batch.id)

    def _looked_for(self, flight: Flight) -> Flight | None:
        """The flight with its batch, whose id was never written; None where it has none."""
        batch = self.routes.find(flight) if flight.file else None
        return self._known(flight, batch.id) if batch else None

    def _known(self, flight: Flight, batch: str) -> Flight:
        flight = self.flights.write(flight, batch=batch)
        self.flights.lines(flight.tag).unlink(missing_ok=True)
        return flight

    def _call_off(self, flight: Flight) -> None:
        """No batch was made of it: it costs nothing, and its calls are free to be sent."""
        self.account.ledger.cancel(row.number for row in flight.rows)
        self.flights.remove(flight)  # only now: without it nobody would cancel them again


def in_the_air(errand: Errand) -> bool:
    """Whether some of its calls are in a file: then room comes of landing, and not of waiting."""
    return len(errand.asked) > len(errand.todo) + len(errand.found)


def row_of(call: Call, number: int, tries: int) -> Row:
    """The call as it is written down while it is under way."""
    return Row(
        name=call.key.hex(),
        logprobs=call.logprobs,
        worst_in=call.worst_in,
        worst_out=call.worst_out,
        number=number,
        tries=tries,
    )
