"""How people in the town revise: an answer, what is wrong with it, and a better one."""

from __future__ import annotations

import numpy as np

from solon.lab.critic import SAYS, worst
from solon.lab.demonstrations import Manners, answer, best
from solon.lab.gold import facets
from solon.lab.town import OpenTown, Town
from solon.records import Completion, Prompt
from solon.text.criticism import asking
from solon.text.template import Template

REVISE = "town/revise"
_LAYOUT = Template.load(REVISE)
# people take more care over a second answer: half the flaws
_SECOND = Manners(comply=0.2, evade=0.1, slip=0.15, flatter=0.2, pad=0.1)
_TRIES = 20


def revisions(n: int, seed: int, *, town: Town = Town()) -> list[Completion]:
    """n raw prompts that show an answer and its worst fault, and the answer that mends it."""
    generator = np.random.default_rng([seed, 3])
    asked = OpenTown(town=town, seed=seed).take(n)
    return [_revision(prompt, generator) for prompt in asked]


def revision_prompt(completion: Completion, fault: str) -> Prompt:
    """The exact prompt in which a policy of the town is asked to revise."""
    return asking(_LAYOUT, completion, {"critique": SAYS[fault]})


def _revision(prompt: Prompt, generator: np.random.Generator) -> Completion:
    first = answer(prompt, Manners(), generator)
    while not worst(first):
        first = answer(prompt, Manners(), generator)
    fault = worst(first)
    second = _mended(first, fault, generator)
    return Completion(prompt=revision_prompt(first, fault), text=second.text, policy="people")


def _mended(first: Completion, fault: str, generator: np.random.Generator) -> Completion:
    """A careful answer that has more of the facet; the perfect one where none is found soon."""
    for _ in range(_TRIES):
        second = answer(first.prompt, _SECOND, generator)
        if facets(second)[fault] > facets(first)[fault]:
            return second
    return best(first.prompt)
