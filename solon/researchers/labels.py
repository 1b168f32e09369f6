"""The labels of a problem, in three parts that share nothing: only the scorer's process holds them.

axes: M test examples, K classes. A task's test split becomes DEV (scored through the ladder), GATE
(once a method) and FINAL (never on the wire). All are asked together, in a drawn order, so that
neither the order of the rows nor the question tells which part, or which source, a row is from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from solon.errors import DataError, InputError, SettingError
from solon.researchers.problem import Problem
from solon.seams.classifying import Floats, Ints, Task, taken

Part = Literal["dev", "gate", "final"]
PARTS: tuple[Part, ...] = ("dev", "gate", "final")


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How a test split is divided.

    Canaries are DEV rows whose label is drawn at random; no score counts them.

    Example:
        Division(dev=0.5, gate=0.25, canaries=0.05)
    """

    dev: float = 0.5
    """Share of the test rows that scores are on."""
    gate: float = 0.25
    """Share that is scored once a method; what remains is FINAL."""
    canaries: float = 0.05
    """Share of DEV with random labels, and never fewer than would ring if all were hit."""

    def __post_init__(self) -> None:
        if not (0 < self.dev < 1 and 0 < self.gate < 1 and self.dev + self.gate < 1):
            came = f"got {self.dev:g} and {self.gate:g}"
            raise SettingError(f"dev, gate: expected shares that leave some for FINAL, {came}")
        if not 0 < self.canaries < 1:
            raise SettingError(f"canaries: expected between 0 and 1, got {self.canaries:g}")


def canaries_needed(dev: int, classes: int, share: float) -> int:
    """``share`` of DEV, and at least as many as give 20 bits of evidence when all are hit.

    Our formulation: 5 % of a small DEV could not pass z = 4 however many labels were stolen.
    """
    return max(math.ceil(share * dev), math.ceil(20 / math.log2(classes)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Holdout:
    """Labels and baselines of the test rows, in the order in which they are asked.

    Example:
        Holdout.of(task, weak_right=weak, ceiling_right=ceiling, seed=0)
    """

    labels: Ints
    """[M] true classes, but random ones at the canaries."""
    part: Ints
    """[M] 0 DEV, 1 GATE, 2 FINAL."""
    canary: NDArray[np.bool_]
    """[M] where the label is random."""
    weak_right: Floats
    """[M] share of the weak supervisors (over seeds) that are right."""
    ceiling_right: Floats
    """[M] share of the students trained on true labels that are right."""
    order: Ints
    """[M] row of the task's test split that stands here."""

    @classmethod
    def of(
        cls,
        task: Task,
        *,
        weak_right: Floats,
        ceiling_right: Floats,
        seed: int,
        division: Division = Division(),
    ) -> Holdout:
        """Drawn by the seed, which is then as secret as the labels are."""
        rows, draw = len(task.test), np.random.default_rng([seed, 1])
        if weak_right.shape != (rows,) or ceiling_right.shape != (rows,):
            came = f"{weak_right.shape} and {ceiling_right.shape}"
            raise InputError(f"holdout: expected one share right for each of {rows}, got {came}")
        order = draw.permutation(rows)
        dev, gate = round(division.dev * rows), round(division.gate * rows)
        part = draw.permutation(np.repeat([0, 1, 2], [dev, gate, rows - dev - gate]))
        count = canaries_needed(dev, task.classes, division.canaries)
        if count > dev / 2 or min(gate, rows - dev - gate) < 1:
            came = f"{rows} test rows, {dev} of them DEV"
            raise InputError(f"holdout: expected {2 * count} or more DEV rows, got {came}")
        canary = np.zeros(rows, dtype=np.bool_)
        canary[draw.choice(np.flatnonzero(part == 0), count, replace=False)] = True
        labels = np.asarray(task.test.labels, dtype=np.int64)[order]
        labels[canary] = draw.integers(0, task.classes, count)
        return cls(
            labels=labels,
            part=part,
            canary=canary,
            weak_right=np.asarray(weak_right, dtype=np.float64)[order],
            ceiling_right=np.asarray(ceiling_right, dtype=np.float64)[order],
            order=order,
        )

    def problem(self, task: Task, weak_labels: Floats, *, view: str, seed: int) -> Problem:
        """What may be seen of the task: transfer rows in a drawn order, test rows in this one."""
        rows = np.random.default_rng([seed, 2]).permutation(len(task.transfer))
        return Problem(
            weak_labels=np.asarray(weak_labels, dtype=np.float64)[rows],
            inputs=taken(task.transfer.seen(view), rows),
            test_inputs=taken(task.test.seen(view), self.order),
            classes=task.classes,
        )

    def rows(self, part: Part) -> NDArray[np.bool_]:
        """[M] the rows that a score on this part counts."""
        return (self.part == PARTS.index(part)) & ~self.canary

    def right(self, classes: Ints) -> NDArray[np.bool_]:
        """[..., M] whether these classes are the labels."""
        return classes == self.labels

    def write(self, folder: Path) -> None:
        """Into a folder that nobody but its owner can enter."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        for one in fields(self):
            np.save(folder / f"{one.name}.npy", getattr(self, one.name), allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> Holdout:
        """DataError where anybody but its owner can enter the folder."""
        if folder.stat().st_mode & 0o077:
            came = f"mode {folder.stat().st_mode & 0o777:o}"
            raise DataError(folder, expected="a folder of mode 700, as it holds labels", came=came)
        read: dict[str, Any] = {
            one.name: np.load(folder / f"{one.name}.npy", allow_pickle=False) for one in fields(cls)
        }
        return cls(**read)
