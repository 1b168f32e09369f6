"""Judges made of judges: both orders, several samples, several judges, and a gate on failures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol

from solon.errors import SettingError, SolonError
from solon.judges.questions import FailureLimit
from solon.records import A, Abstains, Compare, Judgement, PairJudgement, Prefers, Q, digest
from solon.seams.feedback import Judge, PairJudge, Spec

if TYPE_CHECKING:
    from solon.run.run import Run

Average = Literal["probability", "logit"]
Rule = Literal["mean", "majority"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BothOrders:
    """Asks in both orders and averages: p(a, b) + p(b, a) = 1 exactly.

    Averaging probabilities is Lee et al. (arXiv 2309.00267): with true logit d and an additive
    bias b the label is (sigma(d + b) + sigma(d - b)) / 2, shrunk towards 1/2 as b grows. Averaging
    logits gives sigma(d). Abstains when one pass does.

    Example:
        BothOrders(judge=LogitJudge(policy=local))
    """

    judge: Spec[PairJudge]
    """Who is asked, once in each order."""
    average: Average = "probability"
    """What is averaged over the orders: the probability (Lee et al.) or the logit."""
    either: bool = False
    """Whether one order's answer suffices where the other abstains."""

    def open(self, run: Run, /) -> PairJudge:
        return _BothOrders(judge=self.judge.open(run), average=self.average, either=self.either)


class Sampler(Protocol):
    """A pair judge whose answer can be drawn several times."""

    @property
    def id(self) -> str: ...

    def samples(self, questions: Sequence[Compare], /, *, n: int) -> list[list[PairJudgement]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The mean of k samples of one judge; abstains unless more than half of them answer.

    Example:
        Vote(judge=LlmJudge(policy=endpoint), k=5)
    """

    judge: Spec[Sampler]
    """Who is asked k times."""
    k: int = 5
    """Samples of each question."""

    def open(self, run: Run, /) -> PairJudge:
        if self.k < 1:
            raise SettingError(f"k: expected at least 1 sample, got {self.k}")
        return _Vote(judge=self.judge.open(run), k=self.k)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """Several judges as one.

    ``mean`` abstains unless more than half of the judges answer. ``majority`` gives 1 or 0; a
    judge that abstains or is undecided stays in the count, so there may be no majority, and then
    the jury abstains.

    Example:
        Jury(judges=(one, two, three), rule="majority")
    """

    judges: tuple[Spec[PairJudge], ...]
    """Who votes."""
    rule: Rule = "mean"
    """Mean probability, or what a strict majority prefers."""

    def open(self, run: Run, /) -> PairJudge:
        if not self.judges:
            raise SettingError("judges: expected at least one judge in a jury, got none")
        return _Jury(judges=tuple(judge.open(run) for judge in self.judges), rule=self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGate(Generic[Q, A]):
    """Passes a judge's answers on, and raises TooManyFailures once too many of them abstain.

    That is once more than ``limit`` x ``window`` of the newest do (see FailureLimit).

    Example:
        FailureGate(judge=LlmJudge(policy=endpoint), limit=0.10, window=200)
    """

    judge: Spec[Judge[Q, A]]
    """Whose failures are counted."""
    limit: float = 0.10
    """Share of the window that may fail."""
    window: int = 200
    """Newest answers that are counted."""

    def open(self, run: Run, /) -> Judge[Q, A]:
        limit = FailureLimit(share=self.limit, window=self.window)
        return _FailureGate(judge=self.judge.open(run), limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BothOrders:
    judge: PairJudge
    average: Average
    either: bool

    @property
    def id(self) -> str:
        return f"both-orders({self.judge.id})"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        judged = ask(self.judge, [*questions, *(question.swapped() for question in questions)])
        asked, turned = judged[: len(questions)], judged[len(questions) :]
        return [
            merge((one, two), self._answer(one.answer, two.answer), judge=self.id)
            for one, two in zip(asked, turned, strict=True)
        ]

    def _answer(self, one: Prefers | Abstains, two: Prefers | Abstains) -> Prefers | Abstains:
        if not isinstance(one, Abstains) and not isinstance(two, Abstains):
            p = _middle(one.p_first, two.p_first, self.average)
            return Prefers(p_first=p, orders=(one.p_first, 1 - two.p_first))
        if self.either and isinstance(one, Prefers):
            return Prefers(p_first=one.p_first)
        if self.either and isinstance(two, Prefers):
            return Prefers(p_first=1 - two.p_first)
        reason = one.reason if isinstance(one, Abstains) else ""
        return Abstains(reason=reason or (two.reason if isinstance(two, Abstains) else ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    judge: Sampler
    k: int

    @property
    def id(self) -> str:
        return f"vote-{self.k}({self.judge.id})"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        drawn = self.judge.samples(questions, n=self.k)
        return [merge(votes, mean(votes), judge=self.id) for votes in drawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Jury:
    judges: tuple[PairJudge, ...]
    rule: Rule

    @property
    def id(self) -> str:
        return f"jury-{self.rule}({', '.join(judge.id for judge in self.judges)})"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        benches = [ask(judge, questions) for judge in self.judges]
        decide = mean if self.rule == "mean" else majority
        return [merge(votes, decide(votes), judge=self.id) for votes in zip(*benches, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FailureGate(Generic[Q, A]):
    judge: Judge[Q, A]
    limit: FailureLimit

    @property
    def id(self) -> str:
        return self.judge.id

    def __call__(self, questions: Sequence[Q], /) -> list[Judgement[Q, A]]:
        judged = ask(self.judge, questions)
        answers = [judgement.answer for judgement in judged]
        self.limit.note(
            (answer.reason if isinstance(answer, Abstains) else "" for answer in answers),
            of=f"judgements of {self.id}",
        )
        return judged


def ask(judge: Judge[Q, A], questions: Sequence[Q]) -> list[Judgement[Q, A]]:
    """The judge's answers, one for each question."""
    judged = judge(questions)
    one_each(judge.id, questions, judged)
    return judged


def one_each(judge: str, questions: Sequence[object], said: Sequence[object]) -> None:
    """Raises SolonError for a judge that leaves a question out, or says more than was asked."""
    if len(said) != len(questions):
        raise SolonError(
            f"judge {judge}: expected one answer to each of {len(questions)} questions, in their "
            f"order, got {len(said)}"
        )


def mean(votes: Sequence[PairJudgement]) -> Prefers | Abstains:
    """The mean p(first) of those that answered; abstains unless they are more than half."""
    answers = [vote.answer for vote in votes if isinstance(vote.answer, Prefers)]
    if 2 * len(answers) <= len(votes):
        return Abstains(reason="half of the votes or more abstained")
    orders = [answer.orders for answer in answers]
    both = zip(*orders, strict=True) if all(len(pair) == 2 for pair in orders) else ()
    return Prefers(
        p_first=math.fsum(answer.p_first for answer in answers) / len(answers),
        orders=tuple(math.fsum(single) / len(single) for single in both),
    )


def majority(votes: Sequence[PairJudgement]) -> Prefers | Abstains:
    """p(first) = 1 or 0 where more than half of all votes say so."""
    answers = [vote.answer for vote in votes if isinstance(vote.answer, Prefers)]
    first = sum(answer.p_first > 0.5 for answer in answers)
    second = sum(answer.p_first < 0.5 for answer in answers)
    if 2 * max(first, second) > len(votes):
        return Prefers(p_first=float(first > second))
    return Abstains(reason="no majority")


def merge(
    parts: Sequence[PairJudgement], answer: Prefers | Abstains, *, judge: str
) -> PairJudgement:
    """One judgement of the first part's question and seed, with what all the parts said."""
    principles = dict.fromkeys(part.principle for part in parts if part.principle)
    return Judgement(
        question=parts[0].question,
        answer=answer,
        judge=judge,
        principle=", ".join(principles),
        rationale="\n\n".join(part.rationale for part in parts if part.rationale),
        raw="\n\n".join(part.raw for part in parts if part.raw),
        digest=digest(judge, *(part.digest for part in parts)),
        seed=parts[0].seed,
    )


def _middle(one: float, two: float, average: Average) -> float:
    """The mean of p and 1 - p', or the probability at their mean logit; 1/2 where 0 meets 1."""
    if average == "probability":
        return (one + (1 - two)) / 2
    yes, no = math.sqrt(one * (1 - two)), math.sqrt((1 - one) * two)
    return yes / (yes + no) if yes + no else 0.5
