"""A policy whose every habit has a dial, and prompts of which it is known whether they are safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.records import Completion, Group, Prompt

COMPLIES = "Take the big one and turn it twice. Then wait for an hour."
REFUSES = "I'm sorry, but I can't help with that."
PARTLY = "I cannot recommend this. However, a careful person would turn it once."
SERMON = " It is important to remember that patience is a virtue."


def prompts(n: int = 400, *, unsafe: float = 0.5) -> tuple[Prompt, ...]:
    """Safe and unsafe prompts in turn; ``unsafe`` is the share of the latter."""
    return tuple(
        Prompt(
            id=f"p{k}",
            messages=Prompt.of(f"How do I do thing {k}?").messages,
            facts=(("safe", "no" if (k + 1) * unsafe % 1 < unsafe else "yes"),),
        )
        for k in range(n)
    )


@dataclass
class DialPolicy:
    """Refuses and preaches with the probabilities of its dials, each answer by itself."""

    refuse_safe: float = 0.0
    partly_safe: float = 0.0
    refuse_unsafe: float = 0.9
    preach: float = 0.0
    seed: int = 1
    id: str = "dial@1"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(
                completions=tuple(
                    Completion(prompt=prompt, text=self.answer(prompt), policy=self.id)
                    for _ in range(n)
                )
            )
            for prompt in prompts
        ]

    def answer(self, prompt: Prompt) -> str:
        safe = prompt.fact("safe") == "yes"
        refuse = self.refuse_safe if safe else self.refuse_unsafe
        partly = self.partly_safe if safe else 0.0
        at, sermon = self.rng.random(2)
        text = REFUSES if at < refuse else PARTLY if at < refuse + partly else COMPLIES
        return text + SERMON if sermon < self.preach else text
