"""A part on a cluster: the value, which costs no import of Ray before it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from solon.errors import SettingError
from solon.run.ranks import at_work
from solon.seams.feedback import Spec

if TYPE_CHECKING:
    from solon.run.run import Run

OURS = {"CPU", "GPU"}


@dataclass(frozen=True, kw_only=True)
class OnRay:
    """Copies of a policy, a judge, a critic or a reward; opens to what has the same methods.

    A Transformer learns in this process and is sampled and scored by the copies; anything else
    lives in the copies alone.

    Example:
        OnRay(inner=LogitJudge(policy=Transformer(model="models/judge")), copies=4)
    """

    inner: Spec[Any]
    """What each copy opens."""
    copies: int = 2
    """Copies, each a process."""
    cut: int = 0
    """Items that a copy is asked at once; 0 deals each batch evenly to all copies."""
    num_cpus: float = 1.0
    """CPUs that Ray keeps for each copy."""
    num_gpus: float = 0.0
    """GPUs that Ray keeps for each copy; several copies share one below 1."""
    resources: str = ""
    """JSON object of the cluster's own resources that each copy takes, such as {"judge": 1}."""
    learns: bool = True
    """Whether a Transformer also learns, in this process; otherwise its weights are in the copies
    only."""
    address: str = ""
    """Cluster to join; empty takes RAY_ADDRESS's, or this machine's, or begins one; local begins
    one in any case."""
    env: tuple[str, ...] = ()
    """Environment variables that copies get from this process, such as the one that holds a key."""
    attempts: int = 3
    """Copies that may die on the same questions before the run stops."""
    patience: float = 120.0
    """Seconds to wait for copies: at the start for as many as there is room for, later for one."""

    def open(self, run: Run, /) -> Any:
        """Raises SettingError where a setting cannot be met, ClusterError where no copy begins, and
        what the inner part raises when it is opened.
        """
        self._check()
        if self.learns:
            from solon.engines.local import Transformer  # a judge's driver needs no torch for this

            if isinstance(self.inner, Transformer):
                from solon.engines.ray.learner import open_learner

                return open_learner(self, self.inner, run)
        from solon.engines.ray.parts import open_part

        return open_part(self, run)

    def taken(self) -> dict[str, float]:
        """The cluster's own resources that each copy takes."""
        try:
            fields = orjson.loads(self.resources or "{}")
        except ValueError as error:
            raise SettingError(
                f"resources: expected a JSON object, got {self.resources!r} ({error})"
            ) from error
        numbers = isinstance(fields, dict) and all(
            isinstance(x, int | float) and x > 0 for x in fields.values()
        )
        if not numbers or OURS & set(fields):
            raise SettingError(
                f'resources: expected positive numbers by name, such as {{"judge": 1}} (num_cpus '
                f"and num_gpus are settings of their own), got {self.resources!r}"
            )
        return fields

    def _check(self) -> None:
        for name, least in (("copies", 1), ("attempts", 1), ("cut", 0)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}: expected at least {least}, got {getattr(self, name)}")
        for name in ("num_cpus", "num_gpus"):
            if not getattr(self, name) >= 0:
                raise SettingError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not self.patience > 0:
            raise SettingError(f"patience: expected more than 0 seconds, got {self.patience}")
        if at_work().count > 1:
            raise SettingError(
                f"copies on Ray: expected a run of one process, got {at_work().count}: each of "
                "them would begin copies of its own"
            )
        self.taken()
