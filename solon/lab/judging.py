"""Lessons for a policy that judges its own answers in words: ratings, and which rating is better.

    LlmScore(policy=policy, template=SCORE, form="line", scale=(1, 10))
    LlmJudge(policy=policy, template=META, form="line", choices=CHOICES)

A rating is kept only where the ranks that the raters' scores give two answers are the ranks that
people gave them: imperfect raters, filtered by imperfect people, and no gold for whoever learns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from solon.lab.evaluation import Lessons, candidate, shown, step
from solon.lab.judges import STEPS, PlantedPair, PlantedScore
from solon.lab.town import OpenTown
from solon.records import Compare, Completion, Prefers, Prompt, Rate, Scores, digest
from solon.text.template import Template

META = "town/meta"
CHOICES = ("one", "two")
_LAYOUT = Template.load(META)


def evaluations(
    n: int, seed: int, lessons: Lessons = Lessons(), *, meta: float = 0.4
) -> list[Completion]:
    """n dialogues, each a raw prompt that ends where the verdict stands, and the verdict.

    The share ``meta`` of them asks which of two ratings is nearer the truth.
    """
    generator = np.random.default_rng([seed, 5])
    return list(islice(_dialogues(seed, lessons, meta, generator), n))


def disputed(rating: Prompt, first: int, second: int) -> Prompt:
    """The exact prompt in which a judge of judgements is asked about two ratings."""
    values = {"conversation": rating.text, "first": str(first), "second": str(second)}
    messages = _LAYOUT.render(values)
    return Prompt(id=digest(messages), messages=messages)


def _dialogues(
    seed: int, lessons: Lessons, meta: float, generator: np.random.Generator
) -> Iterator[Completion]:
    town = OpenTown(town=lessons.town, seed=seed)
    while True:
        for prompt in town.take(64):
            if generator.random() < meta:
                yield _meta(prompt, seed, lessons, generator)
            else:
                yield from _rated(prompt, seed, lessons, generator)


def _rated(
    prompt: Prompt, seed: int, lessons: Lessons, generator: np.random.Generator
) -> list[Completion]:
    """Ratings of two answers; none where they do not stand as people rank them."""
    one, two = (candidate(prompt, lessons, generator) for _ in range(2))
    steps = [step(Rate(completion=c), seed, lessons, generator) for c in (one, two)]
    if one.text == two.text or steps[0] == steps[1]:
        return []
    people = PlantedPair(dials=lessons.dials, hard=True, seed=seed)
    [judgement] = people([Compare(first=one, second=two)])
    assert isinstance(judgement.answer, Prefers), "lessons never abstain"
    if (steps[0] > steps[1]) != (judgement.answer.p_first > 0.5):
        return []
    rows = zip((one, two), steps, strict=True)
    return [_said(shown(Rate(completion=c)), str(said)) for c, said in rows]


def _meta(
    prompt: Prompt, seed: int, lessons: Lessons, generator: np.random.Generator
) -> Completion:
    """A rater's word and any other, in either order: which is nearer to what raters mean?"""
    rate = Rate(completion=candidate(prompt, lessons, generator))
    said = step(rate, seed, lessons, generator)
    others = [other for other in range(1, STEPS + 1) if other != said]
    pair = [said, others[int(generator.integers(len(others)))]]
    first, second = pair if generator.random() < 0.5 else pair[::-1]
    mean = _mean(rate, seed, lessons)
    nearer = CHOICES[0] if abs(first - mean) <= abs(second - mean) else CHOICES[1]
    return _said(disputed(shown(rate), first, second), nearer)


def _mean(rate: Rate, seed: int, lessons: Lessons) -> float:
    dials = replace(lessons.dials, discernment=lessons.sharpness)
    [judgement] = PlantedScore(dials=dials, seed=seed)([rate])
    assert isinstance(judgement.answer, Scores), "lessons never abstain"
    return judgement.answer.value


def _said(prompt: Prompt, verdict: str) -> Completion:
    return Completion(prompt=prompt, text=verdict, policy="people")
