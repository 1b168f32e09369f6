"""Prover-estimator debates of a run: counts by game, then a sample of trees."""

from __future__ import annotations

import math

from solon.records import TreeDebate
from solon.report.element import Child, Html, h
from solon.report.evidence import Evidence
from solon.report.figure import NONE, figure
from solon.report.section import Absent, sampled, section, table
from solon.report.tree import tree

FIRST, DRAWN = 4, 4
KEY = (
    "A claim with a bar is one that the prover pointed at; the others are its siblings, with what "
    "was stated of them. An estimate that takes siblings for true or false is paid only "
    "where the judge finds them so."
)


def trees(evidence: Evidence) -> Html | Absent:
    """Counts, then the first debates and a draw of the others."""
    found = [one for one in _records(evidence) if isinstance(one, TreeDebate)]
    if not found:
        return Absent(why="No disputed claims: records/trees is empty.")
    seed = int(evidence.manifest.get("seed", 0))
    shown = sampled(found, first=FIRST, drawn=DRAWN, seed=seed)
    told = f"{len(shown)} of {len(found):,} debates: the first {FIRST}, the others drawn by seed."
    return section(
        "Disputed claims",
        _counts(found),
        h("p", KEY, class_="faint"),
        h("p", told, class_="faint"),
        [tree(one) for one in shown],
    )


def _records(evidence: Evidence) -> list[object]:
    return evidence.records("trees") if "trees" in evidence.sets() else []


def _counts(found: list[TreeDebate]) -> Html:
    rows: list[list[Child]] = []
    for game in dict.fromkeys(one.game for one in found):
        own = [one for one in found if one.game == game]
        ended = [one for one in own if not one.failed]
        opened = [one.opening for one in own if one.opening is not None]
        rows.append(
            [
                game,
                f"{len(own):,}",
                f"{len(own) - len(ended):,}",
                f"{sum(one.void for one in ended):,}",
                figure(math.fsum(opened) / len(opened), digits=3) if opened else NONE,
                figure(math.fsum(one.share for one in ended) / len(ended), digits=3)
                if ended
                else NONE,
            ]
        )
    columns = ("game", "debates", "no verdict", "void", "mean root estimate", "mean share of stake")
    return table(columns, rows, numbers=5)
