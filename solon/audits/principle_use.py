"""Which principle decided what: draws, decisiveness, agreement with the others, usable revisions.

Bai et al. (arXiv 2212.08073) draw one principle for each label and for each revision. What a single
principle then did is not among their measures: these are our formulation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from solon.errors import InputError
from solon.judges.recorded import Verdict, ask, winner
from solon.judges.revising import FAULTLESS
from solon.records import Compare, Critique, Finding
from solon.seams.feedback import PairJudge
from solon.statistics import Interval, mean, proportion
from solon.text.constitution import Constitution
from solon.text.principle import Principle

Bound = tuple[float, float]
FREE = (float("-inf"), float("inf"))
Pair = tuple[str, str, str]  # cluster and two texts


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipleUse:
    """A judge by each principle on the same questions, or recorded verdicts or critiques.

    By principle: ``share`` of the labels, ``decisive`` mean |2p - 1|, and where others were asked
    about the same pair ``turned``, the share whose winner is not theirs, by their mean p. ``agree``
    is how often two principles name the same winner of a pair. Clustered by prompt.

    Example:
        PrincipleUse(constitution="harmless").recorded(read_verdicts("runs/mine/records/judgements"))
    """

    questions: tuple[Compare, ...] = ()
    """Pairs that a live judge is asked about, once by each principle."""
    constitution: Constitution | str | None = None
    """Principles that could have been drawn: a packaged name, or a path that ends in .toml."""
    least_drawn: float = 0.5
    """Lowest passing share of a principle, as a part of what its weight promises."""
    least_decisive: float = 0.05
    """Lowest passing decisiveness of a principle."""
    least_usable: float = 0.5
    """Lowest passing share of usable revisions, of a principle's critiques that found a fault."""

    def __call__(self, judge_by: Callable[[Principle], PairJudge], /) -> list[Finding]:
        law = self._law()
        if law is None:
            raise InputError("principle_use: a live judge needs a constitution, got none")
        verdicts = [
            replace(verdict, principle=rule.id)
            for rule in law.asking("compare").principles
            for verdict in ask(judge_by(rule), self.questions)
        ]
        return [*self._decisive(verdicts), *_compared(verdicts)]

    def recorded(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """The findings; raises InputError where no verdict names its principle."""
        named = [verdict for verdict in verdicts if verdict.principle]
        if not named:
            raise InputError("principle_use: expected verdicts that name a principle, got none")
        left = len(verdicts) - len(named)
        note = f"{left} verdicts left out: they name no principle" if left else ""
        law = self._law()
        promised = _promised(law.asking("compare")) if law else {}
        said = [(verdict.principle, verdict.cluster) for verdict in named]
        return [
            *self._shares("share", said, promised, note),
            *self._decisive(named),
            *_compared(named),
        ]

    def criticised(self, critiques: Sequence[Critique]) -> list[Finding]:
        """The findings on critiques; raises InputError where none names its principle."""
        named = [critique for critique in critiques if critique.principle]
        if not named:
            raise InputError("principle_use: expected critiques that name a principle, got none")
        law = self._law()
        promised = _promised(law.asking("critique", "revision")) if law else {}
        said = [(one.principle, one.completion.prompt.id) for one in named]
        found = [*self._shares("critiques", said, promised, "")]
        for name in dict.fromkeys(one.principle for one in named):
            found += self._usable(name, [one for one in named if one.principle == name])
        return [*found, *_failures(named)]

    def _usable(self, name: str, critiques: Sequence[Critique]) -> Iterator[Finding]:
        """How often nothing was wrong; of the others, how often a usable revision came of it."""
        clusters = [one.completion.prompt.id for one in critiques]
        fine = [float(one.failed == FAULTLESS) for one in critiques]
        yield _found(f"faultless/{name}", proportion(fine, clusters))
        faulty = [one for one in critiques if one.failed != FAULTLESS]
        if faulty:
            usable = [float(not _why_not(one)) for one in faulty]
            clusters = [one.completion.prompt.id for one in faulty]
            bound = (self.least_usable, 1.0)
            yield _found(f"usable/{name}", proportion(usable, clusters), bound)

    def _law(self) -> Constitution | None:
        law = self.constitution
        return Constitution.load(law) if isinstance(law, str) else law

    def _shares(
        self,
        quantity: str,
        said: Sequence[tuple[str, str]],
        promised: Mapping[str, float],
        note: str,
    ) -> Iterator[Finding]:
        """How often each was drawn; one that never was still has its row."""
        drawn_from = [cluster for _, cluster in said]
        for name in _names(said, promised):
            share = proportion([float(of == name) for of, _ in said], drawn_from)
            least = self.least_drawn * promised[name] if name in promised else None
            bound = FREE if least is None else (least, 1.0)
            told = note if share.estimate else "never drawn"
            yield _found(f"{quantity}/{name}", share, bound, told)

    def _decisive(self, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        silent = [float(verdict.p is None) for verdict in verdicts]
        drawn_from = [verdict.cluster for verdict in verdicts]
        bound = (self.least_decisive, 1.0)
        for name in dict.fromkeys(verdict.principle for verdict in verdicts):
            rows = [
                (abs(2 * one.p - 1), one.cluster)
                for one in verdicts
                if one.principle == name and one.p is not None
            ]
            if rows:
                yield _found(f"decisive/{name}", _mean(*_columns(rows)), bound)
        yield _found("abstained", proportion(silent, drawn_from))


def _compared(verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    """What principles that were asked about the same pair make of it; nothing where none were."""
    asked = {pair: said for pair, said in _by_pair(verdicts).items() if len(said) > 1}
    if not asked:
        return
    same = [
        fmean(winner(a) == winner(b) for a, b in combinations(s.values(), 2))
        for s in asked.values()
    ]
    yield _found("agree", proportion(same, [pair[0] for pair in asked]))
    turned: dict[str, list[tuple[float, str]]] = {}
    for pair, said in asked.items():
        for name, p in said.items():
            others = winner(fmean(q for other, q in said.items() if other != name))
            own = winner(p)
            if "tie" not in (own, others):
                turned.setdefault(name, []).append((float(own != others), pair[0]))
    for name, rows in turned.items():
        yield _found(f"turned/{name}", proportion(*_columns(rows)))


def _by_pair(verdicts: Sequence[Verdict]) -> dict[Pair, dict[str, float]]:
    """p of each pair by principle, whichever completion was called first; the mean of repeats."""
    said: dict[Pair, dict[str, list[float]]] = {}
    for one in verdicts:
        if one.p is None or one.first is None or one.second is None:
            continue
        turned = one.first > one.second
        texts = sorted((one.first, one.second))
        pair = said.setdefault((one.cluster, texts[0], texts[1]), {})
        pair.setdefault(one.principle, []).append(1 - one.p if turned else one.p)
    return {pair: {name: fmean(p) for name, p in of.items()} for pair, of in said.items()}


def _failures(critiques: Sequence[Critique]) -> Iterator[Finding]:
    """Why nothing could be learnt though something was wrong, as shares of all critiques."""
    reasons = [_why_not(one).replace(FAULTLESS, "") for one in critiques]
    drawn_from = [one.completion.prompt.id for one in critiques]
    for reason, _ in Counter(filter(None, reasons)).most_common():
        share = proportion([float(one == reason) for one in reasons], drawn_from)
        yield _found(f"failed/{reason}", share)


def _why_not(critique: Critique) -> str:
    """Why nothing may be learnt from the critique; empty where its revision is usable."""
    return critique.failed or ("" if critique.revision else "no revision")


def _promised(law: Constitution) -> dict[str, float]:
    """The share of the draws that each principle's weight promises; what is never drawn aside."""
    whole = sum(rule.weight for rule in law.principles)
    return {rule.id: rule.weight / whole for rule in law.principles if rule.weight}


def _names(said: Sequence[tuple[str, str]], promised: Mapping[str, float]) -> list[str]:
    return list(dict.fromkeys((*promised, *(name for name, _ in said))))


def _columns(rows: Sequence[tuple[float, str]]) -> tuple[list[float], list[str]]:
    return [value for value, _ in rows], [cluster for _, cluster in rows]


def _mean(values: list[float], clusters: list[str]) -> Interval:
    """Student's interval for soft labels; Wilson's for hard ones, which may all agree."""
    if set(values) <= {0.0, 1.0}:
        return proportion(values, clusters)
    found = mean(values, clusters)
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _found(quantity: str, interval: Interval, bound: Bound = FREE, note: str = "") -> Finding:
    return Finding(
        audit="principle_use", quantity=quantity, bound=bound, note=note, **interval.measured
    )
