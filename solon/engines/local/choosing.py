"""The probability of each of a few answers as a model's next words, exactly.

A choice may be written in several ways ("1", " 1"), each of one token or of several, and one choice
may begin another ("1" and "10"). Each way is a token sequence; a choice's probability is that some
way of it comes next, less that the text goes on to a longer choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solon.engines.local.layout import Ids, Row
from solon.engines.local.voice import Voice
from solon.engines.local.words import Words
from solon.errors import SettingError
from solon.records import Abstains, Prompt

Ways = list[set[Ids]]


def choose(
    voice: Voice, prompts: Sequence[Prompt], choices: Sequence[str], cue: str
) -> list[tuple[float, ...] | Abstains]:
    """Log-probabilities in nats of the choices after each prompt and the cue.

    A prompt that does not fit the context abstains: nobody may judge what he has not read.
    """
    ways = surface_forms(voice.words, choices)
    sequences = sorted({way for of_choice in ways for way in of_choice})
    longest = max(map(len, sequences))
    answers: list[tuple[float, ...] | Abstains] = []
    rows: list[Row] = []
    start = voice.words.plain(cue) if cue else ()
    for prompt in prompts:
        ids, whole = voice.words.whole_prompt(prompt)
        ids = ids + start
        if not whole or len(ids) + longest > voice.words.context:
            answers.append(
                Abstains(reason=f"the prompt is longer than {voice.words.longest_prompt} tokens")
            )
        else:
            answers.append(())
            rows.extend(Row(prompt=ids, completion=sequence) for sequence in sequences)
    sums = iter([float(x.sum(dtype=np.float64)) for x in voice.token_logps(rows, 1.0)])
    for number, answer in enumerate(answers):
        if not isinstance(answer, Abstains):
            mass = {sequence: math.exp(next(sums)) for sequence in sequences}
            answers[number] = tuple(_log(probability(way, ways, mass)) for way in ways)
    return answers


def surface_forms(words: Words, choices: Sequence[str]) -> Ways:
    """The token sequences of each choice.

    Raises SettingError where two choices are the same, or one is empty.
    """
    if len(set(choices)) < len(choices) or not all(choices):
        raise SettingError(f"choices: expected different, non-empty texts, got {list(choices)}")
    ways: Ways = [{words.plain(text), words.plain(" " + text)} - {()} for text in choices]
    for shorter, own in zip(choices, [set(w) for w in ways], strict=True):
        for longer, text in enumerate(choices):
            if text != shorter and text.startswith(shorter):
                # the longer choice, written as the shorter one and then the rest
                rest = words.plain(text[len(shorter) :])
                ways[longer] |= {way + rest for way in own}
    return ways


def probability(own: set[Ids], ways: Ways, mass: dict[Ids, float]) -> float:
    """P(some way of this choice comes next, and no longer choice does)."""
    total = 0.0
    for way in _shortest(own):
        beyond = {w for other in ways if other is not own for w in other if len(w) > len(way)}
        longer = {w for w in beyond if w[: len(way)] == way and w not in own}
        total += mass[way] - sum(mass[w] for w in _shortest(longer))
    return total


def _shortest(ways: set[Ids]) -> set[Ids]:
    """Those that begin with no other of the set: their events exclude each other."""
    return {w for w in ways if not any(w[:n] in ways for n in range(1, len(w)))}


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0 else -math.inf
