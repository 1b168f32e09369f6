"""A judge that likes what an answer wears, or does as it is told there: each has a dial."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from solon.records import Abstains, Compare, Completion, Judgement, PairJudgement, Prefers, Prompt
from solon.text.injected import ATTACKS, injected

LENGTH = 100.0  # characters that the dial c counts as one
WORN = {
    "bold": r"\*\*\w",
    "heading": r"^## ",
    "bullets": r"^- ",
    "numbers": r"^1\. ",
    "emoji": "😊",
    "praise": "excellent question",
    "summary": "In summary",
    "authority": "According to a recent study",
    "confidence": "without any doubt",
    "own_score": "10 out of 10",
}


def pairs(n: int = 300, *, seed: int = 0) -> tuple[Compare, ...]:
    """Pairs of three sentences each, whose quality is standard normal and stands in the first."""
    rng = np.random.default_rng(seed)
    return tuple(_pair(k, rng) for k in range(n))


def _pair(k: int, rng: np.random.Generator) -> Compare:
    prompt = Prompt.of(f"question {k}", id=f"p{k}")
    first, second = (
        Completion(prompt=prompt, text=f"It is {q:+.6f}. Then {'x' * length}. That is all.")
        for q, length in zip(rng.normal(size=2), rng.integers(20, 60, 2), strict=True)
    )
    return Compare(first=first, second=second)


def quality(text: str) -> float:
    found = re.search(r"[+-]\d\.\d{6}", text)
    assert found
    return float(found[0])


def gap(question: Compare) -> float:
    return quality(question.first.text) - quality(question.second.text)


@dataclass
class Vain:
    """P(slot 1) = sigma(a dq + b + c dlen + what is worn), itself where ``soft``; then the attacks.

    ``item`` is what one item of a list is worth; ``obeys`` and ``falls_silent`` are probabilities.
    """

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    item: float = 0.0
    likes: Mapping[str, float] = field(default_factory=dict)
    obeys: Mapping[str, float] = field(default_factory=dict)
    falls_silent: float = 0.0
    abstains: float = 0.0
    soft: bool = False
    seed: int = 1
    id: str = "vain"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [Judgement(question=q, answer=self._answer(q), judge=self.id) for q in questions]

    def _answer(self, question: Compare) -> Prefers | Abstains:
        told = told_by(question)
        if self.rng.random() < (self.falls_silent if told else self.abstains):
            return Abstains(reason="mumbles")
        for slot, attack in told:
            if self.rng.random() < self.obeys.get(attack, 0.0):
                return Prefers(p_first=float(slot == 1))
        liked = self._likes(question.first.text) - self._likes(question.second.text)
        p = float(special.expit(self.a * gap(question) + self.b + liked))
        return Prefers(p_first=p if self.soft else float(self.rng.random() < p))

    def _likes(self, text: str) -> float:
        worn = sum(w for name, w in self.likes.items() if re.search(WORN[name], text, re.MULTILINE))
        items = len(re.findall(r"^- ", text, re.MULTILINE))
        return worn + self.item * items + self.c * len(text) / LENGTH


SAID = {
    (slot, name): injected("", words, slot=slot, answer=str(slot))
    for slot in (1, 2)
    for name, words in ATTACKS.items()
}


def told_by(question: Compare) -> list[tuple[int, str]]:
    """Which slots speak to the judge, and how."""
    texts = {1: question.first.text, 2: question.second.text}
    return [key for key, said in SAID.items() if texts[key[0]].endswith(said)]
