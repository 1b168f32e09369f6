"""What was criticised and revised: counts by round and by principle, and answers round by round."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from solon.records import Critique
from solon.report.difference import difference
from solon.report.element import Child, Html, h, said, stretches
from solon.report.evidence import Evidence
from solon.report.rounds import Rounds, asked_by, chains, changed, rounds, usable
from solon.report.section import Absent, sampled, section, table

FIRST, DRAWN, ROUNDS, REASONS, PRINCIPLES = 4, 4, 8, 8, 60
NAME = 80  # characters of an id
COMPARED = 4800  # characters, thrice what is shown: what only moved past the cut is not marked


def critiques(evidence: Evidence) -> Html | Absent:
    """Counts by round and by principle, then a few answers with what each round changed marked."""
    found = rounds(evidence)
    if not found:
        return Absent(why="No critiques: records/critiques is empty.")
    seed, asks = int(evidence.manifest.get("seed", 0)), asked_by(evidence)
    return section(
        "Critiques", _counts(found), _principles(found, asks), _answers(found, asks, seed)
    )


def _counts(found: Rounds) -> Html:
    failed = Counter(one.failed for kept in found.values() for one in kept if one.failed)
    reasons = failed.most_common(REASONS)
    unasked = [sum(not one.failed and not one.revision for one in kept) for kept in found.values()]
    rows: list[list[Child]] = [
        ["asked", *(f"{len(kept):,}" for kept in found.values())],
        ["usable revisions", *(f"{sum(map(usable, kept)):,}" for kept in found.values())],
        ["mean words changed", *map(changed, found.values())],
    ]
    if any(unasked):
        rows.append(["no revision was asked for", *(f"{n:,}" for n in unasked)])
    for why, _ in reasons:
        times = (sum(one.failed == why for one in kept) for kept in found.values())
        rows.append([said(why, most=200), *(f"{n:,}" for n in times)])
    told = table(("", *found), rows, numbers=len(found))
    return h("div", told, _rarer(len(failed) - len(reasons), "reasons"))


def _principles(found: Rounds, asks: Mapping[str, str]) -> Html | None:
    drawn: defaultdict[str, list[Critique]] = defaultdict(list)
    for one in (one for kept in found.values() for one in kept if one.principle):
        drawn[one.principle].append(one)
    if not drawn:
        return None
    most = sorted(drawn.items(), key=lambda item: -len(item[1]))[:PRINCIPLES]
    rows: list[list[Child]] = [
        [
            [rule[:NAME], h("small", asks[rule]) if rule in asks else None],
            f"{len(kept):,}",
            f"{sum(map(usable, kept)):,}",
            changed(kept),
        ]
        for rule, kept in most
    ]
    columns = ("principle", "drawn", "usable", "words changed")
    told = table(columns, rows, numbers=3)
    return h("div", h("h3", "By principle"), told, _rarer(len(drawn) - len(most), "principles"))


def _rarer(more: int, what: str) -> Html | None:
    return h("p", f"{more:,} rarer {what} are not shown.", class_="faint") if more else None


def _answers(found: Rounds, asks: Mapping[str, str], seed: int) -> Html:
    # where a policy mends what a teacher criticised, the same critiques stand in both sets
    twice = {"critiques"} if "revisions" in found else set[str]()
    every = chains(one for name, kept in found.items() if name not in twice for one in kept)
    shown = sampled(every, first=FIRST, drawn=DRAWN, seed=seed)
    counted = (
        f"{len(shown)} of {len(every):,} answers: the first {FIRST}, the others drawn by seed."
    )
    cards = [_card(chain, asks) for chain in shown]
    return h("div", h("h3", "Round by round"), h("p", counted, class_="faint"), cards)


def _card(chain: Sequence[Critique], asks: Mapping[str, str]) -> Html:
    prompt = h("div", h("h5", "Prompt"), said(chain[0].completion.prompt.text, most=600))
    told = [_round(one, asks, _sides(one, first=one is chain[0])) for one in chain[:ROUNDS]]
    more = len(chain) - ROUNDS
    rest = h("p", f"{more:,} more rounds are not shown.", class_="faint") if more > 0 else None
    return h("article", prompt, told, rest, class_="card")


def _round(one: Critique, asks: Mapping[str, str], sides: Html | None) -> Html:
    title = h("b", f"Round {one.turn}" if one.turn else "Critique")
    rule = f" by {one.principle[:NAME]} " if one.principle else " "
    why = h("span", f"nothing learnt: {one.failed[:200]}", class_="chip warn")
    asked = h("p", asks[one.principle], class_="faint") if one.principle in asks else None
    critique = h("div", h("h5", "Critique"), said(one.text, most=800)) if one.text else None
    head = h("p", title, rule, why if one.failed else None)
    return h("div", head, asked, critique, sides, class_="round")


def _sides(one: Critique, *, first: bool) -> Html | None:
    """What was revised beside its revision; without one, only an answer not yet shown."""
    name = "Before" if one.turn > 1 else "First answer"
    title = h("h5", name, h("small", one.completion.policy[:NAME]))
    before = one.completion.text
    if one.revision is None:
        return h("div", h("div", title, said(before)), class_="sides") if first else None
    after = one.revision.text
    pieces = difference(before[:COMPARED], after[:COMPARED])
    old = [("del" if p.kind == "gone" else "", p.text) for p in pieces if p.kind != "new"]
    new = [("ins" if p.kind == "new" else "", p.text) for p in pieces if p.kind != "gone"]
    revised = h("h5", "Revision", h("small", one.revision.policy[:NAME]))
    return h(
        "div",
        h("div", title, stretches([*old, ("", before[COMPARED:])])),
        h("div", revised, stretches([*new, ("", after[COMPARED:])])),
        class_="sides",
    )
