"""From a rater's reply to one rating for each completion that it was shown.

    json     {"ratings": [{"completion": 2, "reason": "...", "rating": 4}, ...]}
    blocks   ## Completion 2, then "Rating: 4", then "Rationale: ..." of any number of paragraphs

A rating belongs to the completion that it names, wherever it stands in the reply; it never moves to
a neighbour. What is missing, given twice differently, off the scale, or possibly quoted from a
completion abstains by itself and takes nothing else with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from solon.judges.parsing import after_thinking, one_field
from solon.records import Abstains, Rating, Ratings, Scores

RatingForm = Literal["json", "blocks"]
NOT_APPLICABLE = "N/A"

_HEAD = re.compile(r"[#*_\s\[]*(?:completion|text|output)?\s*#?(\d{1,3})[\]*_:.\s]*", re.IGNORECASE)
_RATING = re.compile(r"[*_\s-]*rating[*_\s]*[:=][*_\s]*(.{0,40}?)[*_.\s]*", re.IGNORECASE)
_RATIONALE = re.compile(r"[*_\s-]*(?:rationale|reason)[*_\s]*[:=][*_ \t]*", re.IGNORECASE)
_NONE = re.compile(r"n\s*/?\s*a|not applicable", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the reply says of one completion: a value as it stands there, or why there is none.

    Example:
        Said(value="4", rationale="It admits its doubt.")
    """

    value: Any
    rationale: str = ""


Found: TypeAlias = Mapping[int, Sequence[Said]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingScale:
    """Whole numbers from ``low`` to ``high``; where ``optional``, N/A is an answer too.

    Example:
        RatingScale(low=1, high=5, optional=True).read("N/A")    # Abstains(reason="N/A")
    """

    low: int = 1
    high: int = 5
    optional: bool = False

    def read(self, value: Any) -> Scores | Abstains:
        """The value's score, or why it has none."""
        if isinstance(value, Abstains):
            return value
        said = value.strip() if isinstance(value, str) else value
        if isinstance(said, str) and _NONE.fullmatch(said):
            told = NOT_APPLICABLE if self.optional else "N/A is no answer in this aspect"
            return Abstains(reason=told)
        if isinstance(said, str) and re.fullmatch(r"-?\d{1,4}", said, re.ASCII):
            said = int(said)
        if type(said) is not int:
            return Abstains(reason="the rating is not a whole number")
        if not self.low <= said <= self.high:
            return Abstains(reason=f"the rating is not on the scale {self.low} to {self.high}")
        return Scores(value=float(said))


def parse_ratings(
    reply: str,
    count: int,
    *,
    form: RatingForm,
    scale: RatingScale = RatingScale(),
    shown: Sequence[str] = (),
) -> Ratings:
    """One rating for each of ``count`` completions, in the order shown; ``shown`` are the texts."""
    said = after_thinking(reply)
    found = _from_json(said) if form == "json" else _from_blocks(said, shown)
    if isinstance(found, Abstains):
        return Ratings(ratings=(Rating(answer=found),) * count)
    numbers = range(1, count + 1)
    return Ratings(ratings=tuple(_decide(found.get(number, ()), scale) for number in numbers))


def _decide(said: Sequence[Said], scale: RatingScale) -> Rating:
    """The one rating that was given; two that differ decide nothing."""
    if not said:
        return Rating(answer=Abstains(reason="no rating of this completion"))
    answers = [scale.read(one.value) for one in said]
    if any(answer != answers[0] for answer in answers):
        return Rating(answer=Abstains(reason="two different ratings"), rationale=said[0].rationale)
    return Rating(answer=answers[0], rationale=said[0].rationale)


def _from_json(reply: str) -> Found | Abstains:
    """By the number that each entry names; an entry without one is nobody's."""
    listed = one_field(reply, "ratings")
    if isinstance(listed, Abstains):
        return listed
    if not isinstance(listed, list):
        return Abstains(reason="the ratings are not a list")
    found: defaultdict[int, list[Said]] = defaultdict(list)
    for entry in cast("list[Any]", listed):
        fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        number, reason = fields.get("completion"), fields.get("reason", "")
        if type(number) is int and "rating" in fields:
            told = reason if isinstance(reason, str) else ""
            found[number].append(Said(value=fields["rating"], rationale=told.strip()))
    return found


def _from_blocks(reply: str, shown: Sequence[str]) -> Found | Abstains:
    """By the head of the block in which a rating stands; what stands before the first is nobody's.

    A completion that holds a head, or a rating, of its own may have been copied into a rationale:
    where the reply holds that very line too, the blocks in question decide nothing.
    """
    if not reply:
        return Abstains(reason="empty reply")
    quoted = {line.strip() for text in shown for line in text.splitlines() if _structural(line)}
    found: defaultdict[int, list[Said]] = defaultdict(list)
    for head, lines in _blocks(reply):
        found[_number(head)].append(_block(head, lines, quoted))
    if not found:
        return Abstains(reason="no block of a completion in the reply")
    return found


def _blocks(reply: str) -> list[tuple[str, list[str]]]:
    """Each head with the lines below it, blank ones too."""
    blocks: list[tuple[str, list[str]]] = []
    for line in reply.splitlines():
        if _head(line):
            blocks.append((line, []))
        elif blocks:
            blocks[-1][1].append(line)
    return blocks


def _block(head: str, lines: Sequence[str], quoted: set[str]) -> Said:
    at = [i for i, line in enumerate(lines) if _RATING.fullmatch(line)]
    values = [cast("re.Match[str]", _RATING.fullmatch(lines[i]))[1] for i in at]
    if any(line.strip() in quoted for line in (head, *(lines[i] for i in at))):
        return Said(value=Abstains(reason="the rating may be quoted from a completion"))
    if not values:
        return Said(value=Abstains(reason="no rating of this completion"))
    if len({value.casefold() for value in values}) > 1:
        return Said(value=Abstains(reason="two different ratings"))
    kept = "\n".join(line for i, line in enumerate(lines) if i not in at)
    _, label, rationale = _partition(kept)
    return Said(value=values[0], rationale=(rationale if label else kept).strip())


def _partition(text: str) -> tuple[str, str, str]:
    """What stands before, at and after the first line that begins with Rationale."""
    for match in re.finditer(r"^.*$", text, re.MULTILINE):
        label = _RATIONALE.match(match[0])
        if label:
            return text[: match.start()], label[0], text[match.start() + label.end() :]
    return text, "", ""


def _head(line: str) -> bool:
    """A line that is a number and its name or marks; a bare number is no head."""
    return bool(_HEAD.fullmatch(line)) and not line.strip().rstrip(".:").isdigit()


def _number(head: str) -> int:
    return int(cast("re.Match[str]", _HEAD.fullmatch(head))[1])


def _structural(line: str) -> bool:
    return _head(line) or bool(_RATING.fullmatch(line))
