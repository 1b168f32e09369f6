"""Claims to dispute: from the shell, from a file, or planted trees whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from solon.errors import DataError, SettingError
from solon.judges.rows import Row, rows
from solon.oversight.argument import Node
from solon.oversight.gates import And, Gate, Threshold
from solon.oversight.moves import Disputed
from solon.oversight.planted import uniform_tree
from solon.run.run import Run

BITS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class PosedClaim:
    """What a debate is about, and what no debate sees: whether it is true, and its whole tree.

    Example:
        PosedClaim(disputed=Disputed(claim="The lamp is hidden.", name="c1"), right=True)
    """

    disputed: Disputed
    right: bool | None = None
    """Whether the claim is true, where it is known."""
    cluster: str = ""
    """Claims of one cluster, as of one story, are not independent; empty is its own."""
    tree: Node | None = None
    """The argument, where it is known beforehand."""
    truth: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of every claim in that tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneClaim:
    """A claim from the shell.

    Example:
        OneClaim(claim="The lamp is hidden below the wheel.")
    """

    claim: str
    """What is disputed."""

    def open(self, run: Run, /) -> list[PosedClaim]:
        if not self.claim.strip():
            raise SettingError("claim: expected text, got none")
        return [PosedClaim(disputed=_disputed(self.claim, "claim", run))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile:
    """Rows of claim, and if there is one: right (true or false), id, cluster.

    Example:
        ClaimFile(path="claims.jsonl").open(run)
    """

    path: str
    """File of claims (.jsonl, .json, .csv or .parquet; .gz too)."""

    def open(self, run: Run, /) -> list[PosedClaim]:
        """All of them; DataError with file, row and field for the first bad row, or for no row."""
        found: dict[str, PosedClaim] = {}
        for row in rows(Path(self.path)):
            posed = _posed(row, run)
            if posed.disputed.name in found:
                raise row.fault("id", "each once")
            found[posed.disputed.name] = posed
        if not found:
            raise DataError(self.path, expected="at least one claim", came="none")
        return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedClaims:
    """Trees of names, half of them true; in a false one just so many leaves fail as it takes.

    Example:
        PlantedClaims(n=100, width=5, needed=3).open(run)
    """

    n: int = 1
    """Claims drawn, by the run's seed."""
    width: int = 4
    """Subclaims of each claim."""
    levels: int = 2
    """How often a claim is split on the way to a leaf."""
    needed: int = 4
    """How many subclaims must hold: all of them is a conjunction, fewer are redundant."""

    def __post_init__(self) -> None:
        if min(self.n, self.width, self.levels) < 1:
            came = f"{self.n}, {self.width} and {self.levels}"
            raise SettingError(f"n, width, levels: expected at least 1, got {came}")
        if not 1 <= self.needed <= self.width:
            raise SettingError(f"needed: expected from 1 to {self.width}, got {self.needed}")

    @property
    def gate(self) -> Gate:
        return And() if self.needed == self.width else Threshold(self.needed)

    def open(self, run: Run, /) -> list[PosedClaim]:
        draw = np.random.default_rng([run.seed, 5])
        return [self._planted(k, draw, run) for k in range(self.n)]

    def _planted(self, k: int, draw: np.random.Generator, run: Run) -> PosedClaim:
        name = f"plan {k}"
        tree = uniform_tree(self.width, self.levels, gate=self.gate, name=name)
        right = bool(draw.random() < 0.5)
        false = set[str]() if right else set(self._failing(tree, draw))
        return PosedClaim(
            disputed=_disputed(name, name, run),
            right=right,
            tree=tree,
            truth=tree.truth(lambda leaf: float(leaf not in false)),
        )

    def _failing(self, node: Node, draw: np.random.Generator) -> list[str]:
        """Leaves whose falsehood makes the claim false, and not one more than it takes."""
        if not node.children:
            return [node.claim]
        failing = draw.choice(self.width, size=self.width - self.needed + 1, replace=False)
        return [leaf for k in failing for leaf in self._failing(node.children[int(k)], draw)]


def _posed(row: Row, run: Run) -> PosedClaim:
    name = _optional(row, "id") or f"row-{row.number}"
    return PosedClaim(
        disputed=_disputed(row.text("claim"), name, run),
        right=_right(row),
        cluster=_optional(row, "cluster"),
    )


def _disputed(claim: str, name: str, run: Run) -> Disputed:
    """On one line, so that it cannot pretend to be two items of a list."""
    seed = run.seed_for("disputed", name)
    return Disputed(claim=" ".join(claim.split()), seed=seed, name=name)


def _optional(row: Row, name: str) -> str:
    return row.said(name) if name in row.fields else ""


def _right(row: Row) -> bool | None:
    said = row.fields.get("right")
    if said in (None, ""):
        return None
    word = str(said).lower() if isinstance(said, bool | str) else ""
    if word not in BITS:
        raise row.fault("right", "true or false")
    return BITS[word]
