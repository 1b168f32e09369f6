"""A prover-estimator debate in the terminal: the path as a tree, with what stood beside it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from solon.oversight.payoffs import HIGHER, LOWER
from solon.records import TreeDebate, TreeRound
from solon.report.element import visible
from solon.report.figure import figure, fixed
from solon.report.splits import Beside, beside

POINTED = {HIGHER: "higher ↑", LOWER: "lower ↓"}


def shown(played: TreeDebate) -> Group:
    """The tree, and below it what came of it."""
    return Group(tree(played), _sum(played))


def tree(played: TreeDebate) -> Tree:
    """Claims from the root down; the disputed path is bold, and no claim is read as markup."""
    top = Tree(_said(played.claim, "bold"), guide_style="dim")
    at, checked = top, list(played.checked)
    for k, one in enumerate(played.rounds):
        last = k + 1 == len(played.rounds)
        if k == 0:
            at.label = _pointed(one, judged=last and not played.failed)
            continue
        words = [checked.pop(0) for _ in one.assumed] if checked else []
        at = _split(at, one, words, judged=last and not played.failed)
    return top


def _split(at: Tree, one: TreeRound, words: Sequence[float], *, judged: bool) -> Tree:
    """Adds all that stood beside the claim; gives the claim's own branch."""
    if one.gate:
        at.add(Text(f"follows if these hold: {visible(one.gate)}", style="dim"))
    found = beside(one, words)
    for other in found.before:
        at.add(_other(other))
    branch = at.add(_pointed(one, judged=judged))
    for other in found.after:
        at.add(_other(other))
    if found.left:
        at.add(Text(f"{found.left:,} more subclaims are not shown", style="dim"))
    return branch


def _pointed(one: TreeRound, *, judged: bool) -> Text:
    said = _said(one.claim, "bold")
    what = "the judge says" if judged else "its subclaims imply"
    where = POINTED.get(one.direction, "about right")
    said.append(f"\nstated {fixed(one.stated, 3)}, prover: {where}, {what} {fixed(one.found, 3)}, ")
    return said.append(f"pays {_signed(one.payoff)} of {figure(one.stake, digits=3)}", "cyan")


def _other(one: Beside) -> Text:
    said = _said(one.claim, "dim")
    for estimate in one.estimates:
        said.append(f"  {estimate}", "dim")
    if one.assumed:
        said.append(f"  {one.assumed}", "yellow" if one.void else "")
    return said


def _sum(played: TreeDebate) -> Text:
    gained, share = _signed(played.payoff), _signed(played.share)
    said = Text(f"the prover's payoff is {gained}, {share} of the last stake", style="bold")
    if played.failed:
        said.append(f"; no verdict: {visible(played.failed[:200])}", "yellow")
    elif played.void:
        said.append("; void: a sibling was not as assumed", "yellow")
    return said


def _said(claim: str, style: str) -> Text:
    return Text(visible(claim), style=style)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure(value, digits=3)}"
