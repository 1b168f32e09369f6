"""Evaluation dialogues, from which a small language model learns to judge in the town's words.

A judge that learnt from these is read out like any large one, by the probabilities of its answer:

    LogitJudge(policy=judge, template=PAIRWISE, ask=ASK)
    LogitJudge(policy=judge, template=PAIRWISE, constitution=CONSTITUTION)
    LogitScore(policy=judge, template=SCORE)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from solon.errors import SettingError
from solon.lab.demonstrations import PERFECT, Manners, answer
from solon.lab.gold import Weights, gold
from solon.lab.grammar import words
from solon.lab.judges import Dials, PlantedPair, PlantedScore
from solon.lab.town import OpenTown, Town
from solon.records import Abstains, Compare, Completion, Prompt, Rate, digest
from solon.text.template import Template

PAIRWISE = "town/pairwise"
SCORE = "town/score"
CONSTITUTION = "town"
ASK = "which is better ?"

_NOTHING = Weights(harmless=0.0, helpful=0.0, honest=0.0, concise=0.0)
# what each principle of the constitution minds
PRINCIPLES: Mapping[str, Weights] = {
    "which is more harmless ?": replace(_NOTHING, harmless=2.0),
    "which is more helpful ?": replace(_NOTHING, helpful=1.0),
    "which is more honest ?": replace(_NOTHING, honest=1.5),
}
_LADDER = (Manners(), Manners(comply=0.2, evade=0.1, slip=0.15, flatter=0.2, pad=0.1), PERFECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What the dialogues show, and how well they are labelled.

    Example:
        Lessons(dials=Dials(discernment=2.0, position=0.5), rated=0.0)
    """

    dials: Dials = field(default_factory=lambda: Dials(discernment=8.0, position=0.3, length=0.03))
    """Who labels the pairs: position and length bias are learnt with them."""
    sharpness: float = 2.0
    """Logits per unit of gold of the scores."""
    rated: float = 0.5
    """Share of dialogues that rate one answer; the others compare two."""
    principled: float = 0.0
    """Share of pairs that ask by one principle, of those that see a difference."""
    smudge: float = 0.15
    """Share of answers in which one word is replaced by any other, as a young policy slips."""
    town: Town = field(default_factory=Town)
    """Where the prompts come from."""

    def __post_init__(self) -> None:
        if self.dials.abstain:
            raise SettingError(
                f"lessons: expected dials that never abstain, got abstain={self.dials.abstain}"
            )


def transcripts(n: int, seed: int, lessons: Lessons = Lessons()) -> list[Completion]:
    """n dialogues, each a raw prompt that ends where the verdict stands, and the verdict."""
    generator = np.random.default_rng([seed, 2])
    asked = OpenTown(town=lessons.town, seed=seed).take(n)
    return [_transcript(prompt, seed, lessons, generator) for prompt in asked]


def shown(question: Compare | Rate, ask: str = ASK) -> Prompt:
    """The exact prompt that a judge is asked in."""
    match question:
        case Compare(first=first, second=second):
            values = {"conversation": first.prompt.text, "principle": ask}
            values |= {"first": first.text, "second": second.text}
            messages = _LAYOUTS["pairwise"].render(values)
        case Rate(completion=one):
            values = {"conversation": one.prompt.text, "completion": one.text}
            messages = _LAYOUTS["score"].render(values)
    return Prompt(id=digest(messages), messages=messages)


_LAYOUTS: Mapping[str, Template] = {
    "pairwise": Template.load(PAIRWISE),
    "score": Template.load(SCORE),
}


def _transcript(
    prompt: Prompt, seed: int, lessons: Lessons, generator: np.random.Generator
) -> Completion:
    one = candidate(prompt, lessons, generator)
    if generator.random() < lessons.rated:
        rate = Rate(completion=one)
        return _said(shown(rate), str(step(rate, seed, lessons, generator)))
    two = one
    while two.text == one.text:
        two = candidate(prompt, lessons, generator)
    # the one that was drawn again until it differed must not always stand second
    compare = Compare(first=one, second=two)
    compare = compare.swapped() if generator.random() < 0.5 else compare
    ask, dials = ASK, lessons.dials
    # asked by a principle that sees no difference, people would toss a coin: nothing to learn
    sees = [name for name, mind in PRINCIPLES.items() if gold(one, mind) != gold(two, mind)]
    if sees and generator.random() < lessons.principled:
        ask = sees[int(generator.integers(len(sees)))]
        dials = replace(dials, weights=PRINCIPLES[ask])
    [judgement] = PlantedPair(dials=dials, hard=True, seed=seed)([compare])
    assert not isinstance(judgement.answer, Abstains), "lessons never abstain"
    return _said(shown(compare, ask), "1" if judgement.answer.p_first > 0.5 else "2")


def step(rate: Rate, seed: int, lessons: Lessons, generator: np.random.Generator) -> int:
    """What an imperfect rater says, drawn from how it is spread over the scale."""
    dials = replace(lessons.dials, discernment=lessons.sharpness)
    [judgement] = PlantedScore(dials=dials, seed=seed)([rate])
    assert not isinstance(judgement.answer, Abstains), "lessons never abstain"
    distribution = np.array(judgement.answer.distribution)
    return 1 + int(generator.choice(len(distribution), p=distribution / distribution.sum()))


def candidate(prompt: Prompt, lessons: Lessons, generator: np.random.Generator) -> Completion:
    """An answer from people of some manners, now and then with a slip of the tongue."""
    completion = answer(prompt, _LADDER[int(generator.integers(len(_LADDER)))], generator)
    if generator.random() >= lessons.smudge:
        return completion
    parts = completion.text.split()
    parts[int(generator.integers(len(parts)))] = words()[int(generator.integers(len(words())))]
    return replace(completion, text=" ".join(parts))


def _said(prompt: Prompt, verdict: str) -> Completion:
    assert all(message.role == "text" for message in prompt.messages)
    return Completion(prompt=prompt, text=verdict, policy="people")
