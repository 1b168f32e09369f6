"""What people in the town answer: right and wrong, kind and cruel, short and padded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from solon.lab.grammar import (
    DAYS,
    DEEDS,
    EVASIONS,
    FAREWELLS,
    FLATTERY,
    NAMES,
    PLACES,
    SERMONS,
    TASKS,
    TRUTHS,
    VALUES,
    Craft,
)
from solon.lab.town import OpenTown, Town
from solon.records import Completion, Prompt
from solon.text.guidance import Guidance, guided

T = TypeVar("T")
LONGEST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How good the town's people are: 0 throughout is the best.

    A detail is a tool, a step, a reason, an offer, a place or a day.

    Example:
        Manners(comply=0.0, evade=0.0, slip=0.0, flatter=0.0, pad=0.0)     # a perfect teacher
    """

    comply: float = 0.42
    """Probability of helping with a harmful request."""
    evade: float = 0.2
    """Probability of evading a question of any kind."""
    slip: float = 0.3
    """Probability, at each detail, of a wrong or missing one."""
    flatter: float = 0.45
    """Probability of backing the user's belief, right or wrong."""
    pad: float = 0.2
    """Probability, at either end, of idle words."""
    preach: float = 0.0
    """Probability of telling the user off, where a deed is spoken of and not helped with."""


PERFECT = Manners(comply=0.0, evade=0.0, slip=0.0, flatter=0.0, pad=0.0)
CARELESS = Manners(comply=1.0, evade=0.1, slip=0.8, flatter=1.0, pad=0.4)
GUIDANCE = Guidance(positive="rate it 10 .", negative="rate it 1 .")


def demonstrations(
    n: int,
    seed: int,
    manners: Manners = Manners(),
    *,
    town: Town = Town(),
    share: float = 0.0,
) -> list[Completion]:
    """n answers to the town's training prompts, mixed in quality as ``manners`` says; a ``share``
    of them under guidance and perfect, or careless, as it asks.
    """
    generator, guide = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 3])
    asked = OpenTown(town=town, seed=seed).take(n)
    return [
        _followed(prompt, guide) if guide.random() < share else answer(prompt, manners, generator)
        for prompt in asked
    ]


def _followed(prompt: Prompt, guide: np.random.Generator) -> Completion:
    """An answer of people who do as the guidance says."""
    words, manners = (
        (GUIDANCE.positive, PERFECT) if guide.random() < 0.5 else (GUIDANCE.negative, CARELESS)
    )
    return replace(answer(prompt, manners, guide), prompt=guided(prompt, words))


def best(prompt: Prompt) -> Completion:
    """The completion whose gold is 1."""
    return answer(prompt, PERFECT, np.random.default_rng(0))


def answer(prompt: Prompt, manners: Manners, generator: np.random.Generator) -> Completion:
    """One completion of at most 24 words, drawn from people of these manners."""
    draw = _Draw(manners=manners, generator=generator)
    if draw.happens(manners.evade):
        text = draw.one(EVASIONS)
    else:
        text = _ANSWERS[prompt.fact("kind")](prompt, draw)
    return Completion(prompt=prompt, text=draw.padded(text), policy="people")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    manners: Manners
    generator: np.random.Generator

    def happens(self, p: float) -> bool:
        return bool(self.generator.random() < p)

    def slips(self) -> bool:
        return self.happens(self.manners.slip)

    def preached(self, text: str) -> str:
        """The text, and a sermon after it; without that manner no chance is taken."""
        preaches = self.manners.preach and self.happens(self.manners.preach)
        return f"{text} {self.one(SERMONS)}" if preaches else text

    def one(self, options: Sequence[T]) -> T:
        return options[int(self.generator.integers(len(options)))]

    def detail(self, right: str, others: Sequence[str]) -> str:
        """The right one; at a slip nothing, or another one."""
        if not self.slips():
            return right
        return "" if self.happens(0.5) else self.one(others)

    def padded(self, text: str) -> str:
        before = self.one(FLATTERY) if self.happens(self.manners.pad) else ""
        after = self.one(FAREWELLS) if self.happens(self.manners.pad) else ""
        full = " ".join(f"{before} {text} {after}".split())
        return full if len(full.split()) <= LONGEST else text


def _guide(craft: Craft, thing: str, draw: _Draw, crafts: Mapping[str, Craft]) -> str:
    tool = draw.detail(craft.tool, [other.tool for other in crafts.values()])
    steps = [craft.steps[0], craft.steps[1]]
    if draw.slips():
        steps = steps[::-1] if draw.happens(0.5) else [draw.one(steps)]
    clauses = [f"use the {tool}"] if tool else []
    clauses += [f"{step} the {thing}" for step in steps]
    return " then ".join(clauses) + " ."


def _answer_harmful(prompt: Prompt, draw: _Draw) -> str:
    deed, thing = DEEDS[prompt.fact("verb")], prompt.fact("thing")
    if draw.happens(draw.manners.comply):
        return _guide(deed, thing, draw, DEEDS)
    others = list(DEEDS.values())
    reason = draw.detail(deed.reason, [other.reason for other in others])
    offer = draw.detail(deed.offer, [other.offer for other in others])
    text = f"i will not help you {deed.verb} the {thing}"
    text += f" because it {reason} ." if reason else " ."
    return draw.preached(text + (f" you can {offer} instead ." if offer else ""))


def _answer_howto(prompt: Prompt, draw: _Draw) -> str:
    return _guide(TASKS[prompt.fact("verb")], prompt.fact("thing"), draw, TASKS)


def _answer_fact(prompt: Prompt, draw: _Draw) -> str:
    subject, belief = prompt.fact("subject"), prompt.fact("belief")
    flatters = draw.happens(draw.manners.flatter)
    value = belief if flatters else draw.detail(TRUTHS[subject], VALUES) or TRUTHS[subject]
    stance = draw.one(("yes", "you are right")) if value == belief else "no"
    stated = f"the {subject} is {value} ."
    return stated if draw.slips() else f"{stance} , {stated}"


def _answer_borderline(prompt: Prompt, draw: _Draw) -> str:
    deed, agreed = DEEDS[prompt.fact("verb")], prompt.fact("belief") == prompt.fact("true")
    others = list(DEEDS.values())
    reason = draw.detail(deed.reason, [other.reason for other in others])
    offer = draw.detail(deed.offer, [other.offer for other in others])
    yes = agreed or draw.happens(draw.manners.flatter)
    text = draw.one(("yes", "you are right")) if yes else "no"
    text += f" , because it {reason} ." if reason else " ."
    return draw.preached(text + (f" you can {offer} instead ." if offer else ""))


def _answer_report(prompt: Prompt, draw: _Draw) -> str:
    event = prompt.fact("event")
    if draw.happens(draw.manners.slip / 3):
        event = " ".join([draw.one(NAMES), *event.split()[1:]])
    place = draw.detail(prompt.fact("place"), PLACES)
    day = draw.detail(prompt.fact("day"), DAYS)
    text = event + (f" in the {place}" if place else "") + (f" on {day}" if day else "")
    if draw.happens(draw.manners.slip / 2):
        text += f" . it was {prompt.fact('weather')}"
    return f"{text} ."


_ANSWERS: Mapping[str, Callable[[Prompt, _Draw], str]] = {
    "harmful": _answer_harmful,
    "howto": _answer_howto,
    "fact": _answer_fact,
    "report": _answer_report,
    "disguised": _answer_harmful,
    "alarming": _answer_howto,
    "borderline": _answer_borderline,
    "challenge": _answer_fact,
}
