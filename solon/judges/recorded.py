"""Verdicts on pairs, as someone recorded them or as a judge gives them now: what the audits read.

The file's schema stands in docs/recorded-verdicts.md. A verdict always names a *completion* (the
row's ``first`` or ``second``), never the slot that it stood in, in the swapped order too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from solon.errors import DataError, InputError
from solon.judges.row_files import read_rows
from solon.records import Abstains, Compare, Completion, Judgement, PairJudgement, Prefers
from solon.run.shards import read_records
from solon.seams.feedback import PairJudge

Gold = Callable[[Sequence[Completion]], list[float]]
Winner = Literal["first", "second", "tie"]
SHARES: dict[str, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}
FIELDS = (
    *("id", "judge", "cluster", "prompt", "first", "second", "len_first", "len_second"),
    *("p_first", "winner", "p_first_swapped", "winner_swapped", "gold", "gold_gap", "principle"),
    *("policy_first", "policy_second"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judge said of one pair, in one order or in both.

    ``orders`` holds P(first is better) of each order asked, None where the judge abstained: first
    shown first, then first shown second. ``gold`` is the true P(first is better), ``gold_gap`` the
    gold of first minus that of second, on any scale. Lengths are in characters. Rows of one
    ``cluster`` (a prompt) are not independent. ``principle`` is the id of what was judged by, the
    policies (a name, or name@version) are who wrote the two.

    Example:
        Verdict(id="17", judge="gpt-4", cluster="egg", orders=(1.0, None), gold=1.0,
                len_first=120, len_second=95)
    """

    id: str
    orders: tuple[float | None, ...]
    cluster: str
    judge: str = ""
    gold: float | None = None
    gold_gap: float | None = None
    len_first: int | None = None
    len_second: int | None = None
    first: str | None = None
    second: str | None = None
    principle: str = ""
    policy_first: str = ""
    policy_second: str = ""

    @property
    def p(self) -> float | None:
        """The mean over the orders asked; None where the judge abstained in any."""
        answered = [p for p in self.orders if p is not None]
        return sum(answered) / len(answered) if len(answered) == len(self.orders) else None


def winner(p: float | None) -> Winner | None:
    """Who is better at P(first is better) = p; None for an abstention."""
    if p is None:
        return None
    if abs(p - 0.5) < 1e-9:  # the mean of two orders that contradict each other, up to rounding
        return "tie"
    return "first" if p > 0.5 else "second"


def ask(judge: PairJudge, questions: Sequence[Compare], gold: Gold | None = None) -> list[Verdict]:
    """The judge's verdicts on every question, each asked in both orders."""
    if not questions:
        raise InputError(
            "an audit of a live judge needs questions (pairs of completions), got none"
        )
    asked = judge(questions)
    swapped = judge([question.swapped() for question in questions])
    gaps = _gaps(questions, gold)
    return [
        _verdict(one, (_p(one), _p(two, turned=True)), gap)
        for one, two, gap in zip(asked, swapped, gaps, strict=True)
    ]


def ask_gold(gold: Gold, questions: Sequence[Compare]) -> list[Verdict]:
    """The gold's own verdicts, which know no order."""
    judgements: list[PairJudgement] = [
        Judgement(question=question, answer=Prefers(p_first=_share(gap)), judge="gold")
        for question, gap in zip(questions, _gaps(questions, gold), strict=True)
    ]
    return from_judgements(judgements, gold)


def from_judgements(judgements: Sequence[PairJudgement], gold: Gold | None = None) -> list[Verdict]:
    """Verdicts of a run's judgements; both orders where ``Prefers.orders`` kept them."""
    gaps = _gaps([judgement.question for judgement in judgements], gold)
    return [_verdict(j, _orders(j), gap) for j, gap in zip(judgements, gaps, strict=True)]


def read_verdicts(path: Path | str) -> list[Verdict]:
    """Verdicts from JSON lines (``.jsonl``, ``.jsonl.gz``), parquet, or a run's judgements folder.

    Abstentions are kept. Raises DataError, which names file, row (counted from 1) and field.
    """
    path = Path(path)
    if path.is_dir():
        return from_judgements(_judgements(path))
    verdicts = [_Row(path, number, row).verdict() for number, row in read_rows(path)]
    if not verdicts:
        raise DataError(path, expected="one or more verdicts", came="an empty file")
    return verdicts


def by_judge(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Each judge's verdicts, in order: an audit measures one judge."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.judge, []).append(verdict)
    return found


def _gaps(questions: Sequence[Compare], gold: Gold | None) -> list[float | None]:
    if gold is None:
        return [None] * len(questions)
    firsts, seconds = gold([q.first for q in questions]), gold([q.second for q in questions])
    return [a - b for a, b in zip(firsts, seconds, strict=True)]


def _share(gap: float | None) -> float:
    assert gap is not None
    return 0.5 if gap == 0 else float(gap > 0)


def _p(judgement: PairJudgement, *, turned: bool = False) -> float | None:
    if isinstance(judgement.answer, Abstains):
        return None
    return 1 - judgement.answer.p_first if turned else judgement.answer.p_first


def _orders(judgement: PairJudgement) -> tuple[float | None, ...]:
    answer = judgement.answer
    if isinstance(answer, Prefers) and len(answer.orders) == 2:
        return answer.orders
    return (_p(judgement),)


def _verdict(
    judgement: PairJudgement, orders: tuple[float | None, ...], gap: float | None
) -> Verdict:
    first, second = judgement.question.first, judgement.question.second
    return Verdict(
        id=judgement.digest or first.prompt.id,
        judge=judgement.judge,
        cluster=first.prompt.id,
        orders=orders,
        gold=None if gap is None else _share(gap),
        gold_gap=gap,
        len_first=len(first.text),
        len_second=len(second.text),
        first=first.text,
        second=second.text,
        principle=judgement.principle,
        policy_first=first.policy,
        policy_second=second.policy,
    )


def _judgements(folder: Path) -> list[PairJudgement]:
    of_run = folder / "records" / "judgements"
    found = read_records(of_run if of_run.is_dir() else folder)
    if not found:
        raise DataError(folder, expected="a run, or parquet shards of judgements", came="none")
    for row, record in enumerate(found, start=1):
        if not (isinstance(record, Judgement) and isinstance(record.question, Compare)):
            kind = type(record).__name__
            raise DataError(folder, row=row, expected="judgements of pairs (Compare)", came=kind)
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a file, checked field by field."""

    file: Path
    number: int
    row: Mapping[str, Any]

    def verdict(self) -> Verdict:
        strange = sorted(set(self.row) - set(FIELDS))
        if strange:
            raise self._wrong(strange[0], f"one of {', '.join(FIELDS)}", "an unknown field")
        ident = self._text("id")
        if not ident:
            raise self._wrong("id", "a name for the row", self.row.get("id"))
        return Verdict(
            id=ident,
            judge=self._text("judge") or "",
            cluster=self._text("cluster") or self._text("prompt") or ident,
            orders=self._orders(),
            gold=self._share("gold"),
            gold_gap=self._number("gold_gap"),
            len_first=self._length("first"),
            len_second=self._length("second"),
            first=self._text("first"),
            second=self._text("second"),
            principle=self._text("principle") or "",
            policy_first=self._text("policy_first") or "",
            policy_second=self._text("policy_second") or "",
        )

    def _wrong(self, field: str, expected: str, came: object) -> DataError:
        return DataError(self.file, row=self.number, field=field, expected=expected, came=came)

    def _text(self, field: str) -> str | None:
        value = self.row.get(field)
        if field in ("id", "cluster") and isinstance(value, int):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise self._wrong(field, "text", repr(value))
        return value

    def _number(self, field: str) -> float | None:
        value = self.row.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
            raise self._wrong(field, "a finite number", repr(value))
        return float(value)

    def _share(self, field: str) -> float | None:
        """first | second | tie, or a number in [0, 1]."""
        value = self.row.get(field)
        if isinstance(value, str) and value in SHARES:
            return SHARES[value]
        share = None if isinstance(value, str) else self._number(field)
        if isinstance(value, str) or not 0 <= (share or 0) <= 1:
            raise self._wrong(field, "first, second, tie, null or a share from 0 to 1", repr(value))
        return share

    def _orders(self) -> tuple[float | None, ...]:
        if not self.row.keys() & {"p_first", "winner"}:
            raise self._wrong("winner", "winner or p_first (null for an abstention)", "neither")
        asked = self._order("")
        swapped = self.row.keys() & {"p_first_swapped", "winner_swapped"}
        return (asked, self._order("_swapped")) if swapped else (asked,)

    def _order(self, suffix: str) -> float | None:
        p, said = self._share(f"p_first{suffix}"), self._share(f"winner{suffix}")
        if p is not None and said is not None:
            raise self._wrong(f"winner{suffix}", f"null beside p_first{suffix}", repr(said))
        return said if p is None else p

    def _length(self, which: str) -> int | None:
        """Characters: given, or counted where the text stands in the row."""
        text, given = self._text(which), self.row.get(f"len_{which}")
        if given is not None and (type(given) is not int or given < 0):
            raise self._wrong(f"len_{which}", "a whole number of characters", repr(given))
        if text is not None and given not in (None, len(text)):
            raise self._wrong(f"len_{which}", f"{len(text)}, the length of {which!r}", given)
        return given if text is None else len(text)
