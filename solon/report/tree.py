"""A prover-estimator debate as a tree: the disputed path, and what stood beside it.

Where the record holds the path alone, the siblings are those that its estimates assume.
"""

from __future__ import annotations

from collections.abc import Sequence

from solon.oversight.payoffs import HIGHER, LOWER
from solon.records import TreeDebate, TreeRound
from solon.report.element import Html, h, said
from solon.report.figure import figure, fixed
from solon.report.plot import share
from solon.report.splits import Beside, beside

POINTED = {HIGHER: "the truth is higher ↑", LOWER: "the truth is lower ↓"}
MOST = 600


def tree(play: TreeDebate) -> Html:
    """Claims from the root down: what was stated, where the prover pointed, what it was paid."""
    shown = _claims(play.rounds, play.checked, judged=not play.failed) if play.rounds else None
    return h(
        "div",
        h("ul", shown, class_="tree") if shown else said(play.claim, most=MOST),
        h("p", _sum(play), class_="answer"),
        class_="card",
    )


def _claims(rounds: Sequence[TreeRound], checked: Sequence[float], *, judged: bool) -> list[Html]:
    """The siblings before the path's claim, the claim with all below it, those after it."""
    one, *below = rounds
    found = beside(one, checked[: len(one.assumed)])
    inner = _claims(below, checked[len(one.assumed) :], judged=judged) if below else None
    how = (
        h("p", f"It follows from these: {below[0].gate}.", class_="faint") if _gated(below) else ""
    )
    left = h("li", f"{found.left:,} more subclaims are not shown.", class_="faint")
    what = "the judge says" if judged and not below else "its subclaims imply"
    return [
        *(_sibling(sib) for sib in found.before),
        h("li", _pointed(one, what), how, h("ul", inner) if inner else None, class_="path"),
        *(_sibling(sib) for sib in found.after),
        *([left] if found.left else []),
    ]


def _gated(below: Sequence[TreeRound]) -> bool:
    return bool(below and below[0].gate)


def _pointed(one: TreeRound, what: str) -> Html:
    label = f"stated {fixed(one.stated, 3)}"
    facts = [
        f"{POINTED.get(one.direction, 'about right')}",
        f"{what} {fixed(one.found, 3)}",
        f"prover {_signed(one.payoff)} of {figure(one.stake, digits=3)}",
    ]
    return h(
        "div",
        said(one.claim, most=MOST),
        h(
            "p",
            share(one.stated, label=label),
            label,
            [h("span", fact, class_="chip") for fact in facts],
            class_="answer",
        ),
    )


def _sibling(one: Beside) -> Html:
    chips = [h("span", estimate, class_="faint") for estimate in one.estimates]
    if one.assumed:
        void = "; so the last payoff is void" if one.void else ""
        kind = "chip warn" if one.void else "chip"
        chips.append(h("span", one.assumed + void, class_=kind))
    return h("li", h("div", said(one.claim, most=MOST), chips, class_="assumed"))


def _sum(play: TreeDebate) -> list[Html | str]:
    told: list[Html | str] = [
        f"The prover's payoff is {_signed(play.payoff)}, {_signed(play.share)} of the last stake."
    ]
    if play.failed:
        told.append(h("span", f"no verdict: {play.failed[:200]}", class_="chip warn"))
    elif play.void:
        told.append(h("span", "void: a sibling was not as assumed", class_="chip warn"))
    return told


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure(value, digits=3)}"
