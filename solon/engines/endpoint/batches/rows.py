"""The lines of a batch's files: one a call on the way there, one an answer on the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from solon.engines.endpoint import wire
from solon.engines.endpoint.batches.flights import Row
from solon.engines.endpoint.exchange import NOTHING, Outcome, Server, answered
from solon.engines.endpoint.wire import Call, Reply
from solon.records import Abstains


def line(call: Call, path: str) -> bytes:
    """The call as a line of an input file; ``path`` is what it would be posted to."""
    told = {"custom_id": call.key.hex(), "method": "POST", "url": f"/v1/{path}"}
    return orjson.dumps(told | {"body": orjson.Fragment(call.body)}) + b"\n"


@dataclass(slots=True, kw_only=True)
class Answers:
    """What came for the rows of one file, in whatever order and state its lines are.

    The first line for a row stays, except that a reply beats a failure. ``strays`` counts the
    lines that are nobody's.

    Example:
        answers = Answers(rows={row.name: row}, server=server); answers.read(lines)
    """

    rows: Mapping[str, Row]
    server: Server
    outcomes: dict[str, Outcome[Reply]] = field(default_factory=dict[str, Outcome[Reply]])
    strays: Counter[str] = field(default_factory=Counter[str])

    def read(self, lines: Iterable[bytes]) -> None:
        """Reads one file's lines; no line costs another."""
        for one in lines:
            if one.strip():
                self._read(one)

    def _read(self, text: bytes) -> None:
        try:
            plain = orjson.loads(text) if len(text) <= wire.MAX_BODY else None
        except ValueError:
            plain = None
        if not isinstance(plain, dict) or not isinstance(plain.get("custom_id"), str):
            self.strays["unreadable"] += 1
            return
        row = self.rows.get(plain["custom_id"])
        if row is None:
            self.strays["of no call of ours"] += 1
            return
        outcome, before = self._read_row(row, plain), self.outcomes.get(row.name)
        self.strays["doubled"] += before is not None
        better = isinstance(outcome.answer, Reply) > isinstance(before and before.answer, Reply)
        if before is None or better:
            self.outcomes[row.name] = outcome

    def _read_row(self, row: Row, plain: dict[str, Any]) -> Outcome[Reply]:
        try:
            return self._outcome(row, plain)
        except Exception as error:  # noqa: BLE001 - whatever a row does to us costs itself alone
            return Outcome(reason=f"a malformed row ({type(error).__name__})")

    def _outcome(self, row: Row, plain: dict[str, Any]) -> Outcome[Reply]:
        response = plain.get("response")
        if isinstance(response, dict):
            return self._answered(row, response.get("status_code"), response.get("body"))
        error = plain.get("error")
        if not isinstance(error, dict):
            return Outcome(reason="a row with neither answer nor error")
        text = self.server.told(orjson.dumps({"error": error}))
        if error.get("code") == "batch_cancelled":
            return Outcome(answer=Abstains(reason=text), tokens=NOTHING)
        return Outcome(reason=text, tokens=NOTHING)

    def _answered(self, row: Row, status: Any, body: Any) -> Outcome[Reply]:
        text = orjson.dumps(body)
        if status == HTTPStatus.OK:
            return answered(text, row)
        if not isinstance(status, int):
            return Outcome(reason="a row without a status")
        outcome = self.server.refused(status, {}, text)
        if outcome.fatal or outcome.forbidden:  # of this row only
            why = outcome.fatal or outcome.reason
            return Outcome(answer=Abstains(reason=why), tokens=NOTHING)
        return outcome
