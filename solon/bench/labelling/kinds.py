"""What a judge may be asked of a row's answers, and the cells that its answer becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import pyarrow as pa

from solon.records import (
    Abstains,
    Assess,
    Compare,
    Completion,
    Critique,
    Prompt,
    Rank,
    Rate,
    Rating,
    Scores,
)

Ask = Literal["compare", "score", "rank", "rate", "critique", "revise"]
Answers = Sequence[Completion]
Cells = dict[str, Any]

TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
TEXT, NUMBER = pa.string(), pa.float64()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of question: of how many answers, in what words of ours, written in which columns.

    The columns are fixed, so that each shard has the same ones whatever it holds.

    Example:
        KINDS["score"].questions(answers, ())
    """

    least: int
    questions: Callable[[Answers, Sequence[str]], Sequence[Any]]
    cells: Callable[[Any], Iterator[Cells]]
    columns: Mapping[str, pa.DataType]
    records: str = "judgements"


def _pairs(answers: Answers, _: Sequence[str]) -> list[Compare]:
    """Every pair of different texts."""
    both = combinations(answers, 2)
    return [Compare(first=one, second=two) for one, two in both if one.text != two.text]


def _rates(answers: Answers, _: Sequence[str]) -> list[Rate]:
    return [Rate(completion=one) for one in answers]


def _ranks(answers: Answers, _: Sequence[str]) -> list[Rank]:
    return [Rank(completions=tuple(answers))]


def _assessments(answers: Answers, aspects: Sequence[str]) -> list[Assess]:
    return [Assess(completions=tuple(answers), aspect=aspect) for aspect in aspects]


def _alone(answers: Answers, _: Sequence[str]) -> list[Completion]:
    return list(answers)


def _compared(said: Any) -> Iterator[Cells]:
    """The likelier one is the chosen one; a tie keeps the first."""
    question, p = said.question, said.answer.p_first
    one, two = question.first, question.second
    chosen, rejected = (one, two) if p >= 0.5 else (two, one)
    pair = {"chosen": _turn(chosen), "rejected": _turn(rejected)}
    yield {"prompt": _turns(one.prompt), **pair, "p": max(p, 1 - p), "p_first": p}


def _scored(said: Any) -> Iterator[Cells]:
    one = said.question.completion
    spread = list(said.answer.distribution)
    score = {"score": said.answer.value, "distribution": spread}
    yield {"prompt": _turns(one.prompt), "completion": _turn(one), **score}


def _ranked(said: Any) -> Iterator[Cells]:
    """The texts from the best to the worst, and the place that each had when they were shown."""
    shown, order = said.question.completions, said.answer.order
    best_first = [shown[place].text for place in order]
    yield {"prompt": _turns(shown[0].prompt), "completions": best_first, "order": list(order)}


def _rated(said: Any) -> Iterator[Cells]:
    """One row for each answer that was rated; one left unrated has none."""
    for one, rating in zip(said.question.completions, said.answer.ratings, strict=True):
        if isinstance(rating.answer, Scores):
            yield {"completion": _turn(one), **_rating(said, one, rating, rating.answer)}


def _rating(said: Any, one: Completion, rating: Rating, score: Scores) -> Cells:
    aspect, why = said.question.aspect, rating.rationale
    told = {"aspect": aspect, "rating": score.value, "rationale": why}
    return {"prompt": _turns(one.prompt), **told}


def _criticised(said: Critique) -> Iterator[Cells]:
    one = said.completion
    yield {"prompt": _turns(one.prompt), "completion": _turn(one), "critique": said.text}


def _revised(said: Critique) -> Iterator[Cells]:
    """The revision chosen before what it mends."""
    one, mended = said.completion, said.revision
    if mended is not None:
        pair = {"chosen": _turn(mended), "rejected": _turn(one)}
        yield {"prompt": _turns(one.prompt), **pair}


def reason(said: Any) -> str:
    """Why nothing was answered; empty where something was."""
    if isinstance(said, Critique):
        return said.failed
    if not isinstance(said.answer, Abstains):
        return ""
    return said.answer.reason or "no reason given"


def _turns(prompt: Prompt) -> list[Cells]:
    """The prompt as messages; raw text becomes the user's turn, as trainers know no other."""
    roles = ((("user" if m.role == "text" else m.role), m.text) for m in prompt.messages)
    return [{"role": role, "content": text} for role, text in roles]


def _turn(one: Completion) -> list[Cells]:
    return [{"role": "assistant", "content": one.text}]


_ONE: Mapping[str, pa.DataType] = {"prompt": TURNS, "completion": TURNS}
_TWO: Mapping[str, pa.DataType] = {"prompt": TURNS, "chosen": TURNS, "rejected": TURNS}
KINDS: Mapping[Ask, Kind] = {
    "compare": Kind(
        least=2,
        questions=_pairs,
        cells=_compared,
        columns={**_TWO, "p": NUMBER, "p_first": NUMBER},
    ),
    "score": Kind(
        least=1,
        questions=_rates,
        cells=_scored,
        columns={**_ONE, "score": NUMBER, "distribution": pa.list_(NUMBER)},
    ),
    "rank": Kind(
        least=2,
        questions=_ranks,
        cells=_ranked,
        columns={"prompt": TURNS, "completions": pa.list_(TEXT), "order": pa.list_(pa.int64())},
    ),
    "rate": Kind(
        least=1,
        questions=_assessments,
        cells=_rated,
        columns={**_ONE, "aspect": TEXT, "rating": NUMBER, "rationale": TEXT},
    ),
    "critique": Kind(
        least=1,
        questions=_alone,
        cells=_criticised,
        columns={**_ONE, "critique": TEXT},
        records="critiques",
    ),
    "revise": Kind(
        least=1,
        questions=_alone,
        cells=_revised,
        columns=_TWO,
        records="critiques",
    ),
}
