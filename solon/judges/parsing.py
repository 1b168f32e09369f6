"""From a judge's reply to its verdict. Anything ambiguous abstains, with the reason.

    json   the whole reply is one JSON object with a "verdict" (after a thinking block, in a fence)
    tag    the reply ends with <verdict>...</verdict>
    line   the last line is nothing but the verdict: "1" or "Verdict: 1"
    score  the last "Score: 4" of the reply, wherever it stands; running totals may come before it

A judge may repeat what it read, and a completion may hold a verdict of its own. Under ``json``
an echo can only stand inside a string. Under ``tag`` and ``line`` the verdict must be the reply's
last words and no other verdict may stand in the reply; under them and ``score`` a verdict that a
judged completion holds word for word decides nothing: a completion can buy an abstention, which is
counted, never a verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, cast

from solon.records import Abstains

Form = Literal["json", "tag", "line", "score"]
Parser: TypeAlias = Callable[[str, Sequence[str], Sequence[str]], str | Abstains]

_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
_TAG = re.compile(r"<verdict>\s*([^<>]{0,40}?)\s*</verdict>", re.IGNORECASE)
_LINE = re.compile(
    r"[*_ \t]*(?:final )?(?:verdict|answer|score|rating)[*_ \t]*[:=][*_ \t]*(.{1,40}?)",
    re.IGNORECASE,
)

# the whole number: "Score: 4.5" must not be read as 4, nor "Score: 10" as 1
_SCORE = re.compile(r"\bscore[*_ \t]*[:=][*_ \t]*([-+]?\d+(?:[.,/]\d+)?)", re.IGNORECASE)


def parse(
    reply: str, choices: Sequence[str], *, form: Form, shown: Sequence[str] = ()
) -> str | Abstains:
    """The choice that the reply gives, letter case aside; ``shown`` are the judged texts."""
    said = after_thinking(reply)
    if not said:
        return Abstains(reason="empty reply")
    verdict = PARSERS[form](said, choices, shown)
    if isinstance(verdict, Abstains):
        return verdict
    known = {choice.casefold(): choice for choice in choices}
    if verdict.casefold() not in known:
        return Abstains(reason="the verdict is none of the choices")
    return known[verdict.casefold()]


def parse_order(reply: str, count: int) -> tuple[int, ...] | Abstains:
    """A ranking (indices, best first) from a JSON verdict that lists 1..count, each once."""
    said = _verdict_of(after_thinking(reply))
    if isinstance(said, Abstains):
        return said
    if not isinstance(said, list) or not all(type(number) is int for number in said):
        return Abstains(reason="the verdict is not a list of numbers")
    order = tuple(number - 1 for number in cast("list[int]", said))
    if sorted(order) != list(range(count)):
        return Abstains(reason="the verdict does not name each completion once")
    return order


def _json(reply: str, _choices: Sequence[str], _shown: Sequence[str]) -> str | Abstains:
    said = _verdict_of(reply)
    if isinstance(said, Abstains):
        return said
    if isinstance(said, str) or type(said) is int:
        return str(said).strip()
    return Abstains(reason="the verdict is neither text nor a whole number")


def _tag(reply: str, _choices: Sequence[str], shown: Sequence[str]) -> str | Abstains:
    found = list(_TAG.finditer(reply))
    if not found:
        return Abstains(reason="no verdict in the reply")
    if found[-1].end() != len(reply):
        return Abstains(reason="words after the verdict")
    return _decide([match[1] for match in found], [m[1] for t in shown for m in _TAG.finditer(t)])


def _line(reply: str, choices: Sequence[str], shown: Sequence[str]) -> str | Abstains:
    given = _spoken(reply, choices)
    last = reply.splitlines()[-1]
    if not given or not _spoken(last, choices):
        return Abstains(reason="no verdict on the last line")
    return _decide(given, [verdict for text in shown for verdict in _spoken(text, choices)])


def _score(reply: str, choices: Sequence[str], shown: Sequence[str]) -> str | Abstains:
    found = _scores(reply, choices)
    if not found:
        return Abstains(reason="no score in the reply")
    return _decide(found[-1:], [score for text in shown for score in _scores(text, choices)])


def _scores(text: str, choices: Sequence[str]) -> list[str]:
    """Every score, in its order; "4/5" is 4 where the last choice is 5, and nothing elsewhere."""
    return [score.removesuffix(f"/{choices[-1]}") for score in _SCORE.findall(text)]


def _spoken(text: str, choices: Sequence[str]) -> list[str]:
    """The verdicts of the lines that are nothing but a verdict."""
    verdicts: list[str] = []
    for line in text.splitlines():
        bare = line.strip().strip("*_").rstrip(".").strip("*_ ")
        labelled = _LINE.fullmatch(bare)
        if labelled:
            verdicts.append(labelled[1].strip("*_ ."))
        elif bare.casefold() in {choice.casefold() for choice in choices}:
            verdicts.append(bare)
    return verdicts


def _decide(given: Sequence[str], echoed: Sequence[str]) -> str | Abstains:
    if len({verdict.casefold() for verdict in given}) > 1:
        return Abstains(reason="two different verdicts")
    if given[-1].casefold() in {verdict.casefold() for verdict in echoed}:
        return Abstains(reason="the verdict may be quoted from a completion")
    return given[-1]


def _verdict_of(reply: str) -> Any:
    """The "verdict" of a reply that is one JSON object and nothing else, or why there is none."""
    return one_field(reply, "verdict")


def one_field(reply: str, name: str) -> Any:
    """A field of a reply that is one JSON object and nothing else, or why there is none."""
    fenced = _FENCE.match(reply)
    pairs: list[tuple[str, Any]] = []

    def note(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # the outermost object comes last
        return _agreed(found)

    try:
        table = json.loads(fenced[1] if fenced else reply, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return Abstains(reason="the reply is not one JSON object")
    if not isinstance(table, dict):
        return Abstains(reason="the reply is not one JSON object")
    found = [value for key, value in pairs if key == name]
    if not found:
        return Abstains(reason=f"no {name} in the reply")
    if any(value != found[0] for value in found):
        return Abstains(reason=f"two different {name.removesuffix('s')}s")
    return found[0]


def _agreed(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which a name that is given twice differently says nothing."""
    table = dict(pairs)
    for name, value in pairs:
        if value != table[name]:
            table[name] = Abstains(reason=f"two different {name}s")
    return table


def after_thinking(reply: str) -> str:
    """What a reasoning model says after its thoughts."""
    said = reply.strip()
    return said.rpartition("</think>")[2].strip() if said.startswith("<think>") else said


PARSERS: dict[Form, Parser] = {"json": _json, "tag": _tag, "line": _line, "score": _score}
