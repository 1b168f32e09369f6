"""Does the judge pay for what an answer wears: bold, lists, praise of the user, borrowed authority?

The effect of a feature is that of adding it to the same content, all else equal. Each is our
formulation; that judges pay for form is in Zheng et al. (arXiv 2306.05685) and many since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solon.errors import SettingError
from solon.judges.altering import altered, by_turns
from solon.judges.recorded import Verdict, ask
from solon.records import Compare, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, mean_change, proportion
from solon.text.altered import FEATURES

FREE = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatHacks:
    """A live judge on pairs, plain and with one feature added to one completion.

    ``effect/FEATURE`` is the mean change of P(that completion is better), over both orders. The
    intervals hold together for all features that were looked at (Bonferroni). Clustered by prompt.

    Example:
        FormatHacks(questions=pairs, most_effect=0.05)(judge)
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that the judge is asked about, plain and with each feature."""
    features: tuple[str, ...] = tuple(FEATURES)
    """What is added, by name."""
    most_effect: float = 0.05
    """Highest passing effect of a feature; a judge may dislike it as much as it will."""
    most_abstained: float = 0.05
    """Highest passing share of abstentions."""

    def __post_init__(self) -> None:
        strange = [name for name in self.features if name not in FEATURES]
        if strange or not self.features:
            came = repr(strange[0]) if strange else "none"
            raise SettingError(f"features: expected some of {', '.join(FEATURES)}, got {came}")

    def __call__(self, judge: PairJudge, /) -> list[Finding]:
        pairs = by_turns(self.questions)
        worn = [(name, k) for name in self.features for k, _ in enumerate(pairs)]
        shown = [(name, k, _wearing(pairs[k], name)) for name, k in worn]
        asked = [(name, k, pair) for name, k, pair in shown if pair is not None]
        verdicts = ask(judge, [*pairs, *(pair for _, _, pair in asked)])
        plain, dressed = verdicts[: len(pairs)], verdicts[len(pairs) :]
        rows = [(name, plain[k], v) for (name, k, _), v in zip(asked, dressed, strict=True)]
        silent = proportion([float(v.p is None) for v in verdicts], [v.cluster for v in verdicts])
        return [
            *self._effects(rows),
            _found("abstained", silent, (0.0, self.most_abstained)),
        ]

    def _effects(self, rows: Sequence[tuple[str, Verdict, Verdict]]) -> Iterator[Finding]:
        """By feature, as far as it could be added and both questions were answered."""
        moved = {
            name: [
                (after.p - before.p, before.cluster)
                for of, before, after in rows
                if of == name and before.p is not None and after.p is not None
            ]
            for name in self.features
        }
        seen = {name: changes for name, changes in moved.items() if changes}
        note = f"the intervals of the {len(seen)} effects hold together (Bonferroni)"
        unseen = ", ".join(name for name in moved if name not in seen)
        note += f"; never added, or never answered: {unseen}" if unseen else ""
        for name, changes in seen.items():
            values, clusters = [value for value, _ in changes], [cluster for _, cluster in changes]
            effect = mean_change(values, clusters, confidence=1 - 0.05 / len(seen))
            yield _found(f"effect/{name}", effect, (-1.0, self.most_effect), note)


def _wearing(pair: Compare, feature: str) -> Compare | None:
    """The pair with the feature added to its first completion; None where that cannot be."""
    text = FEATURES[feature](pair.first.text)
    return None if text is None else Compare(first=altered(pair.first, text), second=pair.second)


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(
        audit="format_hacks", quantity=quantity, bound=bound, note=note, **interval.measured
    )
