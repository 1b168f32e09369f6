"""How often does a policy win, by few labels of people and many verdicts of a judge?

A judge's win rate is off by the judge's bias, however many verdicts there are; people's is right
and wide. Prediction-powered inference (Angelopoulos et al., arXiv 2301.09633; PPI++, arXiv
2311.01453) measures the bias where both have spoken and takes it away everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import InputError
from solon.judges.recorded import Gold, Verdict, ask
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, mean, proportion
from solon.statistics.interval import Floats
from solon.statistics.powered import powered

FREE = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoweredWinRate:
    """The first completions' policy against the second's; ``gold`` of a verdict is people's label.

    ``win_rate`` is the prediction-powered one; ``by_people`` and ``by_judge`` are what either says
    alone, ``judge_bias`` is mean(judge - people) where both spoke, and ``worth`` how many labels
    people's rate alone would need for the same error. Abstentions win for nobody: they are left out
    and counted in ``abstained``. Clustered by prompt.

    Example:
        PoweredWinRate(least=0.5).recorded(read_verdicts("verdicts.jsonl"))
    """

    questions: tuple[Compare, ...] = ()
    """Pairs of the two policies' completions that a live judge is asked about."""
    gold: Gold | None = None
    """What people say, or a world (live only)."""
    labelled: int = 100
    """Of how many questions, drawn at random, it is asked (live only)."""
    least: float = 0.5
    """Lowest passing win rate."""
    most_bias: float = 0.05
    """Largest passing bias of the judge, of either sign."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""
    seed: int = 0
    """Draws the questions that are labelled (live only)."""

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        order = np.random.default_rng(self.seed).permutation(len(self.questions))
        drawn = [self.questions[k] for k in order]
        few, others = drawn[: self.labelled], drawn[self.labelled :]
        return self.recorded([*ask(judge, few, self.gold), *ask(judge, others)])

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError unless some answers have a label and some not."""
        answered = [one for one in verdicts if one.p is not None]
        known = [one for one in answered if one.gold is not None]
        rest = [one for one in answered if one.gold is None]
        if len(known) < 2 or not rest:
            raise InputError(
                "powered_win_rate: expected answered verdicts, two or more with people's label "
                f"(gold) and others without; got {len(known)} and {len(rest)}"
            )
        labels = np.array([one.gold for one in known], dtype=np.float64)
        judged, others = _judged(known), _judged(rest)
        names = [one.cluster for one in known]
        both = powered(labels, judged, others, clusters=[*names, *(one.cluster for one in rest)])
        alone = mean(labels, names)
        note = (
            f"{len(known)} labels of people, {len(rest)} verdicts without; weight {both.weight:.2f}"
        )
        everyone = mean(_judged(answered), [one.cluster for one in answered])
        bias = mean(judged - labels, names)
        silent = proportion([float(v.p is None) for v in verdicts], [v.cluster for v in verdicts])
        return [
            _found("win_rate", _inside(both.interval), (self.least, 1.0), note),
            _found("by_people", _inside(alone), FREE, ""),
            _found("by_judge", _inside(everyone), FREE, ""),
            _found("judge_bias", bias, (-self.most_bias, self.most_bias), ""),
            _found("worth", _worth(alone, both.interval, len(known)), FREE, "labels"),
            _found("abstained", silent, (0.0, self.most_abstained), ""),
        ]


def _judged(verdicts: Sequence[Verdict]) -> Floats:
    return np.array([one.p for one in verdicts], dtype=np.float64)


def _inside(found: Interval) -> Interval:
    """A share's interval, cut to what a share can be."""
    low, high = max(0.0, found.low), min(1.0, found.high)
    return Interval(estimate=found.estimate, low=low, high=high, n=found.n)


def _worth(alone: Interval, both: Interval, n: int) -> Interval:
    """n times the ratio of squared widths: a description of this sample, without an interval."""
    ratio = (alone.high - alone.low) / (both.high - both.low) if both.high > both.low else 1.0
    labels = n * ratio**2
    return Interval(estimate=labels, low=labels, high=labels, n=n)


def _found(quantity: str, found: Interval, bound: tuple[float, float], note: str) -> Finding:
    return Finding(
        audit="powered_win_rate", quantity=quantity, bound=bound, note=note, **found.measured
    )
