"""Is a jury of these judges worth its number? Judges who err together are fewer than they look.

The effective number is the design effect of survey sampling (Kish 1965) on the judges' errors;
``independent`` is Condorcet's theorem (1785). Bounds and halves are our formulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from solon.errors import InputError
from solon.judges.pair_names import named, pair
from solon.judges.recorded import Gold, Verdict, ask, by_judge, winner
from solon.records import Compare, Finding, digest
from solon.seams.feedback import PairJudge
from solon.statistics import Bootstrap, Interval, paired_difference, proportion, wilson
from solon.statistics.interval import Floats
from solon.statistics.voting import (
    effective_voters,
    error_correlation,
    independent_majority,
    majority,
)

FREE = (float("-inf"), float("inf"))
Pair = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Juries:
    """Live judges on the same questions with a gold, or recorded verdicts of several judges.

    Over the pairs that all of them answered: ``effective`` is how many independent judges their
    mean is worth, ``gain`` the accuracy of a strict majority less that of the best member, who is
    chosen on the other half of the prompts. Undecided is half right. Clustered by prompt.

    Example:
        Juries(questions=pairs, gold=world.gold)([one, two, three])
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that live judges are asked about."""
    gold: Gold | None = None
    """True reward, where it is known."""
    least_effective: float = 1.5
    """Lowest passing effective number of judges."""
    least_gain: float = 0.0
    """Lowest passing gain of the majority over the best member."""
    draws: int = 1000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Seeds the bootstrap, and which prompts the best member is chosen on."""

    def __call__(self, judges: Sequence[PairJudge], /) -> list[Finding]:
        return self.recorded(
            [verdict for judge in judges for verdict in ask(judge, self.questions, self.gold)]
        )

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError unless two judges answered the same labelled pairs."""
        bench = _Bench.of(verdicts)
        clusters, right = bench.clusters, bench.right
        jury, best = majority(right), self._best(bench)
        told = f"best member: {', '.join(dict.fromkeys(best.names))}"
        effective = self._varied(effective_voters, bench)
        return [
            _found("effective", effective, (self.least_effective, float("inf")), bench.note),
            _found("correlation", self._varied(error_correlation, bench)),
            _found("gain", _gain(jury, best.right, clusters), (self.least_gain, 1.0), told),
            _found("majority", proportion(jury, clusters)),
            _found("best", proportion(best.right, clusters)),
            _found("independent", self._varied(_independent, bench)),
            *(
                _found(f"accuracy/{judge}", proportion(right[:, k], clusters))
                for k, judge in enumerate(bench.judges)
            ),
        ]

    def _varied(self, statistic: Callable[[Floats, Floats], float], bench: _Bench) -> Interval:
        draw = Bootstrap(draws=self.draws, seed=self.seed)
        right = bench.right
        return draw(lambda weights: statistic(right, weights), len(right), bench.clusters)

    def _best(self, bench: _Bench) -> _Best:
        """Whoever was best on the other half: chosen on these pairs, they would be flattered."""
        names = sorted(set(bench.clusters), key=lambda name: digest(self.seed, name))
        half = set(names[: len(names) // 2])
        here = np.array([name in half for name in bench.clusters])
        chosen = np.zeros(len(here), dtype=np.intp)
        for side in (here, ~here):
            if side.any():
                chosen[~side] = int(bench.right[side].mean(axis=0).argmax())
        if not here.any():
            chosen[:] = int(bench.right.mean(axis=0).argmax())
        right = bench.right[np.arange(len(chosen)), chosen]
        return _Best(names=tuple(bench.judges[k] for k in chosen), right=right)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Best:
    names: tuple[str, ...]
    right: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """How right each judge is [N J] on the pairs that all of them answered."""

    judges: tuple[str, ...]
    clusters: tuple[str, ...]
    right: Floats
    note: str

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> _Bench:
        said = {judge: _said(rows) for judge, rows in sorted(by_judge(verdicts).items())}
        gold = {pair(v): named(v, v.gold) for v in verdicts if v.gold not in (None, 0.5)}
        asked = sorted({name for rows in said.values() for name in rows} & gold.keys())
        whole = [
            name for name in asked if all(rows.get(name) is not None for rows in said.values())
        ]
        if len(said) < 2 or not whole:
            raise InputError(
                "juries: expected two judges or more that answered the same pairs with a gold "
                f"winner, got {len(said)} judges and {len(whole)} such pairs"
            )
        left = len(asked) - len(whole)
        columns = [[_right(rows[name], gold[name]) for name in whole] for rows in said.values()]
        return cls(
            judges=tuple(said),
            clusters=tuple(name[0] for name in whole),
            right=np.array(columns, dtype=np.float64).T,
            note=f"{left} pairs left out: some judge was not asked, or abstained" if left else "",
        )


def _said(rows: Sequence[Verdict]) -> Mapping[Pair, float | None]:
    """p of each pair by its name, the mean of repeats; None where any of them abstained."""
    found: dict[Pair, list[float | None]] = {}
    for verdict in rows:
        found.setdefault(pair(verdict), []).append(named(verdict, verdict.p))
    return {
        name: None if len(p) < len(said) else fmean(p)
        for name, said in found.items()
        for p in [[one for one in said if one is not None]]
    }


def _right(p: float | None, gold: float | None) -> float:
    said = winner(p)
    return 0.5 if said == "tie" else float(said == winner(gold))


def _independent(right: Floats, weights: Floats) -> float:
    """What a majority of judges this accurate would reach if none erred with another."""
    return independent_majority(weights @ right / weights.sum())


def _gain(jury: Floats, best: Floats, clusters: Sequence[str]) -> Interval:
    """The mean difference; where none differs, as wide as one that never did may be."""
    if not np.array_equal(jury, best):
        return paired_difference(jury, best, clusters)
    most = wilson(0, len(set(clusters))).high
    return Interval(estimate=0.0, low=-most, high=most, n=len(jury))


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(audit="juries", quantity=quantity, bound=bound, note=note, **interval.measured)
