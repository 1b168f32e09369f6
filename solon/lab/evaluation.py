"""Evaluation dialogues, from which a small language model learns to judge in the town's words.

A judge that learnt from these is read out like any large one, by the probabilities of its answer:

    LogitJudge(policy=judge, template=PAIRWISE, ask=ASK)
    LogitJudge(policy=judge, template=PAIRWISE, constitution="town_broad")
    LogitJudge(policy=judge, reason=True, reason_template=REASON, constitution="town_broad")
    LogitScore(policy=judge, template=SCORE)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from solon.errors import SettingError
from solon.lab.demonstrations import PERFECT, Manners, answer
from solon.lab.grammar import words
from solon.lab.judges import Dials, PlantedPair, PlantedScore
from solon.lab.principles import criticism, lacks, mind
from solon.lab.town import OpenTown, Town
from solon.records import Abstains, Compare, Completion, Prompt, Rate, digest
from solon.text.constitution import Constitution, Principle
from solon.text.template import Template

PAIRWISE = "town/pairwise"
SCORE = "town/score"
REASON = "town/reason"
ASK = "which is better ?"

LADDER = (Manners(), Manners(comply=0.2, evade=0.1, slip=0.15, flatter=0.2, pad=0.1), PERFECT)


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
    laws: tuple[str, ...] = ("town",)
    """Constitutions that these principles are of."""
    reasoned: float = 0.0
    """Share of principled pairs that say why first: one dialogue for the reason, one for the answer
    after it."""
    ladder: tuple[Manners, ...] = LADDER
    """People whose answers are judged, one drawn for each answer."""
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
    laws = principles(lessons.laws)
    return [_transcript(prompt, seed, lessons, laws, generator) for prompt in asked]


def principles(laws: Sequence[str]) -> list[Principle]:
    """All principles of these constitutions that compare."""
    return [one for law in laws for one in Constitution.load(law).asking("compare").principles]


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


def reasoned(question: Compare, ask: str, rationale: str | None = None) -> Prompt:
    """The exact prompt in which a judge is asked why, or for its answer after that."""
    layout = _LAYOUTS["reason"]
    values = {"conversation": question.first.prompt.text, "principle": ask}
    values |= {"first": question.first.text, "second": question.second.text}
    if rationale is None:
        messages = layout.before("rationale").render(values)
    else:
        messages = layout.render(values | {"rationale": rationale})
    return Prompt(id=digest(messages), messages=messages)


_LAYOUTS: Mapping[str, Template] = {
    "pairwise": Template.load(PAIRWISE),
    "score": Template.load(SCORE),
    "reason": Template.load(REASON),
}


def _transcript(
    prompt: Prompt,
    seed: int,
    lessons: Lessons,
    laws: Sequence[Principle],
    generator: np.random.Generator,
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
    # asked by a principle that sees no difference, people would toss a coin: nothing to learn
    sees = [rule for rule in laws if lacks(rule, one) != lacks(rule, two)]
    if sees and generator.random() < lessons.principled:
        rule = sees[int(generator.integers(len(sees)))]
        return _by_principle(compare, rule, seed, lessons, generator)
    first = _first_wins(compare, lessons.dials, seed)
    return _said(shown(compare), "1" if first else "2")


def _by_principle(
    question: Compare, rule: Principle, seed: int, lessons: Lessons, generator: np.random.Generator
) -> Completion:
    """The answer to what the principle asks, which may be for the worse one; or why."""
    dials = minding(lessons.dials, rule, question.first.prompt)
    first = _first_wins(question, dials, seed)
    named = first != (rule.polarity == "avoid")
    if not lessons.reasoned or generator.random() >= lessons.reasoned:
        return _said(shown(question, rule.compare), "1" if named else "2")
    worse = question.second if first else question.first
    said = criticism(rule, worse).removeprefix("it ")
    why = f"answer {'two' if first else 'one'} {said}"
    if generator.random() < 0.5:
        return _said(reasoned(question, rule.compare), why)
    return _said(reasoned(question, rule.compare, why), "1" if named else "2")


def minding(dials: Dials, rule: Principle, prompt: Prompt) -> Dials:
    """The dials of one who minds what the principle does: who minds long answers minds sermons."""
    weights = mind(rule, prompt)
    return replace(dials, weights=weights, sermon=0.0 if weights.concise else dials.sermon)


def _first_wins(question: Compare, dials: Dials, seed: int) -> bool:
    [judgement] = PlantedPair(dials=dials, hard=True, seed=seed)([question])
    assert not isinstance(judgement.answer, Abstains), "lessons never abstain"
    return judgement.answer.p_first > 0.5


def step(rate: Rate, seed: int, lessons: Lessons, generator: np.random.Generator) -> int:
    """What an imperfect rater says, drawn from how it is spread over the scale."""
    dials = replace(lessons.dials, discernment=lessons.sharpness)
    [judgement] = PlantedScore(dials=dials, seed=seed)([rate])
    assert not isinstance(judgement.answer, Abstains), "lessons never abstain"
    distribution = np.array(judgement.answer.distribution)
    return 1 + int(generator.choice(len(distribution), p=distribution / distribution.sum()))


def candidate(prompt: Prompt, lessons: Lessons, generator: np.random.Generator) -> Completion:
    """An answer from people of some manners, now and then with a slip of the tongue."""
    manners = lessons.ladder[int(generator.integers(len(lessons.ladder)))]
    completion = answer(prompt, manners, generator)
    if generator.random() >= lessons.smudge:
        return completion
    parts = completion.text.split()
    parts[int(generator.integers(len(parts)))] = words()[int(generator.integers(len(words())))]
    return replace(completion, text=" ".join(parts))


def _said(prompt: Prompt, verdict: str) -> Completion:
    assert all(message.role == "text" for message in prompt.messages)
    return Completion(prompt=prompt, text=verdict, policy="people")
