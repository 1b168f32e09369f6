"""Calls to one server, in order and paid once: from the cache, and the rest as it is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from solon.engines.endpoint import wire
from solon.engines.endpoint.account import Account
from solon.engines.endpoint.exchange import Server
from solon.engines.endpoint.wire import Call, Reply
from solon.records import Abstains
from solon.run.ranks import Ranks, at_work


class Serving(Protocol):
    """How calls that nobody paid for yet get their answers: one by one, or as files."""

    def __call__(self, calls: Sequence[Call], /) -> dict[bytes, Reply | Abstains]:
        """An answer a call, by key; what is paid is in the cache and the ledger on return.

        Raises BudgetSpent before the call that might pass the cap, and EndpointError where the
        server refuses everything.
        """
        ...


@dataclass(kw_only=True, eq=False)
class Client:
    """Answers calls from the cache and, for the rest, from the server.

    Raises what its serving raises; what was answered until then is in the cache.
    """

    server: Server
    account: Account
    serve: Serving
    note: Callable[[str], None]
    ranks: Ranks = field(default_factory=at_work)

    def ask(self, calls: Sequence[Call]) -> list[Reply | Abstains]:
        """One answer a call, in order; equal calls are sent once, by one process of a run."""
        return self.ranks.agreed(lambda: self._ask(calls))

    def _ask(self, calls: Sequence[Call]) -> list[Reply | Abstains]:
        account = self.account
        found: dict[bytes, Reply | Abstains] = {
            key: wire.recalled(value)
            for key, value in account.cache.get([call.key for call in calls]).items()
        }
        missing = {call.key: call for call in calls if call.key not in found}
        if len(calls) > len(missing):
            account.ledger.hit(account.judge, len(calls) - len(missing))
        if missing:
            try:
                found |= self.serve(list(missing.values()))
            finally:
                account.cache.flush()  # what was answered is kept before it counts as paid
                account.ledger.flush()
        return self._told([found[call.key] for call in calls])

    def _told(self, answers: list[Reply | Abstains]) -> list[Reply | Abstains]:
        failed = [answer.reason for answer in answers if isinstance(answer, Abstains)]
        if failed:
            said = f"{len(failed)} of {len(answers)} calls failed ({failed[0]})"
            self.note(f"{self.account.judge}: {said}")
        return answers
