"""What calls cost one judge: reserved before they are sent, settled after, and kept when paid."""

from __future__ import annotations

from dataclasses import dataclass

from solon.engines.endpoint import wire
from solon.engines.endpoint.exchange import NOTHING, Outcome
from solon.engines.endpoint.prices import Price
from solon.engines.endpoint.wire import Asked, Reply
from solon.run.cache import Cache
from solon.run.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One judge's side of the run's ledger and cache.

    Example:
        number = account.send(call, retry=False); account.settle(number, call, outcome)
    """

    judge: str
    price: Price | None
    cache: Cache
    ledger: Ledger

    def send(self, call: Asked, *, retry: bool, file: str = "") -> int | None:
        """The number of a call that may be sent, alone or in that file; None: others' reserves
        fill the budget.

        Raises BudgetSpent where the call might pass the cap.
        """
        worst = self.price.of(call.worst_in, call.worst_out) if self.price else None
        return self.ledger.send(self.judge, worst=worst, retry=retry, file=file)

    def settle(self, number: int, call: Asked, outcome: Outcome[Reply]) -> None:
        """Closes the call with what it cost; at worst where nobody knows."""
        tokens_in, tokens_out = outcome.tokens or (call.worst_in, call.worst_out)
        money = self.price.of(tokens_in, tokens_out) if self.price else None
        known_in, known_out = outcome.tokens or NOTHING
        self.ledger.settle(
            number,
            answered=isinstance(outcome.answer, Reply),
            money=money if outcome.tokens != NOTHING else 0.0,
            tokens_in=known_in,
            tokens_out=known_out,
        )

    def keep(self, call: Asked, outcome: Outcome[Reply]) -> None:
        """Puts a reply into the cache, unless it lacks the log-probabilities that it was for."""
        reply = outcome.answer
        if isinstance(reply, Reply) and (reply.alternatives or not call.logprobs):
            self.cache.put(call.key, wire.kept(reply))
