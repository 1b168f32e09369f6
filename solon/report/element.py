"""HTML and SVG from Python calls: whatever is not already ``Html`` is escaped.

    h("td", "a < b", class_="figure")      # <td class="figure">a &lt; b</td>

Characters that a reader cannot see (zero-width, bidirectional, control) are spelt out as
``⟨U+202E⟩``, so that no text can hide words or turn its line around.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})
# Controls but tab and newline, the soft hyphen, invisible letters, joiners, directional marks, line
# separators, variation selectors (one U+FE0F is only an emoji), lone surrogates, tag characters.
_UNSEEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0e\ufeff\uffa0"
    r"\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
UNSEEN = re.compile(rf"([{_UNSEEN}])\1*|(\ufe0f)\2+")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "str | int | Html | Iterable[Child] | None"


def h(tag: str, *children: Child, **attributes: str | float | None) -> Html:
    """One element; ``class_`` is class, ``stroke_width`` is stroke-width, None leaves it out."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(*children)}</{tag}>")


def join(*children: Child) -> Html:
    """The children one after the other, escaped where they are plain text."""
    return Html("".join(_written(child) for child in children))


def visible(text: str) -> str:
    """The text with every unseen character spelt out; a run of one of them is counted."""
    return UNSEEN.sub(_spelt, text)


def said(text: str, *, most: int = 1600) -> Html:
    """What a model wrote, as an inert block: cut at ``most`` characters, unseen ones marked."""
    return stretches([("", text)], most=most)


def stretches(parts: Sequence[tuple[str, str]], *, most: int = 1600) -> Html:
    """What a model wrote, as ``said`` shows it, in stretches of (tag, text); "" is no tag."""
    shown: list[Child] = []
    left, cut = most, sum(len(text) for _, text in parts) - most
    for tag, text in parts:
        kept = text[:left]
        left -= len(kept)
        if kept:
            shown.append(h(tag, _marked(kept)) if tag else _marked(kept))
    rest = h("span", f" … {cut:,} more characters", class_="faint") if cut > 0 else None
    empty = None if any(text for _, text in parts) else h("span", "(nothing)", class_="faint")
    return h("div", shown, rest, empty, class_="said", dir="auto")


def _marked(text: str) -> Html:
    parts: list[Child] = []
    end = 0
    for found in UNSEEN.finditer(text):
        parts += [text[end : found.start()], h("mark", _spelt(found))]
        end = found.end()
    return join(parts, text[end:])


def _written(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return _escape(str(child))
    return "".join(_written(inner) for inner in child)


def _escape(text: str) -> str:
    return html.escape(visible(text))


def _spelt(found: re.Match[str]) -> str:
    run = found.group()
    return f"⟨U+{ord(run[0]):04X}{f' ×{len(run)}' if len(run) > 1 else ''}⟩"
