"""What the winners are worth where nobody looked: FINAL, and problems that no agent has seen.

A method that found a shortcut of its data passes DEV and FINAL alike; only another problem tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solon.errors import SettingError
from solon.researchers.labels import Holdout
from solon.researchers.method import Execute, Method
from solon.researchers.parallel import answers
from solon.researchers.posing import Posed
from solon.researchers.problem import Problem
from solon.run import lines
from solon.statistics import Interval, recovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Which methods are tried where.

    Example:
        Transfer(methods=1, draws=4)
    """

    methods: int = 3
    """The agents' best methods by DEV, each agent's best once; baselines are always tried."""
    draws: int = 2
    """Other draws of the laboratory: another concept, other items."""
    imitations: tuple[float, ...] = (0.6,)
    """In the laboratory of salience, other values of imitation."""
    runs: int = 5
    """Of each method on each problem."""

    def __post_init__(self) -> None:
        if min(self.methods, self.draws) < 0 or self.runs < 1:
            raise SettingError("transfer: expected methods and draws from 0, runs from 1, got less")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A method on a problem: PGR, never without the accuracies that it is made of.

    Intervals are of 95 %, over test items and the method's runs together; weak and ceiling are
    means over their own seeds, whose spread is not in them.

    Example:
        Carried(place="FINAL", digest="9f" * 32, reason="method: stopped: time")
    """

    place: str
    digest: str
    pgr: Interval | None = None
    weak: Interval | None = None
    student: Interval | None = None
    ceiling: Interval | None = None
    flagged: bool = False
    """Whether the gap is too small to tell."""
    reason: str = ""
    """Why there is no figure."""

    @classmethod
    def read(cls, path: Path) -> list[Carried]:
        return [cls._of(line) for line in lines.read(path)]

    @classmethod
    def _of(cls, line: dict[str, Any]) -> Carried:
        parts = ("pgr", "weak", "student", "ceiling")
        measured = {name: _interval(line[name]) for name in parts if line[name] is not None}
        named: dict[str, Any] = {**line, **measured}
        return cls(**named)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A problem on which methods are tried, and the rows that count.

    Example:
        Place(name="FINAL", problem=problem, holdout=holdout, rows=holdout.rows("final"))
    """

    name: str
    problem: Problem
    holdout: Holdout
    rows: NDArray[np.bool_]

    @classmethod
    def whole(cls, name: str, posed: Posed) -> Place:
        """A problem of which nobody was told anything: all its rows count, canaries apart."""
        rows = ~posed.holdout.canary
        return cls(name=name, problem=posed.problem, holdout=posed.holdout, rows=rows)

    def carry(
        self, method: Method, execute: Execute, *, seeds: Sequence[int], workers: int
    ) -> Carried:
        """The method on this problem, once for each seed."""
        problems = (replace(self.problem, seed=seed) for seed in seeds)
        classes = list[NDArray[np.int64]]()
        with closing(answers(execute, method, problems, workers=workers)) as answered:
            for answer in answered:
                if answer.probabilities is None:
                    return Carried(place=self.name, digest=method.digest, reason=answer.reason)
                classes.append(answer.probabilities.argmax(1))
        student = self.holdout.right(np.stack(classes))[:, self.rows]
        weak, ceiling = (
            np.broadcast_to(one[self.rows], student.shape)
            for one in (self.holdout.weak_right, self.holdout.ceiling_right)
        )
        found = recovered(weak, student, ceiling)
        return Carried(
            place=self.name,
            digest=method.digest,
            pgr=found.pgr,
            weak=found.weak,
            student=found.student,
            ceiling=found.ceiling,
            flagged=found.flagged,
        )


def _interval(written: Mapping[str, Any]) -> Interval:
    """JSON has no infinity, and says null where nothing is known."""
    estimate, low, high = (
        nan if written[name] is None else written[name] for name in ("estimate", "low", "high")
    )
    return Interval(estimate=estimate, low=low, high=high, n=written["n"])
