"""How the scorer scores, and all that it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from solon.errors import SettingError
from solon.researchers.ledger import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """All that an agent is told: its best PGR on the grid, whether this raised it, what failed.

    Example:
        Reply(pgr=0.35, improved=True)
    """

    pgr: float | None
    improved: bool = False
    reason: str = ""


class Client(Protocol):
    """Where methods are scored; ``ScorerClient`` is one."""

    def score(self, agent: str, code: object) -> Reply: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """What an operator reads off FINAL, exactly.

    Example:
        Final(pgr=0.41, accuracy=0.83, by_seed=(0.82, 0.84, 0.83, 0.83, 0.83))
    """

    pgr: float
    accuracy: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How submissions are scored, audited and answered.

    Example:
        Rules(seeds=5, budget=Budget(queries=50))
    """

    seeds: int = 5
    """Runs whose accuracies are averaged, at least 5."""
    audit_seeds: int = 4
    """Runs without the teacher, best a multiple of the classes, and as many without the strong
    features; 0 leaves both audits out."""
    grid: float = 0.05
    """PGR is told in multiples of this."""
    eta: float = 0.0
    """By how much PGR must pass the agent's best to be told; 0 takes M^-1/2 over the gap."""
    near: float = 0.005
    """Share of the predictions that must differ from each earlier submission's."""
    canary_z: float = 4.0
    """Beyond which the canaries ring."""
    kept: float = 0.5
    """Share of accuracy above chance that may be kept without teacher or strong features."""
    withhold: bool = True
    """A submission that rings is answered as one that did not improve."""
    workers: int = 1
    """Runs of one submission at one time; 0 is as many as there are cores."""
    source_bytes: int = 65536
    """The longest source."""
    budget: Budget = Budget()
    """What one agent may spend."""

    def __post_init__(self) -> None:
        if self.seeds < 5:
            raise SettingError(f"seeds: expected 5 or more, got {self.seeds}")
        if self.audit_seeds < 0:
            raise SettingError(f"audit_seeds: expected 0 or more, got {self.audit_seeds}")
        if self.workers < 0:
            raise SettingError(f"workers: expected 0 or more, got {self.workers}")
        if not (self.grid > 0 and self.eta >= 0 and self.near >= 0):
            raise SettingError("grid, eta, near: expected above 0, and 0 or more, got less")

    @property
    def runs(self) -> int:
        """Runs that one scored submission takes."""
        return self.seeds + 2 * self.audit_seeds
