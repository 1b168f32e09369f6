"""From the next token's alternatives to the log-probability of each choice.

"1", " 1", "▁1" and <0x31> are one word; "1" must not take the mass of "10". A choice that is not
listed gets the most that it can have: no more than the last one listed, and no more than what the
list leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from solon.records import Abstains

Alternatives = tuple[tuple[str, float], ...]

NEGLIGIBLE = math.log(1e-3)  # an unfinished word with a smaller share cannot move a label


SPACE = " "  # some vocabularies spell " 1" in two tokens, and " 2" perhaps in one


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The beginning of a longer choice, as the model would write it, and its log-probability."""

    surface: str
    logp: float

    @property
    def word(self) -> str:
        return self.surface.strip()


START = Unfinished("", 0.0)


@dataclass(slots=True)
class Tally:
    """The log-probabilities, in nats, of one prompt's choices, as far as they are known."""

    choices: tuple[str, ...]
    top: int
    found: dict[str, float] = field(default_factory=dict[str, float])
    bounds: dict[str, float] = field(default_factory=dict[str, float])

    def read(self, listed: Alternatives, after: Unfinished = START) -> list[Unfinished]:
        """Counts the words that the list settles; returns those that need a look one token on."""
        scope = [c for c in self.choices if c.startswith(after.word) and c != after.word]
        words = _words(listed, after)
        self._bound(listed, after, scope)
        open_words: list[Unfinished] = []
        for word, best in words.items():
            # A longer choice listed whole is one token here, and is not spelt in pieces; but
            # after a space any of them may come.
            longer = [c for c in scope if c.startswith(word) and c != word and c not in words]
            if longer or not word:
                open_words.append(best)
            elif word in scope:
                self._add(word, best.logp)
        if after.word in self.choices:
            going_on = [best.logp for word, best in words.items() if _begins(word, scope)]
            self._add(after.word, _less(after.logp, going_on))
        return self._weighty(open_words)

    def answer(self) -> tuple[float, ...] | Abstains:
        """One log-probability a choice; abstains where no choice was seen at all."""
        if not self.found:
            return Abstains(reason=f"none of {', '.join(self.choices)} is a likely next word")
        return tuple(self.found.get(c, self.bounds[c]) for c in self.choices)

    def _add(self, word: str, logp: float) -> None:
        self.found[word] = logsumexp([logp, self.found[word]]) if word in self.found else logp

    def _bound(self, listed: Alternatives, after: Unfinished, scope: list[str]) -> None:
        ranked = sorted((logp for _, logp in listed), reverse=True)[: self.top]
        left = max(1.0 - sum(map(math.exp, ranked)), 1e-12)
        bound = after.logp + min(ranked[-1], math.log(left))
        for c in scope:
            self.bounds[c] = logsumexp([bound, self.bounds[c]]) if c in self.bounds else bound

    def _weighty(self, open_words: list[Unfinished]) -> list[Unfinished]:
        """The unfinished words that could move a label; the others count as they stand."""
        mass = logsumexp([*self.found.values(), *(o.logp for o in open_words)])
        for one in open_words:
            if one.logp < mass + NEGLIGIBLE and one.word in self.choices:
                self._add(one.word, one.logp)
        return [one for one in open_words if one.logp >= mass + NEGLIGIBLE]


def _words(listed: Alternatives, after: Unfinished) -> dict[str, Unfinished]:
    """Surface forms gathered by word; each word keeps its likeliest spelling."""
    words: dict[str, Unfinished] = {}
    for text, step in sorted(listed, key=lambda one: -one[1]):
        surface, logp = after.surface + text, after.logp + step
        word = surface.strip()
        if word == after.word and not (after == START and text == SPACE):
            continue
        if word in words:
            words[word] = Unfinished(words[word].surface, logsumexp([words[word].logp, logp]))
        else:
            words[word] = Unfinished(surface, logp)
    return words


def _begins(word: str, choices: list[str]) -> bool:
    return any(c.startswith(word) for c in choices)


def _less(whole: float, parts: list[float]) -> float:
    """log(exp(whole) - sum(exp(parts))), with a floor where rounding leaves nothing."""
    share = sum(math.exp(part - whole) for part in parts)
    return whole + math.log(max(1.0 - share, 1e-12))


def logsumexp(logps: Iterable[float]) -> float:
    """log of the summed probabilities; minus infinity for none."""
    logps = list(logps)
    most = max(logps, default=-math.inf)
    if most == -math.inf:
        return most
    return most + math.log(sum(math.exp(logp - most) for logp in logps))
