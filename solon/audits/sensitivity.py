"""Do verdicts hang on what says nothing of which is better: letters, order of criteria, brands?

A change alike to both completions, or to the judge's own words, should turn no verdict; a name
above one completion should buy none. All quantities are our formulation of the usual battery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from solon.errors import InputError, SettingError
from solon.judges.altering import altered, by_turns
from solon.judges.recorded import Verdict, ask, winner
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, mean_change, proportion
from solon.text.altered import MANNERS, signed

FREE = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """A live judge on pairs: asked, asked again, and asked of the same pairs changed.

    ``turned/CHANGE`` is the share of verdicts that another winner has after the change, less the
    share that turned when nothing was changed; ``effect/brand`` is half the mean of P(a completion
    is better) under the first brand less that under the second. The intervals hold together
    (Bonferroni). Clustered by prompt.

    Example:
        Sensitivity(questions=pairs, variants={"letters": lettered})(judge)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that the judge is asked about, plain and changed."""
    manners: tuple[str, ...] = tuple(MANNERS)
    """What both completions wear alike, by name."""
    brands: tuple[str, str] = ("GPT-4", "a small open model")
    """Authors who are named above the two completions: the one that may be favoured comes first."""
    variants: Mapping[str, PairJudge] = field(default_factory=dict[str, PairJudge])
    """The same judge in other words, by what was changed."""
    most_turned: float = 0.1
    """Highest passing excess of turned verdicts."""
    most_effect: float = 0.05
    """Highest passing effect of the first brand; a judge may disfavour it as much as it will."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""

    def __post_init__(self) -> None:
        strange = [name for name in self.manners if name not in MANNERS]
        if strange:
            raise SettingError(
                f"manners: expected some of {', '.join(MANNERS)}, got {strange[0]!r}"
            )

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        if not self.questions:
            raise InputError("sensitivity: a live judge needs questions, got none")
        pairs = by_turns(self.questions)
        plain, again = ask(judge, pairs), ask(judge, pairs)
        changed = {name: self._dressed(judge, pairs, name) for name in self.manners}
        changed |= {name: ask(other, pairs) for name, other in self.variants.items()}
        said = [one for rows in (plain, again, *changed.values()) for one in rows if one]
        silent = proportion([float(v.p is None) for v in said], [v.cluster for v in said])
        return [
            *self._turned(plain, again, changed),
            self._brand(judge, pairs),
            _found("abstained", silent, (0.0, self.most_abstained)),
        ]

    @property
    def _confidence(self) -> float:
        """Of each interval, so that all of them hold together."""
        return 1 - 0.05 / (len(self.manners) + len(self.variants) + 1)

    def _dressed(
        self, judge: PairJudge, pairs: Sequence[Compare], manner: str
    ) -> list[Verdict | None]:
        """Verdicts on the pairs whose two completions can both wear it; None for the others."""
        worn = {k: pair for k, one in enumerate(pairs) if (pair := _both(one, manner)) is not None}
        said = dict(zip(worn, ask(judge, list(worn.values())) if worn else [], strict=True))
        return [said.get(k) for k in range(len(pairs))]

    def _turned(
        self,
        plain: Sequence[Verdict],
        again: Sequence[Verdict],
        changed: Mapping[str, Sequence[Verdict | None]],
    ) -> Iterator[Finding]:
        """By change, over the pairs that were answered all three times."""
        clusters = [one.cluster for one in plain]
        chance = [_differ(one, two) for one, two in zip(plain, again, strict=True)]
        known = [(turn, of) for turn, of in zip(chance, clusters, strict=True) if turn is not None]
        if known:
            turns, of = zip(*known, strict=True)
            yield _found("turned/again", proportion(turns, of), note="nothing was changed")
        for name, verdicts in changed.items():
            rows = [
                (turn - by_chance, cluster)
                for one, two, by_chance, cluster in zip(
                    plain, verdicts, chance, clusters, strict=True
                )
                if by_chance is not None and (turn := _differ(one, two)) is not None
            ]
            if not rows:
                yield _found(
                    f"turned/{name}", Interval.unknown(), note="no pair could be changed so"
                )
                continue
            excess = mean_change(
                [value for value, _ in rows], [of for _, of in rows], confidence=self._confidence
            )
            left = len(plain) - len(rows)
            note = f"{left} pairs left out" if left else ""
            yield _found(f"turned/{name}", excess, (-1.0, self.most_turned), note)

    def _brand(self, judge: PairJudge, pairs: Sequence[Compare]) -> Finding:
        one, other = self.brands
        mine = ask(judge, [_signed(pair, one, other) for pair in pairs])
        theirs = ask(judge, [_signed(pair, other, one) for pair in pairs])
        moved = [
            ((a.p - b.p) / 2, a.cluster)
            for a, b in zip(mine, theirs, strict=True)
            if a.p is not None and b.p is not None
        ]
        if not moved:
            return _found("effect/brand", Interval.unknown(), note="never answered")
        effect = mean_change(
            [value for value, _ in moved], [of for _, of in moved], confidence=self._confidence
        )
        return _found("effect/brand", effect, (-1.0, self.most_effect), f"{one} against {other}")


def _both(pair: Compare, manner: str) -> Compare | None:
    change = MANNERS[manner]
    first, second = change(pair.first.text), change(pair.second.text)
    if first is None or second is None:
        return None
    return Compare(first=altered(pair.first, first), second=altered(pair.second, second))


def _signed(pair: Compare, first: str, second: str) -> Compare:
    return Compare(
        first=altered(pair.first, signed(pair.first.text, first)),
        second=altered(pair.second, signed(pair.second.text, second)),
    )


def _differ(one: Verdict, other: Verdict | None) -> float | None:
    """1 where the two have different winners; None where one of them has no verdict."""
    said = (winner(one.p), winner(other.p) if other else None)
    return None if None in said else float(said[0] != said[1])


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(
        audit="sensitivity", quantity=quantity, bound=bound, note=note, **interval.measured
    )
