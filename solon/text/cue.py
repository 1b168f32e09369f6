r"""Cues: words that tell something of a text, each with the reason why it tells.

    Cues(Cue(says=r"\bI can't\b", why="an open refusal")).heard("Sorry, I can't.")    # True

A rule made of cues is read by people, argued with, and changed one line at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    r"""Words as a regular expression, letter case aside, and why they tell.

    Example:
        Cue(says=r"\bnot a real\b", why="there is no such thing, and that is an answer")
    """

    says: str
    why: str


@dataclass(frozen=True, slots=True)
class Cues:
    """Cues for one thing; what one cue has matched no other counts again.

    Example:
        Cues((Cue(says="please", why="asks"),)).count("please, please")    # 2
    """

    cues: tuple[Cue, ...]
    _any: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        joined = "|".join(f"(?:{cue.says})" for cue in self.cues)
        object.__setattr__(self, "_any", re.compile(joined, re.IGNORECASE))  # once, not per text

    def heard(self, text: str) -> bool:
        """Whether any of them stands in the text."""
        return self._any.search(text) is not None

    def count(self, text: str) -> int:
        """How often they stand in the text, without overlap."""
        return sum(1 for _ in self._any.finditer(text))

    def words(self, text: str) -> frozenset[str]:
        """The different words of the text that they match, in small letters."""
        return frozenset(found[0].lower() for found in self._any.finditer(text))


def plain(text: str) -> str:
    """The text with typewriter quotes, as cues are written."""
    return text.translate(_QUOTES).strip()


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, roughly: an abbreviation's point ends one too."""
    return [one for one in _SENTENCE.split(text) if one.strip()]
