"""The adaptive KL controller: it steers the penalty so that the policy stays at a chosen distance.

Ziegler et al. (arXiv 1909.08593, section 2.2): e = clip(KL / target - 1, -0.2, 0.2), then
coefficient <- coefficient (1 + e n / horizon).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from solon.errors import SettingError
from solon.objectives.gradient import PolicyGradient
from solon.objectives.kl import adapt
from solon.seams.learning import RolloutObjective


@dataclass(kw_only=True)
class AdaptiveKL:
    """The coefficient as it moves; kept in the checkpoints of the loop that it steers.

    Example:
        AdaptiveKL(target=6.0).steered(RLOO())    # the objective with the present coefficient
    """

    target: float
    horizon: int = 10_000
    coefficient: float | None = None

    def steered(self, objective: RolloutObjective) -> RolloutObjective:
        """The objective with the present coefficient; at first, with its own.

        Raises SettingError where the objective has no KL penalty to steer.
        """
        if self.target <= 0:
            return objective
        if not isinstance(objective, PolicyGradient) or objective.kl.coefficient <= 0:
            raise SettingError("kl_target: expected an objective with a KL coefficient above 0")
        if self.coefficient is None:
            self.coefficient = objective.kl.coefficient
        return replace(objective, kl=replace(objective.kl, coefficient=self.coefficient))

    def saw(self, kl: float, n: int) -> None:
        """After n episodes with a mean sequence KL of ``kl`` nats."""
        if self.target > 0 and self.coefficient is not None:
            self.coefficient = adapt(
                self.coefficient, max(0.0, kl), target=self.target, n=n, horizon=self.horizon
            )

    def save_state(self, folder: Path, /) -> None:
        (folder / "kl.json").write_bytes(orjson.dumps({"coefficient": self.coefficient}))

    def load_state(self, folder: Path, /) -> None:
        self.coefficient = orjson.loads((folder / "kl.json").read_bytes())["coefficient"]
