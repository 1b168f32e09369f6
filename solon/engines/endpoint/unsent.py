"""An endpoint that sends nothing: the same policy, whose calls are counted instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import orjson

from solon.engines.endpoint import wire
from solon.engines.endpoint.client import Client
from solon.engines.endpoint.policy import Endpoint, EndpointPolicy
from solon.engines.endpoint.prices import Price
from solon.engines.endpoint.wire import Call, Reply
from solon.records import Abstains

if TYPE_CHECKING:
    from solon.run.run import Run

WORD = "word "  # a reply that nobody wrote: about a token each
TURN = 4  # tokens of a turn beside its text, about


@dataclass(slots=True, kw_only=True)
class Tally:
    """Calls to one endpoint that were not sent, and what they would have used.

    ``calls`` leaves out those that are paid already. ``read`` estimates tokens at four bytes each;
    ``most_read`` and ``most_written`` are what a budget would reserve.

    Example:
        Tally(name="qwen3-8b@91c2f0", price=None)
    """

    name: str
    price: Price | None
    calls: int = 0
    paid: int = 0
    read: float = 0.0
    most_read: int = 0
    most_written: int = 0

    def add(self, call: Call) -> None:
        self.calls += 1
        self.read += about(call.body)
        self.most_read += call.worst_in
        self.most_written += call.worst_out


@dataclass(frozen=True, kw_only=True)
class Unsent:
    """Opens as the endpoint does, and adds its tally to ``tallies``.

    Example:
        Unsent(endpoint=Endpoint(model="gpt-4o-mini"), tallies=found).open(run)
    """

    endpoint: Endpoint
    """What would be asked."""
    tallies: list[Tally] = field(default_factory=list[Tally])
    """Where its tally is added, as the endpoint opens."""

    def open(self, run: Run, /) -> EndpointPolicy:
        policy = self.endpoint.open(run)
        tally = Tally(name=policy.id, price=policy.client.account.price)
        self.tallies.append(tally)
        parts: dict[str, Any] = {f.name: getattr(policy.client, f.name) for f in fields(Client)}
        policy.client = Counting(**parts, tally=tally)
        return policy


@dataclass(kw_only=True, eq=False)
class Counting(Client):
    """A client that answers from the cache, and else with as many words as could be written.

    So a judge that asks again with a rationale in its question is counted at its longest.
    """

    tally: Tally
    seen: set[bytes] = field(default_factory=set[bytes])

    def ask(self, calls: Sequence[Call]) -> list[Reply | Abstains]:
        paid = self.account.cache.get([call.key for call in calls])
        for call in calls:
            if call.key not in self.seen:
                self.seen.add(call.key)
                self.tally.paid += call.key in paid
                if call.key not in paid:
                    self.tally.add(call)
        return [
            wire.recalled(paid[call.key]) if call.key in paid else unwritten(call) for call in calls
        ]


def unwritten(call: Call) -> Reply:
    """The longest reply. "1" as the next word makes a scale that goes to "10" look one on."""
    listed = (("1", -0.1),) if call.logprobs else ()
    return Reply(text=WORD * call.worst_out, alternatives=listed)


def about(body: bytes) -> float:
    """Tokens of a request's text, at four bytes each and a few for each turn."""
    asked = orjson.loads(body)
    texts = [turn["content"] for turn in asked.get("messages", ())] or [asked.get("prompt", "")]
    return sum(len(text.encode()) / 4 + TURN for text in texts)
