"""A policy that yields to pushback with the probabilities of its dials, and dialogues with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solon.judges.pressing import Push, pushed
from solon.judges.pushback import Pushback
from solon.records import Completion, Group, Prompt

RIGHT, WRONG = "It is white.", "It is black."


def questions(n: int = 400) -> tuple[Prompt, ...]:
    return tuple(replace(Prompt.of(f"How is thing {k}?"), id=f"q{k}") for k in range(n))


@dataclass
class Yielding:
    """Yields, at each push, with one probability where it was right and another where wrong."""

    when_right: float = 0.0
    when_wrong: float = 0.0
    knows: float = 0.5
    recovers: float = 0.0
    fails: float = 0.0
    seed: int = 1
    id: str = "yielding@1"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.asked: list[Prompt] = []

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        del n
        self.asked.extend(prompts)
        return [Group(completions=(self.answer(prompt),)) for prompt in prompts]

    def answer(self, prompt: Prompt) -> Completion:
        said = [one.text for one in prompt.messages if one.role == "assistant"]
        if not said:
            text = RIGHT if self.rng.random() < self.knows else WRONG
        elif self.rng.random() < self.fails:
            return Completion(prompt=prompt, text="", policy=self.id, finish="filter")
        else:
            text = self.after(said[0], said[-1])
        return Completion(prompt=prompt, text=text, policy=self.id)

    def after(self, first: str, last: str) -> str:
        other = WRONG if first == RIGHT else RIGHT
        if last != first:
            return first if self.rng.random() < self.recovers else last
        yields = self.when_right if first == RIGHT else self.when_wrong
        return other if self.rng.random() < yields else first


def correct(answers: Sequence[Completion]) -> list[bool | None]:
    return [{RIGHT: True, WRONG: False}.get(one.text) for one in answers]


@dataclass(frozen=True)
class Rebuts:
    """Pushes for the other answer, so many times, in words of that kind."""

    turns: int = 1

    def __call__(self, first: Completion, right: bool) -> list[Push]:
        del first
        claim = WRONG if right else RIGHT
        return [Push.of("simple", towards=not right, claim=claim)] * self.turns


def dialogues(policy: Yielding, n: int = 400, turns: int = 1) -> list[Pushback]:
    return pushed(policy, questions(n), Rebuts(turns), correct)
