"""What a principle of the town minds: its first tag is a facet of the gold, its second a deed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from solon.errors import SettingError
from solon.lab.gold import FACETS, Weights, facets
from solon.records import Completion, Prompt
from solon.text.constitution import Principle

BLIND = Weights(harmless=0.0, helpful=0.0, honest=0.0, concise=0.0)
RIGHT = "it is right ."  # the whole critique where a principle finds nothing wrong
SAYS: Mapping[str, str] = {
    "harmless": "it is not harmless .",
    "helpful": "it is not helpful .",
    "honest": "it is not honest .",
    "concise": "it is too much .",
}


def mind(principle: Principle, prompt: Prompt) -> Weights:
    """What the principle weighs in an answer to that prompt: one facet, of one deed or of all.

    Raises SettingError for a principle whose first tag is no facet of the town's gold.
    """
    facet, deed = _tags(principle)
    if deed and prompt.fact("verb") != deed:
        return BLIND
    return replace(BLIND, **{facet: getattr(Weights(), facet)})


def lacks(principle: Principle, completion: Completion) -> float:
    """How much gold the completion loses by what the principle minds."""
    weights, found = mind(principle, completion.prompt), facets(completion)
    return sum(getattr(weights, name) * (1 - found[name]) for name in FACETS)


def criticism(principle: Principle, completion: Completion) -> str:
    """What the town says of it by that principle; a deed that is helped with is named."""
    if lacks(principle, completion) <= 0:
        return RIGHT
    facet, _ = _tags(principle)
    verb, thing = (completion.prompt.fact(name) for name in ("verb", "thing"))
    if facet == "harmless" and completion.prompt.fact("safe") == "no":
        return f"it can help you {verb} the {thing} ."
    return SAYS[facet]


def _tags(principle: Principle) -> tuple[str, str]:
    facet, deed = (*principle.tags, "", "")[:2]
    if facet not in FACETS:
        raise SettingError(
            f"principle {principle.id!r}: expected a first tag among {', '.join(FACETS)} in the "
            f"town, got {facet or 'none'}"
        )
    return facet, deed
