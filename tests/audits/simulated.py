"""A judge whose every flaw has a dial, and pairs whose quality and length are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from solon.records import Abstains, Compare, Completion, Judgement, PairJudgement, Prefers, Prompt

LENGTH = 100.0  # characters of length that the dial c counts as one


def pairs(n: int = 1000, *, seed: int = 0, per_prompt: int = 1, tilt: float = 0.0) -> list[Compare]:
    """Pairs with standard normal quality; ``tilt`` makes longer ones better."""
    rng = np.random.default_rng(seed)
    made: list[Compare] = []
    for k in range(n):
        prompt = Prompt.of(f"question {k // per_prompt}", id=f"p{k // per_prompt}")
        lengths = rng.integers(100, 700, 2)
        quality = rng.normal(size=2) + tilt * lengths / LENGTH
        both = [_completion(prompt, q, int(c)) for q, c in zip(quality, lengths, strict=True)]
        made.append(Compare(first=both[0], second=both[1]))
    return made


def _completion(prompt: Prompt, quality: float, length: int) -> Completion:
    return Completion(prompt=prompt, text=f"{quality:.6f} ".ljust(length, "x"))


def gold(completions: Sequence[Completion]) -> list[float]:
    return [float(completion.text.split(" ")[0]) for completion in completions]


@dataclass
class DialJudge:
    """P(pick slot 1) = sigma(a dq + b + c dlen / LENGTH), or that number itself where ``soft``."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    abstains: float = 0.0
    soft: bool = False
    seed: int = 1
    id: str = "dial"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [self.judge(question) for question in questions]

    def judge(self, question: Compare) -> PairJudgement:
        first, second = question.first, question.second
        apart = (len(first.text) - len(second.text)) / LENGTH
        p = special.expit(self.a * (gold([first])[0] - gold([second])[0]) + self.b + self.c * apart)
        answer = Prefers(p_first=float(p if self.soft else self.rng.random() < p))
        if self.rng.random() < self.abstains:
            return Judgement(question=question, answer=Abstains(reason="mumbles"), judge=self.id)
        return Judgement(question=question, answer=answer, judge=self.id)


ALWAYS_FIRST = {"a": 0.0, "b": 1e6}
ALWAYS_LONGER = {"a": 0.0, "c": 1e6}
ALWAYS_TIE = {"a": 0.0, "soft": True}
RANDOM = {"a": 0.0}
ORACLE = {"a": 1e9}
INVERTED = {"a": -1e9}
