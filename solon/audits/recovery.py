"""How much of the gap between a weak supervisor and the ceiling did a student recover?

PGR of Burns et al. (arXiv 2312.09390), always beside the three accuracies that it is made of, and
with the student's agreement with its supervisor, split by whether the supervisor was right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.errors import InputError
from solon.judges.trials import Trial, read_trials
from solon.records import Finding
from solon.statistics import Interval
from solon.statistics.recovery import Recovered, agreement, median_pgr, recovered

FREE = (float("-inf"), float("inf"))
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Recorded trials of a weak supervisor, a ceiling and any number of students between them.

    ``pgr/STUDENT`` is the median over tasks whose gap is wide enough (of one task, its own). Each
    task has its accuracies and shares. ``bound/STUDENT`` is PGR at the epoch that is best by the
    test's own labels: a bound that no method can have, reported where epochs were kept.

    Example:
        Recovery(least=0.2).recorded(read_trials("trials.jsonl"))
    """

    least: float = 0.0
    """Lowest passing PGR of each student."""
    draws: int = 1000
    """Resamples of the bootstrap, of items and of seeds together."""
    seed: int = 0
    """Seeds the bootstrap."""

    def read(self, path: Path | str) -> list[Trial]:
        """The rows of a file."""
        return read_trials(path)

    def recorded(self, trials: Sequence[Trial]) -> list[Finding]:
        """The findings; raises InputError where a task lacks a role, an item or a seed."""
        if not trials:
            raise InputError("recovery: expected trials, got none")
        tasks = [Board.of(task, rows) for task, rows in _grouped(trials, "task").items()]
        shares = {
            board.task: {name: self._share(board, board.right(name)) for name in board.students}
            for board in tasks
        }
        found: list[Finding] = []
        for name in dict.fromkeys(name for board in tasks for name in board.students):
            each = [of_task[name] for of_task in shares.values() if name in of_task]
            found.append(self._median(f"pgr/{name}", each, (self.least, float("inf"))))
            if any(name in board.epochs for board in tasks):
                found.append(self._bound(name, tasks))
        for board in tasks:
            tail = f"/{board.task}" if len(tasks) > 1 else ""
            found += _of_task(board, shares[board.task], tail)
        return found

    def _share(self, board: Board, student: NDArray[np.float64]) -> Recovered:
        return recovered(
            board.right("weak"),
            student,
            board.right("ceiling"),
            clusters=board.clusters,
            draws=self.draws,
            seed=self.seed,
        )

    def _median(
        self, quantity: str, shares: Sequence[Recovered], bound: tuple[float, float]
    ) -> Finding:
        if len(shares) == 1:
            one = shares[0]
            note = "the gap is too small to tell" if one.flagged else ""
            return _found(quantity, Interval.unknown() if one.flagged else one.pgr, bound, note)
        middle, flagged = median_pgr(shares, draws=self.draws, seed=self.seed)
        note = f"median over {middle.n} tasks; {flagged} with too small a gap left out"
        return _found(quantity, middle, bound, note)

    def _bound(self, name: str, boards: Sequence[Board]) -> Finding:
        """Early stopping by the labels of the test."""
        shares = [self._share(board, board.best(name)) for board in boards if name in board.epochs]
        finding = self._median(f"bound/{name}", shares, FREE)
        said = "stopped by the test's labels: a bound, not a result"
        return replace(finding, note=f"{said}; {finding.note}" if finding.note else said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One task's trials as arrays: what each role said [S N], and the labels [N]."""

    task: str
    clusters: list[str]
    labels: Classes
    said: Mapping[str, Classes]
    epochs: Mapping[str, Sequence[Classes]]

    @classmethod
    def of(cls, task: str, trials: Sequence[Trial]) -> Board:
        last = [one for one in trials if not one.epoch]
        items = list(dict.fromkeys(one.item for one in last))
        first = {one.item: one for one in last}
        classes = {name: k for k, name in enumerate(dict.fromkeys(o.label for o in trials))}
        for one in trials:
            classes.setdefault(one.said, len(classes))
            if one.item in first and one.label != first[one.item].label:
                raise InputError(f"recovery: {task}: item {one.item!r} has two labels")
        of_role = _grouped(last, "role")
        for role in ("weak", "ceiling"):
            if role not in of_role:
                raise InputError(f"recovery: {task}: expected trials of role {role!r}, got none")
        if len(of_role) < 3:
            raise InputError(f"recovery: {task}: expected a student beside weak and ceiling")
        seeds = sorted({one.seed for one in last})
        late = {
            role: [_grid(task, role, rows, seeds, items, classes) for rows in by_epoch]
            for role, by_epoch in _by_epoch(trials).items()
        }
        return cls(
            task=task,
            clusters=[first[item].cluster or item for item in items],
            labels=np.array([classes[first[item].label] for item in items]),
            said={r: _grid(task, r, rows, seeds, items, classes) for r, rows in of_role.items()},
            epochs=late,
        )

    @property
    def students(self) -> list[str]:
        return [name for name in self.said if name not in ("weak", "ceiling")]

    def right(self, role: str) -> NDArray[np.float64]:
        return (self.said[role] == self.labels).astype(np.float64)

    def best(self, role: str) -> NDArray[np.float64]:
        """Who was right at the epoch with the highest accuracy, each seed by itself."""
        along = np.stack([(said == self.labels).astype(np.float64) for said in self.epochs[role]])
        best = along.mean(axis=2).argmax(axis=0)
        return along[best, np.arange(along.shape[1])]

    def agreement(self, role: str) -> tuple[Interval, Interval]:
        """Over all seeds; the seeds of one item are one observation."""
        seeds = len(self.said[role])
        return agreement(
            self.said[role].ravel(),
            self.said["weak"].ravel(),
            np.tile(self.labels, seeds),
            self.clusters * seeds,
        )


def _of_task(board: Board, shares: Mapping[str, Recovered], tail: str) -> Iterator[Finding]:
    """Accuracies, shares and agreements of one task."""
    first = next(iter(shares.values()))
    note = "the gap is too small to tell" if first.flagged else ""
    yield _found(f"accuracy/weak{tail}", first.weak)
    for name, share in shares.items():
        yield _found(f"accuracy/{name}{tail}", share.student)
    yield _found(f"accuracy/ceiling{tail}", first.ceiling, note=note)
    for name, share in shares.items():
        if tail:
            yield _found(f"pgr/{name}{tail}", share.pgr, note=note)
        right, wrong = board.agreement(name)
        yield _found(f"agrees_where_right/{name}{tail}", right)
        yield _found(f"agrees_where_wrong/{name}{tail}", wrong)


def _grid(
    task: str,
    role: str,
    trials: Sequence[Trial],
    seeds: Sequence[int],
    items: Sequence[str],
    classes: Mapping[str, int],
) -> Classes:
    """[S N]; InputError where one is missing or stands twice."""
    found = np.full((len(seeds), len(items)), -1, dtype=np.int64)
    column, row = {i: k for k, i in enumerate(items)}, {s: k for k, s in enumerate(seeds)}
    for one in trials:
        if one.item not in column or found[row[one.seed], column[one.item]] >= 0:
            raise InputError(
                f"recovery: {task}: expected each item once for each role and seed, got "
                f"{one.item!r} of {role!r}, seed {one.seed}, otherwise"
            )
        found[row[one.seed], column[one.item]] = classes[one.said]
    if (found < 0).any():
        s, i = np.argwhere(found < 0)[0]
        raise InputError(
            f"recovery: {task}: expected every item for each role and seed, got none of "
            f"{items[i]!r} for {role!r}, seed {seeds[s]}"
        )
    return found


def _by_epoch(trials: Sequence[Trial]) -> dict[str, list[list[Trial]]]:
    """By student, the trials of each epoch, in order."""
    found: dict[str, dict[int, list[Trial]]] = {}
    for one in trials:
        if one.epoch and one.role not in ("weak", "ceiling"):
            found.setdefault(one.role, {}).setdefault(one.epoch, []).append(one)
    return {role: [rows[epoch] for epoch in sorted(rows)] for role, rows in found.items()}


def _grouped(trials: Sequence[Trial], field: str) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for one in trials:
        found.setdefault(getattr(one, field), []).append(one)
    return found


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(audit="recovery", quantity=quantity, bound=bound, note=note, **interval.measured)
