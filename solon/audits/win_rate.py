"""How often does one policy beat another, and does it still at equal length?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solon.errors import InputError
from solon.judges.recorded import Gold, Verdict, ask, ask_gold
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, at_equal_length, length_controlled, mean, proportion
from solon.statistics.interval import Floats

MOVED = 0.1  # by how much length may move a rate unremarked


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRate:
    """The first completions' policy against the second's, plain and length-controlled.

    ``win_rate`` is the mean of P(first wins), ties half; ``win_rate_lee`` and ``win_rate_glm`` hold
    length fixed as Lee et al. (arXiv 2309.00267) and AlpacaEval (arXiv 2404.04475) do. Abstentions
    win for nobody: they are left out and counted in ``abstained``. Clustered by prompt.

    Example:
        WinRate(questions=pairs, least=0.5)(judge)      # or .by_gold(world.gold)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs of the two policies' completions that a live judge is asked about."""
    least: float = 0.5
    """Lowest passing value of each rate."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""
    difficulty: Mapping[str, float] | None = None
    """Logits by prompt: how hard each is."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        return self.recorded(ask(judge, self.questions))

    def by_gold(self, gold: Gold) -> list[Finding]:
        """The gold in the judge's place."""
        return self.recorded(ask_gold(gold, self.questions))

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where every verdict is an abstention."""
        answered = [verdict for verdict in verdicts if verdict.p is not None]
        if not answered:
            raise InputError("win_rate: expected answered verdicts, got none")
        rates, notes = self._at_equal_length(answered)
        silent = [float(verdict.p is None) for verdict in verdicts]
        abstained = proportion(silent, [verdict.cluster for verdict in verdicts])
        bound, plain = (self.least, 1.0), _plain(answered)
        return [
            _found("win_rate", plain, bound, "; ".join(notes)),
            *(_found(name, rate, bound, _moved(name, rate, plain)) for name, rate in rates.items()),
            _found("abstained", abstained, (0.0, self.most_abstained)),
        ]

    def _at_equal_length(
        self, answered: Sequence[Verdict]
    ) -> tuple[dict[str, Interval], list[str]]:
        """The rates that the lengths allow, and why the others are missing."""
        lengths = [(v.len_first, v.len_second) for v in answered]
        known = [(a, b) for a, b in lengths if a is not None and b is not None]
        if len(known) < len(answered):
            return {}, [f"{len(answered) - len(known)} pairs without lengths: no control of length"]
        first, second = np.array(known, dtype=np.float64).T
        won, clusters = _won(answered), [v.cluster for v in answered]
        hard = self._difficulty(clusters)

        def glm() -> Interval:
            fit = length_controlled(won, first, second, difficulty=hard, clusters=clusters)
            return fit.win_rate

        def lee() -> Interval:
            return at_equal_length(won, first, second, clusters)

        rates: dict[str, Interval] = {}
        notes: list[str] = []
        for quantity, measure in (("win_rate_lee", lee), ("win_rate_glm", glm)):
            try:
                rates[quantity] = measure()
            except InputError as error:
                notes.append(f"no {quantity}: {error}")
        return rates, notes

    def _difficulty(self, clusters: Sequence[str]) -> Floats | None:
        if self.difficulty is None:
            return None
        missing = [name for name in clusters if name not in self.difficulty]
        if missing:
            raise InputError(f"win_rate: difficulty has no number for the prompt {missing[0]!r}")
        return np.array([self.difficulty[name] for name in clusters], dtype=np.float64)


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float], note: str = ""
) -> Finding:
    return Finding(audit="win_rate", quantity=quantity, bound=bound, note=note, **interval.measured)


def _moved(name: str, rate: Interval, plain: Interval) -> str:
    """A warning where holding length fixed moves the rate by ten points and a quarter of its room.

    Each bound by itself would cry too often: points are cheap near 0.5, shares of room near 1.
    """
    moved, room = rate.estimate - plain.estimate, 1 - plain.estimate
    if not abs(moved) > max(MOVED, room / 4):
        return ""
    return f"warning: {name} is {100 * moved:+.1f} points from win_rate: length decides much of it"


def _won(answered: Sequence[Verdict]) -> Floats:
    return np.array([verdict.p for verdict in answered], dtype=np.float64)


def _plain(answered: Sequence[Verdict]) -> Interval:
    """Student's interval for soft labels; Wilson's for hard ones, which may all agree."""
    won, clusters = _won(answered), [verdict.cluster for verdict in answered]
    hard = np.isin(won, (0.0, 0.5, 1.0)).all()
    if hard:
        return proportion(won, clusters)
    found = mean(won, clusters)
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
