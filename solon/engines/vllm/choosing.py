"""The probability of each of a few answers as the next words, by vLLM, exactly.

A choice of several tokens is asked for token by token: for each beginning of a choice one request,
which reads its prompt from the prefix cache and is told the log-probabilities of the few tokens
that go on from there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from solon.engines.local.choosing import probability, surface_forms
from solon.engines.local.layout import Ids
from solon.engines.local.words import Words
from solon.engines.vllm.engine import generated
from solon.records import Abstains, Prompt

Beginnings = dict[Ids, list[int]]


def choose(
    llm: Any, words: Words, prompts: Sequence[Prompt], choices: Sequence[str], cue: str
) -> list[tuple[float, ...] | Abstains]:
    """As the local engine's ``choose``: a prompt that does not fit abstains."""
    ways = surface_forms(words, choices)
    sequences = {way for of_choice in ways for way in of_choice}
    start = words.plain(cue) if cue else ()
    longest = max(map(len, sequences))
    read: list[Ids | None] = []
    for prompt in prompts:
        ids, whole = words.whole_prompt(prompt)
        fits = whole and len(ids) + len(start) + longest <= words.context
        read.append(ids + start if fits else None)
    nexts = iter(_nexts(llm, [ids for ids in read if ids is not None], beginnings(sequences)))
    answers: list[tuple[float, ...] | Abstains] = []
    for ids in read:
        if ids is None:
            reason = f"the prompt is longer than {words.longest_prompt} tokens"
            answers.append(Abstains(reason=reason))
            continue
        logps = next(nexts)
        mass = {
            way: math.exp(sum(logps[way[:i]][way[i]] for i in range(len(way)))) for way in sequences
        }
        answers.append(tuple(_log(probability(way, ways, mass)) for way in ways))
    return answers


def beginnings(sequences: Iterable[Ids]) -> Beginnings:
    """The tokens that may come after each beginning of a sequence, the empty one among them."""
    after: dict[Ids, set[int]] = {}
    for way in sequences:
        for place, token in enumerate(way):
            after.setdefault(way[:place], set()).add(token)
    return {begun: sorted(tokens) for begun, tokens in sorted(after.items())}


def _nexts(
    llm: Any, prompts: Sequence[Ids], after: Beginnings
) -> list[dict[Ids, dict[int, float]]]:
    """For each prompt, by beginning, the log-probabilities of the tokens that may come next."""
    asked = [
        {"temperature": 1.0, "max_tokens": 1, "logprob_token_ids": tokens}
        for tokens in after.values()
    ]
    ids = [prompt + begun for prompt in prompts for begun in after]
    outputs = iter(generated(llm, ids, asked * len(prompts)))
    found: list[dict[Ids, dict[int, float]]] = []
    for _ in prompts:
        told = {begun: next(outputs).logprobs[0] for begun in after}
        found.append({b: {t: float(one.logprob) for t, one in m.items()} for b, m in told.items()})
    return found


def _log(p: float) -> float:
    return math.log(p) if p > 0 else -math.inf
