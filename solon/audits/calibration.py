"""When the judge says 80 %, is it right in 80 %? Against labels that are known.

Murphy (1973) and Cox (1958); Guo et al. (arXiv 1706.04599) for the expected calibration error and
the temperature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solon.errors import InputError
from solon.judges.recorded import Gold, Verdict, ask, winner
from solon.records import Compare, Finding, digest
from solon.seams.feedback import PairJudge
from solon.statistics import (
    Bin,
    Bootstrap,
    Interval,
    calibrated_ece,
    calibration_slope,
    ece,
    effective_rows,
    equal_mass,
    equal_width,
    log_loss,
    logits,
    mean,
    murphy,
    proportion,
    reliability_table,
)
from solon.statistics.calibration import SURE, Bins
from solon.statistics.interval import Floats

FREE = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A live judge on questions with a gold, or recorded verdicts with one. Clustered by prompt.

    A pair's names are arbitrary, so it counts by the completion that the judge prefers: ``stated``
    is max(p, 1 - p), p the mean over the orders asked, and ``right`` whether that one is better.
    ``ece_excess`` is what the error has beyond the one that chance alone shows in a calibrated
    judge of this many pairs.

    Example:
        Calibration(most_excess=0.05).recorded(read_verdicts("verdicts.jsonl"))
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about."""
    gold: Gold | None = None
    """True reward, where it is known."""
    bins: int = 10
    """Bins of what is stated, from 1/2 to 1."""
    most_gap: float = 0.05
    """Largest passing overconfidence, of either sign."""
    most_temperature: float = 1.5
    """Largest passing temperature; its inverse is the smallest."""
    most_excess: float = 0.03
    """Largest passing ece_excess."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""
    draws: int = 1000
    """Resamples of the bootstrap, and of a calibrated judge."""
    seed: int = 0
    """Seeds the resamples, and which prompts the temperature is fitted on."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        return self.recorded(ask(judge, self.questions, self.gold))

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where no answered verdict has a gold winner."""
        rows = _Stated.of(verdicts)
        known = [verdict for verdict in verdicts if verdict.gold not in (None, 0.5)]
        left = len(verdicts) - len(known)
        silent = proportion([float(v.p is None) for v in known], [v.cluster for v in known])
        note = f"{left} verdicts left out: no label, or a tie" if left else ""
        temper = self.most_temperature
        gap = mean(rows.stated - rows.right, rows.clusters)
        fitted = calibration_slope(rows.stated, rows.right, rows.clusters)
        return [
            _paired("overconfidence", gap, (-self.most_gap, self.most_gap), note),
            _paired("slope", fitted, (1 / temper, temper), rows.told(fitted.estimate)),
            *self._errors(rows),
            *self._parts(rows),
            *self._tempered(rows),
            _found("abstained", silent, (0.0, self.most_abstained)),
        ]

    def table(self, verdicts: Sequence[Verdict]) -> list[Bin]:
        """The reliability table in bins of equal width, for a plot."""
        rows = _Stated.of(verdicts)
        return reliability_table(rows.stated, rows.right, self._wide(rows), rows.half)

    def _wide(self, rows: _Stated) -> Bins:
        return equal_width(rows.stated, self.bins, 0.5)

    def _errors(self, rows: _Stated) -> list[Finding]:
        """The error in bins of equal width and of equal mass, each with what chance shows."""
        wide, even = self._wide(rows), equal_mass(rows.stated, self.bins)
        error, chance = self._error(rows, wide), self._chance(rows, wide)
        beyond = Interval(
            estimate=error.estimate - chance.estimate,
            low=error.estimate - chance.high,
            high=error.estimate - chance.low,
            n=error.n,
        )
        same = self._chance(rows, even)
        told = f"a calibrated judge shows {same.estimate:.3f} in bins of equal mass"
        table = reliability_table(rows.stated, rows.right, wide, rows.half)
        return [
            _paired("ece_excess", beyond, (-1.0, self.most_excess)),
            _paired("ece", error, note=_told(table)),
            _found("ece_calibrated", chance),
            _paired("ece_equal_mass", self._error(rows, even), note=told),
        ]

    def _error(self, rows: _Stated, number: Bins) -> Interval:
        def statistic(weights: Floats) -> float:
            return ece(rows.stated, rows.right, number, weights)

        return self._bootstrap(statistic, len(rows.stated), rows.clusters)

    def _chance(self, rows: _Stated, number: Bins) -> Interval:
        return calibrated_ece(
            rows.stated,
            number,
            rows.half,
            rows=min(effective_rows(rows.stated, rows.right, rows.clusters), len(rows.half) // 2),
            draws=self.draws,
            seed=self.seed,
        )

    @property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(draws=self.draws, seed=self.seed)

    def _parts(self, rows: _Stated) -> list[Finding]:
        """Brier's score and Murphy's parts of it, by either name of each pair: its rate is 1/2."""
        number = self._wide(rows)

        def part(name: str) -> Interval:
            def statistic(weights: Floats) -> float:
                parts = murphy(rows.stated, rows.right, number, weights, rate=0.5)
                return float(getattr(parts, name))

            return self._bootstrap(statistic, len(rows.stated), rows.clusters)

        whole = murphy(rows.stated, rows.right, number, rows.half, rate=0.5)
        told = (
            f"brier = reliability - resolution + uncertainty {whole.uncertainty:.4f} + within "
            f"{whole.within:.4f}"
        )
        brier = mean((rows.stated - rows.right) ** 2, rows.clusters)
        return [
            _paired("brier", brier, note=told),
            _paired("reliability", part("reliability")),
            _paired("resolution", part("resolution")),
        ]

    def _tempered(self, rows: _Stated) -> list[Finding]:
        """Nats saved by a temperature on prompts that it was not fitted on."""
        names = sorted(set(rows.clusters), key=lambda name: digest(self.seed, name))
        if len(names) < 4:
            return []
        fitted = set(names[: len(names) // 2])
        fit = np.array([name in fitted for name in rows.clusters])
        by = calibration_slope(rows.stated[fit], rows.right[fit]).estimate
        if np.isnan(by):
            return []
        stated, right = logits(rows.stated[~fit]), rows.right[~fit]
        saved = log_loss(stated, right) - log_loss(by * stated, right)
        clusters = [name for name in rows.clusters if name not in fitted]
        note = f"{_temperature(by)}, fitted on the other half of the prompts"
        return [_paired("tempered_gain", mean(saved, clusters), note=note)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What the judge said of the completions that it prefers, and whether it was right.

    Every pair stands here twice, so that a tie is once right and once wrong: it is a half right,
    and (1/2)^2 off. In the order of the prompts' names: no resample depends on that of the file.
    """

    stated: Floats
    right: Floats
    clusters: tuple[str, ...]

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> _Stated:
        rows = sorted(
            # rounded, because the mean of two orders must not change its bin for a last digit
            (verdict.cluster, round(max(verdict.p, 1 - verdict.p), 12), right)
            for verdict in verdicts
            if verdict.p is not None and verdict.gold not in (None, 0.5)
            for right in _right(verdict)
        )
        if not rows:
            raise InputError("calibration: expected answered verdicts with a gold winner, got none")
        clusters, stated, right = zip(*rows, strict=True)
        return cls(stated=np.array(stated), right=np.array(right), clusters=clusters)

    @property
    def half(self) -> Floats:
        """The weights that make each pair count once."""
        return np.full(len(self.stated), 0.5)

    def told(self, slope: float) -> str:
        sure = int((self.stated > SURE).sum()) // 2
        held = f"; {sure} certainties taken for {SURE}" if sure else ""
        return _temperature(slope) + held


def _right(verdict: Verdict) -> tuple[float, float]:
    said = winner(verdict.p)
    if said == "tie":
        return (0.0, 1.0)
    right = float(said == winner(verdict.gold))
    return (right, right)


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(
        audit="calibration", quantity=quantity, bound=bound, note=note, **interval.measured
    )


def _paired(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    """The finding on rows of which each pair has two."""
    return _found(quantity, replace(interval, n=interval.n // 2), bound, note)


def _temperature(slope: float) -> str:
    if slope > 0:
        return f"temperature {1 / slope:.2f}"
    return "no temperature: the judge is inverted, or always undecided"


def _told(table: Sequence[Bin]) -> str:
    rows = [f"{row.stated:.2f} {row.right.estimate:.2f} ({row.right.n})" for row in table]
    return f"stated, right (pairs): {', '.join(rows)}"
