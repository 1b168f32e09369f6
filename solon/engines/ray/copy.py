"""A copy: the actor that holds an open part."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ray import cloudpickle

from solon.engines.ray.away import AwayRun
from solon.engines.ray.desk import Line
from solon.engines.ray.raised import Raised
from solon.errors import SettingError
from solon.seams.feedback import Policy, Stateful

CAN = ("sample", "choose", "logp", "lengths", "__call__", "refine", "samples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a copy opened: its id, and the methods of the seams that it has.

    Example:
        Opened(id="judge@1a2b3c", can=frozenset({"sample", "choose"}))
    """

    id: str
    can: frozenset[str]


class Copy:
    """One process with the part in it. It answers one question at a time, in its main thread."""

    def __init__(self, number: int, desk: Any, *, seed: int, budget: float | None) -> None:
        self.number = number
        self.run = AwayRun.of(Line(desk=desk, copy=number), seed=seed, budget=budget)
        self.live: Any = None

    def open(self, part: bytes, env: Mapping[str, str]) -> Opened | Raised:
        """Pickled, so that a class that is unknown on this node is an error like any other."""
        try:
            os.environ.update(env)
            self.live = cloudpickle.loads(part).open(self.run)
            self.run.opening = False
            return self._opened()
        except Exception as error:  # noqa: BLE001 - it is the driver's to raise
            return Raised.of(error, copy=self.number)

    def _opened(self) -> Opened:
        live = self.live
        if isinstance(live, Stateful) and not isinstance(live, Policy):
            raise SettingError(
                f"on Ray: expected a part that answers each question by itself, got "
                f"{type(live).__name__}, which learns or tires: its copies would part ways"
            )
        can = frozenset(name for name in CAN if callable(getattr(live, name, None)))
        return Opened(id=str(getattr(live, "id", type(live).__name__)), can=can)

    def here(self) -> None:
        """Answers, if it lives."""

    def ask(
        self, method: str, items: Sequence[Any], settings: Mapping[str, Any]
    ) -> list[Any] | Raised:
        try:
            answers = list(getattr(self.live, method)(items, **settings))
            self.run.line.settle()
        except Exception as error:  # noqa: BLE001 - it is the driver's to raise
            return Raised.of(error, copy=self.number)
        return answers
