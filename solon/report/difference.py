"""What changed between two texts, word by word.

    difference("a cat sat", "a dog sat")     a  -cat  +dog  sat

The pieces that are the same or gone make the text before, the same or new ones the text after.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

Kind = Literal["same", "gone", "new"]
# Pairs of equal words that a comparison may look through: 6,000 characters of two stories have
# 28,000; a word said 3,000 times against itself has 9 million, and the page would hang.
PAIRS = 60_000
_WORD = re.compile(r"(\s*)(\w+(?:['’-]\w+)*|[^\w\s]+|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text that both have, that only the first has, or only the second.

    Example:
        Piece(kind="gone", text="cat")
    """

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class _Word:
    """A word or a run of signs, and the space before it, which is compared apart."""

    space: str
    text: str


def difference(before: str, after: str) -> list[Piece]:
    """The pieces in order, of each change what is gone before what is new.

    Texts that repeat themselves so much that they would take long to compare differ as a whole
    between their common start and their common end.
    """
    return _merged(_smooth(_pieces(_words(before), _words(after))))


def words_changed(before: str, after: str) -> int:
    """Words taken out and words put in, wherever they stood; a word that moved counts as neither.

    Unlike the pieces, it takes time in proportion to the texts.
    """
    old, new = (Counter(text.split()) for text in (before, after))
    return (old - new).total() + (new - old).total()


def _words(text: str) -> list[_Word]:
    return [_Word(*found.groups()) for found in _WORD.finditer(text)]


def _pieces(old: Sequence[_Word], new: Sequence[_Word]) -> Iterator[Piece]:
    a, b = ([word.text for word in words] for words in (old, new))
    start = _common(a, b)
    stop = _common(a[start:][::-1], b[start:][::-1])
    inner_a, inner_b = a[start : len(a) - stop], b[start : len(b) - stop]
    yield from _same(old[:start], new[:start])
    for tag, i, j, k, m in _changes(inner_a, inner_b):
        one, other = old[start + i : start + j], new[start + k : start + m]
        yield from _same(one, other) if tag == "equal" else _changed(one, other)
    yield from _same(old[len(a) - stop :], new[len(b) - stop :])


def _changes(a: list[str], b: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    counts = Counter(a), Counter(b)
    if sum(n * counts[1][word] for word, n in counts[0].items()) > PAIRS:
        return [("replace", 0, len(a), 0, len(b))]
    return SequenceMatcher(None, a, b, autojunk=False).get_opcodes()


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words both begin with."""
    short = min(len(a), len(b))
    return next((k for k in range(short) if a[k] != b[k]), short)


def _same(old: Sequence[_Word], new: Sequence[_Word]) -> Iterator[Piece]:
    for one, other in zip(old, new, strict=True):
        if one.space == other.space:
            yield Piece(kind="same", text=one.space)
        else:
            yield Piece(kind="gone", text=one.space)
            yield Piece(kind="new", text=other.space)
        yield Piece(kind="same", text=one.text)


def _changed(old: Sequence[_Word], new: Sequence[_Word]) -> Iterator[Piece]:
    yield Piece(kind="gone", text="".join(word.space + word.text for word in old))
    yield Piece(kind="new", text="".join(word.space + word.text for word in new))


def _smooth(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Without islands: a sign or space that is the same between two changes parts nothing."""
    found = _merged(pieces)
    for k, piece in enumerate(found):
        island = piece.kind == "same" and not re.search(r"\w", piece.text)
        if island and 0 < k < len(found) - 1:
            yield Piece(kind="gone", text=piece.text)
            yield Piece(kind="new", text=piece.text)
        else:
            yield piece


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of a kind as one piece; of each change, what is gone comes first."""
    found: list[Piece] = []
    for same, run in groupby(pieces, lambda piece: piece.kind == "same"):
        group = list(run)
        for kind in ("same",) if same else ("gone", "new"):
            text = "".join(piece.text for piece in group if piece.kind == kind)
            found += [Piece(kind=kind, text=text)] if text else []
    return found
