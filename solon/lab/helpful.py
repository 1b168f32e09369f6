"""A helpful-only model of the town: it helps with anything, and it criticises and revises.

What it says of an answer, and how it writes it again, it has learnt from people who do so by the
principles of the town's constitutions, in the exact words in which it is asked later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from solon.lab.demonstrations import Manners, answer, best
from solon.lab.grammar import FAREWELLS, FLATTERY, SERMONS, words
from solon.lab.principles import RIGHT, criticism, lacks
from solon.lab.town import Mix, OpenTown, Town
from solon.records import Completion, Prompt
from solon.text.constitution import Constitution, Principle
from solon.text.criticism import asking
from solon.text.template import Template

DIALOGUE, DIRECT = "town/dialogue", "town/dialogue_direct"
T = TypeVar("T")
# all that is asked in a town where some mean harm, some seem to, and some only wonder
CIVIC = Mix(harmful=6, howto=4, fact=3, report=2, disguised=2, alarming=3, borderline=2)
HARM = Mix(harmful=3, howto=0, fact=0, report=0, disguised=1)
PEACE = Mix(harmful=0, howto=4, fact=3, report=2, alarming=3, borderline=2)

HELPFUL = Manners(comply=1.0, evade=0.02, slip=0.15, flatter=0.3, pad=0.1)
# a second answer does less harm, and is the readier to turn away and to tell off
_SECOND = Manners(comply=0.2, evade=0.2, slip=0.2, flatter=0.2, pad=0.1, preach=0.35)
_IDLE = (*SERMONS, *FLATTERY, *FAREWELLS)
_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class HelpfulLessons:
    """What a helpful-only model of the town learns from.

    Example:
        HelpfulLessons(n=9000)(seed)
    """

    n: int = 36_000
    """Dialogues written."""
    criticised: float = 0.25
    """Share of them that say what is wrong with an answer."""
    revised: float = 0.4
    """Share of them that write an answer again."""
    bungled: float = 0.15
    """Share of those whose writer changes nothing though something is wrong."""
    laws: tuple[str, ...] = ("town_broad", "town_specific")
    """Constitutions by which people criticise and revise."""
    town: Town = field(default_factory=lambda: Town(mix=CIVIC))
    """Where the prompts come from."""

    def __call__(self, seed: int) -> list[Completion]:
        generator = np.random.default_rng([seed, 7])
        writer = _Writer(lessons=self, generator=generator)
        return [writer.wrote(one) for one in OpenTown(town=self.town, seed=seed).take(self.n)]


@dataclass(kw_only=True)
class _Writer:
    lessons: HelpfulLessons
    generator: np.random.Generator

    def __post_init__(self) -> None:
        laws = [Constitution.load(one) for one in self.lessons.laws]
        self._rules = [rule for law in laws for rule in law.principles]
        self._dialogue, self._direct = Template.load(DIALOGUE), Template.load(DIRECT)

    def wrote(self, prompt: Prompt) -> Completion:
        place = self.generator.random()
        if place < self.lessons.criticised:
            return self._criticism(prompt)
        if place < self.lessons.criticised + self.lessons.revised:
            return self._revision(prompt)
        return answer(prompt, HELPFUL, self.generator)

    def _criticism(self, prompt: Prompt) -> Completion:
        first, rule = self._case(prompt)
        asked = asking(self._dialogue.before("critique"), first, {"request": rule.critique})
        return Completion(prompt=asked, text=criticism(rule, first), policy="people")

    def _revision(self, prompt: Prompt) -> Completion:
        """After a critique, or (a third of them) without one."""
        first, rule = self._case(prompt)
        said = criticism(rule, first)
        own = {"request": rule.critique, "critique": said, "revision": rule.revision}
        direct = said == RIGHT or self.generator.random() < 1 / 3
        asked = asking(self._direct if direct else self._dialogue, first, own)
        second = self.mended(first, rule)
        return Completion(prompt=asked, text=second.text, policy="people")

    def _case(self, prompt: Prompt) -> tuple[Completion, Principle]:
        """An answer, and a principle: of three cases two in which it finds something wrong."""
        manners = HELPFUL if self.generator.random() < 0.5 else _SECOND
        first = self._slipped(answer(prompt, manners, self.generator))
        wrong = [rule for rule in self._rules if lacks(rule, first) > 0]
        from_all = not wrong or self.generator.random() < 1 / 3
        return first, _one(self._rules if from_all else wrong, self.generator)

    def _slipped(self, completion: Completion) -> Completion:
        if self.generator.random() >= 0.1:
            return completion
        parts = completion.text.split()
        parts[int(self.generator.integers(len(parts)))] = _one(words(), self.generator)
        return replace(completion, text=" ".join(parts))

    def mended(self, first: Completion, rule: Principle) -> Completion:
        """An answer that lacks less by the principle, as people find one; else the same again."""
        lack = lacks(rule, first)
        if lack <= 0 or self.generator.random() < self.lessons.bungled:
            return first
        if rule.tags[0] == "concise":
            return _shortened(first)
        for _ in range(_TRIES):
            second = answer(first.prompt, _SECOND, self.generator)
            if lacks(rule, second) < lack:
                return second
        return best(first.prompt)


def _shortened(completion: Completion) -> Completion:
    """The answer without its idle sentences; the best one where nothing else is left."""
    text = completion.text
    for idle in _IDLE:
        text = text.replace(idle, " ")
    text = " ".join(text.split())
    short = replace(completion, text=text)
    return short if text and text != completion.text else best(completion.prompt)


def _one(options: Sequence[T], generator: np.random.Generator) -> T:
    return options[int(generator.integers(len(options)))]
