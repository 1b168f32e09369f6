"""Does the judge prefer the same content said twice? Padded copies against their originals.

Verbosity bias and the repetitive list attack: Zheng et al. (arXiv 2306.05685).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from solon.errors import InputError, SettingError
from solon.judges.altering import altered, by_turns
from solon.judges.recorded import SHARES, Verdict, ask, winner
from solon.records import Compare, Completion, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, logistic, mean_change, proportion
from solon.text.altered import Alteration, bulleted, repeated, restated

CHARACTERS = 100.0  # of padding, that the logit of the dose is counted by
PRIOR = 1 / 2.5**2  # as in an audit of length: any real effect has room
FREE = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbosity:
    """A live judge on completions and their padded copies, or recorded verdicts on such pairs.

    ``wins`` is the share of pairs that the padded one wins, ties half, ``shift`` the mean of
    P(padded is better) less 1/2, and ``dose_logit`` c of logit P(padded is better) = c padding
    + b slot, by 100 characters. Both orders are asked. Clustered by prompt.

    Example:
        Verbosity(questions=pairs, doses=(1, 2, 4))(judge)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs of whose completions a live judge is shown one each, beside its padded copies."""
    doses: tuple[int, ...] = (1, 2, 4)
    """How many times over the copies say it again."""
    most_won: float = 0.1
    """Largest passing excess of wins over 1/2; a judge may prefer the shorter one."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""

    def __post_init__(self) -> None:
        if not self.doses or min(self.doses) < 1:
            raise SettingError(f"doses: expected one or more of at least 1, got {self.doses}")

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        shown = [pair.first for pair in by_turns(self.questions)]
        again = {f"restated_{dose}": _restated(shown, dose) for dose in self.doses}
        made = {**again, "listed": _listed(shown)}
        verdicts = ask(judge, [pair for pairs in made.values() for pair in pairs])
        left = iter(verdicts)
        said = {name: list(islice(left, len(pairs))) for name, pairs in made.items()}
        found = [one for name, rows in said.items() for one in self._preferred(f"/{name}", rows)]
        return [
            *found,
            *_dose([verdict for name in again for verdict in said[name]]),
            self._abstained(verdicts),
        ]

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings on pairs whose ``first`` is the padded copy of ``second``.

        Raises InputError where no verdict has both orders.
        """
        both = [verdict for verdict in verdicts if len(verdict.orders) == 2]
        if not both:
            raise InputError("verbosity: expected verdicts in both orders, got one order only")
        left = len(verdicts) - len(both)
        note = f"{left} verdicts in one order only left out" if left else ""
        return [*self._preferred("", both, note), *_dose(both), self._abstained(both)]

    def _preferred(self, name: str, rows: Sequence[Verdict], note: str = "") -> Iterator[Finding]:
        answered = [(v.p, v.cluster) for v in rows if v.p is not None]
        if not answered:
            return
        clusters = [cluster for _, cluster in answered]
        won = [SHARES[winner(p) or "tie"] for p, _ in answered]
        bound = (0.0, 0.5 + self.most_won)
        yield _found(f"wins{name}", proportion(won, clusters), bound, note)
        yield _found(f"shift{name}", mean_change([p - 0.5 for p, _ in answered], clusters))

    def _abstained(self, rows: Sequence[Verdict]) -> Finding:
        silent = [float(verdict.p is None) for verdict in rows]
        share = proportion(silent, [verdict.cluster for verdict in rows])
        return _found("abstained", share, (0.0, self.most_abstained))


def _restated(completions: Sequence[Completion], dose: int) -> list[Compare]:
    return _padded(completions, partial(restated, times=dose))


def _listed(completions: Sequence[Completion]) -> list[Compare]:
    """The original is a list too, if need be made one: form is no part of this padding."""
    forms = [(one, one.text if repeated(one.text) else bulleted(one.text)) for one in completions]
    return _padded([altered(one, text) for one, text in forms if text is not None], repeated)


def _padded(completions: Sequence[Completion], padding: Alteration) -> list[Compare]:
    """Each padded copy before its original."""
    return [
        Compare(first=altered(one, text), second=one)
        for one in completions
        if (text := padding(one.text)) is not None
    ]


def _dose(rows: Sequence[Verdict]) -> Iterator[Finding]:
    """One row an order, and no constant: without padding there is nothing to prefer."""
    orders = [
        (added / CHARACTERS, 1.0 - 2 * k, p, v.cluster)
        for v in rows
        if v.p is not None and (added := _added(v))
        for k, p in enumerate(v.orders)
        if p is not None
    ]
    if not orders:
        return
    x = np.array([row[:2] for row in orders], dtype=np.float64)
    p = np.array([row[2] for row in orders], dtype=np.float64)
    fit = logistic(x, p, clusters=[row[3] for row in orders])
    note = ""
    if fit.separated:
        fit = logistic(x, p, ridge=PRIOR)
        note = "the verdicts are perfectly predictable: fitted with a prior of 2.5 logits"
    yield _found("dose_logit", fit.coefficient(0), note=note)


def _added(verdict: Verdict) -> int:
    """Characters of padding; 0 where a length is unknown."""
    if verdict.len_first is None or verdict.len_second is None:
        return 0
    return verdict.len_first - verdict.len_second


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(
        audit="verbosity", quantity=quantity, bound=bound, note=note, **interval.measured
    )
