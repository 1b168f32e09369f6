"""Who works: copies are hired, welcomed when they have opened, and replaced when they die."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import ray

from solon.engines.ray.cluster import LOST, room
from solon.engines.ray.copy import Copy, Opened
from solon.engines.ray.onray import OnRay
from solon.engines.ray.raised import Raised
from solon.errors import ClusterError, SettingError
from solon.run.run import Run

ANSWERS = 10.0  # seconds within which a living copy that has nothing to do says that it is here


@dataclass(slots=True, weakref_slot=True, kw_only=True)
class Staff:
    """The copies of one part: ``living`` by number, and ``coming`` by what says that one is open.

    A copy is hired once. Where one dies another number takes its place, wherever Ray finds room.
    """

    spec: OnRay
    part: bytes
    run: Run
    desk: Any
    opened: Opened | None = None
    living: dict[int, Any] = field(default_factory=dict[int, Any])
    coming: dict[Any, tuple[int, Any]] = field(default_factory=dict[Any, tuple[int, Any]])
    _numbers: count[int] = field(default_factory=count)
    _stillborn: int = 0

    @property
    def needs(self) -> dict[str, float]:
        """What each copy takes of the cluster, by Ray's names."""
        return {"CPU": self.spec.num_cpus, "GPU": self.spec.num_gpus, **self.spec.taken()}

    def gather(self) -> Opened:
        """Waits for as many as there is room for, and for one at least; what they opened."""
        wanted = max(1, min(self.spec.copies, room(self.needs)))
        self.hire()
        while len(self.living) < wanted and self.coming:
            done, _ = ray.wait(list(self.coming), timeout=self.spec.patience)
            if not done and self.living:
                break
            self.welcome(done)
            self.hire()
        assert self.opened is not None, "whoever lives has opened"
        if len(self.living) < self.spec.copies:
            self.run.note(
                f"ray: {len(self.living)} of {self.spec.copies} copies of {self.opened.id} have "
                "begun; the others join when the cluster has room for them"
            )
        return self.opened

    def hire(self) -> None:
        """As many as are missing; Ray places them, and begins them when it can.

        None in the place of several that died while they opened, before the next muster.
        """
        if self._stillborn >= self.spec.attempts:
            return
        for _ in range(self.spec.copies - len(self.living) - len(self.coming)):
            number = next(self._numbers)
            actor: Any = ray.remote(Copy).options(
                num_cpus=self.spec.num_cpus,
                num_gpus=self.spec.num_gpus,
                resources=self.spec.taken(),
                scheduling_strategy="SPREAD",
            )
            actor = actor.remote(number, self.desk, seed=self.run.seed, budget=self._budget)
            # by a call and not the constructor, whose arguments the cluster's books would keep
            self.coming[actor.open.remote(self.part, self._env())] = (number, actor)

    @property
    def _budget(self) -> float | None:
        return self.run.ledger.budget

    def _env(self) -> Mapping[str, str]:
        missing = [name for name in self.spec.env if name not in os.environ]
        if missing:
            raise SettingError(f"env: expected variables of this process, got {missing[0]!r}")
        return {name: os.environ[name] for name in self.spec.env}

    def welcome(self, done: Sequence[Any]) -> None:
        """Those that have opened. Raises what the part raised, and ClusterError where none came."""
        if not done:
            raise ClusterError(self._nobody())
        for ref in done:
            number, actor = self.coming.pop(ref)
            try:
                opened: Opened | Raised = ray.get(ref)
            except LOST as error:
                self._born_dead(number, actor, error)
                continue
            if isinstance(opened, Raised):
                raise opened.error()
            self._known(opened, number)
            self.living[number], self._stillborn = actor, 0

    def _known(self, opened: Opened, number: int) -> None:
        self.opened = self.opened or opened
        if opened != self.opened:
            raise ClusterError(
                f"copy {number} opened {opened.id!r} where the others have {self.opened.id!r}: do "
                "all nodes have the same files?"
            )

    def _born_dead(self, number: int, actor: Any, error: Exception) -> None:
        self._stillborn += 1
        self.bury(number, actor, f"died while it opened ({type(error).__name__})")
        if self._stillborn >= self.spec.attempts and not self.living:
            raise ClusterError(
                f"{self._stillborn} copies died while they opened, the last by "
                f"{type(error).__name__}: the cluster's logs say more"
            ) from error

    def muster(self) -> None:
        """Buries those that have died since they were asked last: no question is to blame."""
        self._stillborn = 0
        calls = {actor.here.remote(): number for number, actor in self.living.items()}
        done, _ = (
            ray.wait(list(calls), num_returns=len(calls), timeout=ANSWERS) if calls else ([], [])
        )
        for ref in done:
            try:
                ray.get(ref)
            except LOST as error:
                number = calls[ref]
                self.bury(number, self.living[number], f"has died ({type(error).__name__})")

    def bury(self, number: int, actor: Any, how: str) -> None:
        """Ends it for good: one that was only out of reach must not come back and pay."""
        self.living.pop(number, None)
        ray.kill(actor)
        ray.get(self.desk.ask.remote(number, "lost", ()))
        self.run.note(f"ray: copy {number} {how}")

    def _nobody(self) -> str:
        whole = ray.cluster_resources()
        needs = {name: need for name, need in self.needs.items() if need}
        asked = " and ".join(f"{need:g} {name}" for name, need in needs.items())
        there = " and ".join(f"{whole.get(name, 0.0):g} {name}" for name in needs)
        return (
            f"no copy began within {self.spec.patience:g} s: each needs {asked or 'a process'}, "
            f"and the cluster has {there or 'none to give'}"
        )
