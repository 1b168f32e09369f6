"""How accurate is a judge or reward model under RewardBench's weighting of its sections?

RewardBench (Lambert et al., arXiv 2403.13787): a section's accuracy is the mean over its pairs,
``overall`` the plain mean of the sections. All counts are taken from the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from solon.errors import InputError, SettingError
from solon.judges.sections import Graded, read_graded
from solon.records import Finding
from solon.statistics import Bootstrap, Interval, proportion
from solon.statistics.interval import Floats

FREE = (float("-inf"), float("inf"))
TIES = {"wrong": 0.0, "half": 0.5}
SAME_LENGTH = 0.1  # a subset whose mean lengths differ by less, as a share, is neutral


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """Recorded pairs by subset. Intervals resample whole prompts, and are open where a subset is so
    small that a resample may miss it whole.

    No verdict is wrong, and counted in ``abstained``. ``length_index`` is the accuracy on subsets
    whose better completion is longer less that on those whose better one is shorter.

    Example:
        Sections(least=0.7).recorded(read_graded("graded.jsonl"))
    """

    least: float = 0.65
    """Lowest passing overall accuracy."""
    most_length_index: float = 0.15
    """Largest passing length index, either way."""
    most_abstained: float = 0.05
    """Highest passing share of pairs without a verdict."""
    ties: Literal["wrong", "half"] = "wrong"
    """What a tie is worth: nothing, as for a reward model, or a half."""
    counts: Mapping[str, int] = field(default_factory=lambda: {"math-prm": 984})
    """Pairs that a subset counts as in its section, where not as many as it has: RewardBench
    weighs math-prm up to its six subsets of code."""
    draws: int = 1000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Seeds the bootstrap."""

    def __post_init__(self) -> None:
        if self.ties not in TIES:
            raise SettingError(f"ties: expected wrong or half, got {self.ties!r}")

    def read(self, path: Path | str) -> list[Graded]:
        """The rows of a file."""
        return read_graded(path)

    def recorded(self, graded: Sequence[Graded]) -> list[Finding]:
        """The findings; raises InputError where there are no rows."""
        if not graded:
            raise InputError("sections: expected graded pairs, got none")
        subsets = _by_subset(graded)
        silent = proportion([float(o.won is None) for o in graded], [_cluster(o) for o in graded])
        return [
            self._overall(graded, subsets),
            *self._sections(graded, subsets),
            *self._subsets(subsets),
            self._length_index(graded, subsets),
            _found("abstained", silent, (0.0, self.most_abstained)),
        ]

    def _overall(
        self, graded: Sequence[Graded], subsets: Mapping[str, Sequence[Graded]]
    ) -> Finding:
        names = list(dict.fromkeys(one.section for one in graded))
        weights = {
            subset: share / len(names)
            for name in names
            for subset, share in self._shares(name, subsets).items()
        }
        note = f"the mean of {', '.join(names)}"
        return _found("overall", self._weighed(subsets, weights), (self.least, 1.0), note)

    def _sections(
        self, graded: Sequence[Graded], subsets: Mapping[str, Sequence[Graded]]
    ) -> Iterator[Finding]:
        for name in dict.fromkeys(one.section for one in graded):
            shares = self._shares(name, subsets)
            raised = [one for one in shares if one in self.counts]
            note = "".join(
                f"{one} counts as {self.counts[one]} pairs, it has {len(subsets[one])}"
                for one in raised
            )
            yield _found(f"section/{name}", self._weighed(subsets, shares), note=note)

    def _shares(self, section: str, subsets: Mapping[str, Sequence[Graded]]) -> dict[str, float]:
        """How much each subset weighs in its section: as many pairs as it has, or counts as."""
        counts = {
            name: self.counts.get(name, len(rows))
            for name, rows in subsets.items()
            if rows[0].section == section
        }
        return {name: count / sum(counts.values()) for name, count in counts.items()}

    def _subsets(self, subsets: Mapping[str, Sequence[Graded]]) -> Iterator[Finding]:
        for name, rows in subsets.items():
            won = [self._right(one) for one in rows]
            yield _found(f"subset/{name}", proportion(won, [_cluster(one) for one in rows]))

    def _right(self, graded: Graded) -> float:
        if graded.won is None:
            return 0.0
        return TIES[self.ties] if graded.won == 0.5 else float(graded.won > 0.5)

    def _length_index(
        self, graded: Sequence[Graded], subsets: Mapping[str, Sequence[Graded]]
    ) -> Finding:
        """Over subsets, each by its pairs; which is longer is measured, not looked up."""
        longer = {name: _longer(rows) for name, rows in subsets.items()}
        sizes = {
            side: sum(len(rows) for name, rows in subsets.items() if longer[name] is side)
            for side in (True, False)
        }
        if not all(sizes.values()):
            note = "needs subsets of both kinds, with lengths"
            return _found("length_index", Interval.unknown(len(graded)), note=note)
        weights = {
            name: (1 if side else -1) * len(subsets[name]) / sizes[side]
            for name, side in longer.items()
            if side is not None
        }
        bound = (-self.most_length_index, self.most_length_index)
        told = f"better is longer in {sizes[True]} pairs' subsets, shorter in {sizes[False]}'s"
        return _found("length_index", self._weighed(subsets, weights), bound, told)

    def _weighed(
        self, subsets: Mapping[str, Sequence[Graded]], weights: Mapping[str, float]
    ) -> Interval:
        """The weighted sum of the subsets' accuracies, over resampled prompts."""
        rows = [one for name in weights for one in subsets[name]]
        won = np.array([self._right(one) for one in rows])
        if (
            math.isclose(sum(weights.values()), 1) and np.ptp(won) == 0
        ):  # resamples would leave it without a width
            return proportion(won, [_cluster(one) for one in rows])
        names = list(weights)
        of = np.array([names.index(one.subset) for one in rows])
        share = np.array([weights[name] for name in names])

        def statistic(drawn: Floats) -> float:
            total = np.bincount(of, drawn, minlength=len(names))
            right = np.bincount(of, drawn * won, minlength=len(names))
            return float(share @ (right / total)) if total.all() else np.nan

        draw = Bootstrap(draws=self.draws, seed=self.seed)
        return draw(statistic, len(rows), [_cluster(one) for one in rows])


def _by_subset(graded: Sequence[Graded]) -> dict[str, list[Graded]]:
    found: dict[str, list[Graded]] = {}
    for one in graded:
        found.setdefault(one.subset, []).append(one)
        if one.section != found[one.subset][0].section:
            raise InputError(
                f"sections: expected each subset in one section, got {one.subset!r} in "
                f"{found[one.subset][0].section!r} and {one.section!r}"
            )
    return found


def _longer(rows: Sequence[Graded]) -> bool | None:
    """Whether the better completions are the longer ones on average; None where about as long."""
    known = [
        (one.len_chosen, one.len_rejected)
        for one in rows
        if one.len_chosen is not None and one.len_rejected is not None
    ]
    if not known:
        return None
    chosen, rejected = np.mean(known, axis=0)
    if abs(chosen - rejected) <= SAME_LENGTH * max(chosen, rejected):
        return None
    return bool(chosen > rejected)


def _cluster(graded: Graded) -> str:
    return graded.cluster or graded.id


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(audit="sections", quantity=quantity, bound=bound, note=note, **interval.measured)
