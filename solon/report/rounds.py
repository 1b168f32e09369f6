"""The critiques of a run: by round, by answer, and what their principles ask."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from solon.records import Critique
from solon.report.account import flat
from solon.report.difference import words_changed
from solon.report.evidence import Evidence
from solon.report.figure import NONE, figure
from solon.text.constitution import Constitution, names

SETS = ("critiques", "revisions", "refinements")
Rounds = Mapping[str, Sequence[Critique]]


def rounds(evidence: Evidence) -> Rounds:
    """The critiques by round; those that count no turns by the name of their set."""
    found: defaultdict[tuple[int, str], list[Critique]] = defaultdict(list)
    for name in evidence.sets():
        for record in evidence.records(name) if name.startswith(SETS) else ():
            if isinstance(record, Critique):
                found[record.turn, "" if record.turn else name].append(record)
    return {f"round {turn}" if turn else name: found[turn, name] for turn, name in sorted(found)}


def chains(records: Iterable[Critique]) -> list[list[Critique]]:
    """The rounds of each answer: a round takes up the text that the round before it left.

    A record that counts no turns stands alone.
    """
    found: list[list[Critique]] = []
    left: defaultdict[tuple[int, str, str], deque[list[Critique]]] = defaultdict(deque)
    for one in sorted(records, key=lambda one: one.turn):
        prompt, text = one.completion.prompt.id, one.completion.text
        waiting = left[one.turn - 1, prompt, text]
        chain = waiting.popleft() if waiting else []
        if not chain:
            found.append(chain)
        chain.append(one)
        if one.turn:
            after = one.revision.text if one.revision and usable(one) else text
            left[one.turn, prompt, after].append(chain)
    return found


def usable(one: Critique) -> bool:
    """Whether there is a revision that may be learnt from."""
    return one.revision is not None and not one.failed


def changed(records: Iterable[Critique]) -> str:
    """The mean count of words that usable revisions change, as a table shows it."""
    counts = [
        words_changed(one.completion.text, one.revision.text)
        for one in records
        if one.revision and usable(one)
    ]
    return figure(fmean(counts), digits=3) if counts else NONE


def asked_by(evidence: Evidence) -> dict[str, str]:
    """What the principles ask, by id, where the recipe names packaged constitutions.

    A path is not followed: its file may have changed since. An id that two of the constitutions
    word differently has no words.
    """
    leaves = flat(evidence.manifest.get("settings") or {})
    named = {text for key, text in leaves if key.rpartition(".")[2] == "constitution"}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in sorted(named.intersection(names())):
        for rule in Constitution.load(name).principles:
            found[rule.id] |= {rule.critique or rule.revision} - {""}
    return {rule: "".join(texts) for rule, texts in found.items() if len(texts) == 1}
