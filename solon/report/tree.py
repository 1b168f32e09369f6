"""A prover-estimator debate as a tree: the path that was disputed, and what stood beside it.

The record of a game holds the chosen path and the siblings that its estimates assume; subclaims
that nobody pointed at are not in it, and not here.
"""

from __future__ import annotations

from collections.abc import Sequence

from solon.oversight.payoffs import HIGHER, LOWER
from solon.oversight.prover_estimator import Ended, Round
from solon.report.element import Html, h, said
from solon.report.figure import figure, fixed
from solon.report.plot import share

POINTED = {HIGHER: "the truth is higher ↑", LOWER: "the truth is lower ↓"}
MOST = 600


def tree(play: Ended) -> Html:
    """Claims from the root down: what was stated, where the prover pointed, what it was paid."""
    return h(
        "div",
        h("ul", _claim(play.rounds, judged=not play.failed), class_="tree")
        if play.rounds
        else None,
        h("p", _sum(play), class_="answer"),
        class_="card",
    )


def _claim(rounds: Sequence[Round], *, judged: bool) -> Html:
    """One claim of the path, the siblings that its estimate assumes before it, the rest below."""
    one, *below = rounds
    beside = [
        h(
            "div",
            said(claim, most=MOST),
            h("span", f"assumed {_bit(bit)}", class_="chip"),
            class_="assumed",
        )
        for claim, bit in one.assumed
    ]
    what = "the judge says" if judged and not below else "its subclaims imply"
    label = f"stated {fixed(one.stated, 3)}"
    facts = [
        f"{POINTED.get(one.direction, 'about right')}",
        f"{what} {fixed(one.found, 3)}",
        f"prover {_signed(one.payoff)}",
    ]
    return h(
        "li",
        beside,
        said(one.claim, most=MOST),
        h(
            "p",
            share(one.stated, label=label),
            label,
            [h("span", fact, class_="chip") for fact in facts],
            class_="answer",
        ),
        h("ul", _claim(below, judged=judged)) if below else None,
    )


def _sum(play: Ended) -> list[Html | str]:
    told: list[Html | str] = [
        f"The prover's payoff is {_signed(play.payoff)}, {_signed(play.share)} of the last stake."
    ]
    if play.failed:
        told.append(h("span", f"no verdict: {play.failed[:200]}", class_="chip warn"))
    elif play.void:
        told.append(h("span", "void: a sibling was not as assumed", class_="chip warn"))
    return told


def _bit(bit: bool) -> str:  # noqa: FBT001 - a bit of the game's, not an option
    return "true" if bit else "false"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure(value, digits=3)}"
