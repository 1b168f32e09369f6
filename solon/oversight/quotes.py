"""Quotes that were checked against the source: a judge that cannot read it sees which are real.

After Khan et al. (arXiv 2402.06782): a quote is verified where, letter case, punctuation and
spaces aside, it stands in the source word for word. A debater writes <quote>...</quote>; what the
judge and the opponents see is <v_quote> or <u_quote>, and tags that a debater wrote itself are
taken out first. Deviation: (1) whole words must match, where theirs is any substring ("art" is not
in "party").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from solon.text.hostile import Markup, neutralise

TAGS = frozenset({"quote", "v_quote", "u_quote", "speech", "transcript", "question", "source"})
_QUOTE = re.compile(r"<quote>(.*?)</quote>", re.DOTALL | re.IGNORECASE)
_OWN = re.compile(r"</?\s*(?:quote|[vu]_quote)\s*/?>", re.IGNORECASE)
_SHOWN = re.compile(r"<([vu])_quote>(.*?)</\1_quote>", re.DOTALL)
GRAM = 3


def normalised(text: str) -> str:
    """Small letters and digits, words parted by one space."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[^\w\s]|_", " ", plain).split())


def verified(quote: str, source: str) -> bool:
    """Whether these words stand in the source, in this order; never for no words."""
    words = normalised(quote)
    return bool(words) and f" {words} " in f" {normalised(source)} "


def tagged(speech: str, source: str) -> str:
    """The speech with each quote marked v_quote or u_quote; no other such tag is left in it."""
    parts: list[str] = []
    end = 0
    for found in _QUOTE.finditer(speech):
        words = _bare(found[1]).strip()
        kind = "v" if verified(words, source) else "u"
        parts += [_bare(speech[end : found.start()]), f"<{kind}_quote>{words}</{kind}_quote>"]
        end = found.end()
    return "".join([*parts, _bare(speech[end:])]).strip()


def _bare(text: str) -> str:
    """Without these tags; again, as taking one out can join the halves of another."""
    while (fewer := _OWN.sub("", text)) != text:
        text = fewer
    return text


def pieces(speech: str) -> Iterator[tuple[str, str]]:
    """(kind, words) of a tagged speech in order; kind is text, v or u."""
    end = 0
    for found in _SHOWN.finditer(speech):
        if speech[end : found.start()]:
            yield "text", speech[end : found.start()]
        yield found[1], found[2]
        end = found.end()
    if speech[end:]:
        yield "text", speech[end:]


def counted(speech: str) -> tuple[int, int]:
    """How many quotes of a tagged speech are verified, and how many are not."""
    kinds = [kind for kind, _ in pieces(speech)]
    return kinds.count("v"), kinds.count("u")


def clipped(speech: str, most: int) -> str:
    """Its first ``most`` words; a quote that is cut in two is no quote."""
    parts: list[str] = []
    left = most
    for kind, words in pieces(speech):
        kept = words.split()[:left]
        whole = kind != "text" and len(kept) == len(words.split())
        parts.append(f"<{kind}_quote>{words}</{kind}_quote>" if whole else " ".join(kept))
        left -= len(kept)
    return " ".join(part for part in parts if part)


def safe(speech: str) -> Markup:
    """A tagged speech fit for a prompt: its marks stand, all else is neutralised."""
    shown = [
        neutralise(words, TAGS)
        if kind == "text"
        else f"<{kind}_quote>{neutralise(words, TAGS)}</{kind}_quote>"
        for kind, words in pieces(speech)
    ]
    return Markup("".join(shown))


def similarity(quote: str, source: str) -> float:
    """Share of the quote's 3-word runs that the source has; of its words, where it has fewer."""
    words, whole = normalised(quote).split(), f" {normalised(source)} "
    size = min(GRAM, len(words))
    runs = [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)] if size else []
    return sum(f" {run} " in whole for run in runs) / len(runs) if runs else 0.0
