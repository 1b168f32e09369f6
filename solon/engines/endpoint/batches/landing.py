"""Files that come back: waited for, read, kept, and settled row by row."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from solon.engines.endpoint.account import Account
from solon.engines.endpoint.batches.batch import Batch
from solon.engines.endpoint.batches.errand import Errand
from solon.engines.endpoint.batches.flights import Flight, Flights
from solon.engines.endpoint.batches.routes import Routes
from solon.engines.endpoint.batches.rows import Answers
from solon.engines.endpoint.exchange import NOTHING, Outcome
from solon.engines.endpoint.wire import Reply
from solon.errors import EndpointError
from solon.records import Abstains
from solon.run.display import Display

CROWDED = "token_limit_exceeded"  # too much of the account is under way already


@dataclass(kw_only=True, eq=False)
class Lander:
    """Waits until files are back, however long that takes, and gives each row what came for it."""

    routes: Routes
    account: Account
    flights: Flights
    poll: float
    display: Display
    note: Callable[[str], None]

    def land(self, flights: Sequence[Flight], errand: Errand) -> None:
        """EndpointError where the server refuses a whole file, or is silent for too long."""
        rows = sum(len(flight.rows) for flight in flights)
        for _ in self.display.track(self._home(flights, errand), name="batch", total=rows):
            pass  # the bar moves by itself

    def _home(self, flights: Sequence[Flight], errand: Errand) -> Iterator[int]:
        """One number a row that the server is done with; the rows of a file that is over, too."""
        waiting = {flight.tag: (flight, 0) for flight in flights}
        silent = 0  # passes, not looks: one outage meets many files
        while waiting:
            heard, why = False, ""
            for tag, (flight, seen) in list(waiting.items()):
                outcome = self.routes.look(flight.batch)
                batch = outcome.answer
                if not isinstance(batch, Batch):
                    why = self._why(flight, outcome)
                    continue
                heard = True
                done = len(flight.rows) if batch.over else min(batch.done, len(flight.rows))
                if batch.over:
                    self._landed(flight, batch, errand)
                    del waiting[tag]
                else:
                    waiting[tag] = (flight, max(seen, done))
                yield from range(seen, done)
            silent = 0 if heard else silent + 1
            if silent >= self.routes.server.attempts:
                raise EndpointError(f"{why}, {silent} looks in a row")
            if waiting:
                time.sleep(self.poll)

    def _why(self, flight: Flight, outcome: Outcome[Batch]) -> str:
        """Why a look told nothing; EndpointError where the next would tell no more."""
        if outcome.fatal:
            raise EndpointError(
                f"{outcome.fatal}; to send its calls again, delete {self.flights.path(flight)}"
            )
        answer = outcome.answer
        reason = answer.reason if isinstance(answer, Abstains) else outcome.reason
        return f"{flight.batch}: {reason}"

    def _landed(self, flight: Flight, batch: Batch, errand: Errand) -> None:
        """Kept, then no longer under way, then settled: a kill in between pays nothing twice."""
        answers = self._answers(flight, batch)
        outcomes = [answers.outcomes.get(row.name) or missing(batch) for row in flight.rows]
        both = list(zip(flight.rows, outcomes, strict=True))
        for row, outcome in both:
            self.account.keep(row, outcome)
        self.account.cache.flush()
        self.flights.remove(flight)
        for row, outcome in both:
            self.account.settle(row.number, row, outcome)
        self.note(f"{self.account.judge}: {told(batch, outcomes, answers)}")
        if batch.status == "failed" and not answers.outcomes:
            why = batch.faults[0].message if batch.faults else "it does not say why"
            raise EndpointError(f"{self.routes.base}/batches refused {batch.id}: {why}")
        for row, outcome in both:
            errand.take(row, outcome, self.routes.server)

    def _answers(self, flight: Flight, batch: Batch) -> Answers:
        rows = {row.name: row for row in flight.rows}
        answers = Answers(rows=rows, server=self.routes.server)
        for file in filter(None, (batch.output, batch.errors)):
            with tempfile.TemporaryFile(dir=self.flights.folder) as content:
                self.routes.fetch(file, content)
                content.seek(0)
                answers.read(content)
        if batch.status == "failed":
            answers.outcomes |= unvalidated(flight, batch)
        return answers


def unvalidated(flight: Flight, batch: Batch) -> dict[str, Outcome[Reply]]:
    """What a file that was refused means to its rows, which cost nothing.

    The rows at fault abstain and the others may go again; all may where there were only too many.
    Empty where the whole is refused.
    """
    lines = {fault.line: fault.message for fault in batch.faults if fault.line > 0}
    if not lines and not any(fault.code == CROWDED for fault in batch.faults):
        return {}
    again: Outcome[Reply] = Outcome(reason=batch.faults[0].message, tokens=NOTHING)
    return {
        row.name: Outcome(answer=Abstains(reason=lines[place]), tokens=NOTHING)
        if place in lines
        else again
        for place, row in enumerate(flight.rows, 1)
    }


def missing(batch: Batch) -> Outcome[Reply]:
    """A row that no file of the batch has: free where nothing ran, else paid at worst."""
    if batch.status == "failed":
        return Outcome(tokens=NOTHING)
    if batch.status == "cancelled":
        return Outcome(answer=Abstains(reason=f"{batch.id} was cancelled at the server"))
    return Outcome(reason=f"{batch.id} ({batch.status}) has no row for it")


def told(batch: Batch, outcomes: Sequence[Outcome[Reply]], answers: Answers) -> str:
    """One line on what came back, and on lines that were nobody's."""
    replies = sum(isinstance(outcome.answer, Reply) for outcome in outcomes)
    said = f"{batch.id} is back ({batch.status}), {replies:,} of {len(outcomes):,} answered"
    strays = [f"{count:,} {kind}" for kind, count in answers.strays.items() if count]
    return f"{said}; lines {', '.join(strays)}" if strays else said
