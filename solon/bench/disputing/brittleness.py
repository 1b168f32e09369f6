"""How brittle the arguments were: as stated, in truth where it is known, and by their wording.

Every number is (eps, rho): an error of at most eps in each estimate of a split moves the claim
above it by at most rho. Where rho exceeds eps, errors grow on their way up, and an estimator may
state far too little of a true claim at next to no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solon.bench.closing import cell_of
from solon.bench.disputing.posing import PosedClaim
from solon.oversight.brittle import brittleness
from solon.oversight.stability import Wavering, instability
from solon.records import Reworded, TreeDebate
from solon.report.figure import figure
from solon.statistics import mean, proportion

Clusters = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brittleness:
    """The measures of some debates, and what they amount to.

    Example:
        Brittleness(eps=0.05, stated=(0.1, 0.14), clusters=("a", "b")).cells()
    """

    eps: float
    stated: tuple[float, ...] = ()
    """rho of each debate that has a split on record, at its worst split."""
    clusters: tuple[str, ...] = ()
    """Of these."""
    true: tuple[float, ...] = ()
    """rho of each planted argument, at the truth."""
    holding: tuple[float, ...] = ()
    """The same of those whose claim is true: the only ones for which stability is needed."""

    @classmethod
    def of(
        cls,
        debates: Sequence[TreeDebate],
        posed: Sequence[PosedClaim],
        *,
        eps: float,
        clusters: Clusters,
    ) -> Brittleness:
        found = [(brittleness(one, eps), own) for one, own in zip(debates, clusters, strict=True)]
        stated = [(rho, own) for rho, own in found if rho is not None]
        true = [
            (instability(one.tree, one.truth.__getitem__, eps), one.right)
            for one in posed
            if one.tree is not None
        ]
        return cls(
            eps=eps,
            stated=tuple(rho for rho, _ in stated),
            clusters=tuple(own for _, own in stated),
            true=tuple(rho for rho, _ in true),
            holding=tuple(rho for rho, right in true if right),
        )

    def cells(self) -> dict[str, Any]:
        """Columns of the closing table."""
        found: dict[str, Any] = {}
        if self.stated:
            found["rho as stated"] = cell_of(mean(self.stated, self.clusters))
            found["brittle rate"] = cell_of(proportion(self._brittle(self.stated), self.clusters))
        if self.true:
            found["rho in truth"] = cell_of(mean(self.true))
        return found

    def notes(self) -> list[str]:
        """What the numbers mean, and whether the protocol is of use here."""
        if not self.stated:
            return ["no split is on record, so nothing is said of stability"]
        eps = figure(self.eps)
        told = [
            f"rho: how far errors of {eps} in a split may move its claim; above {eps} it is brittle"
        ]
        brittle = self._brittle(self.holding or self.stated)
        if sum(brittle) > len(brittle) / 2:
            of = "true claims' arguments, in truth," if self.holding else "debates, as stated,"
            told.append(
                f"{int(sum(brittle)):,} of {len(brittle):,} {of} are too brittle for the protocol "
                "to be useful: an estimator may state far too little of a true claim at next to no "
                "cost, so a claim that does not pass may well be true"
            )
        return told

    def _brittle(self, rho: Sequence[float]) -> list[float]:
        return [float(one > self.eps + 1e-9) for one in rho]


def wavering(reworded: Sequence[Reworded], eps: float) -> tuple[dict[str, Any], list[str]]:
    """Columns and notes on how far estimates move with the wording; none where it was not asked."""
    if not reworded:
        return {}, []
    whole = [one for one in reworded if not one.failed]
    left = len(reworded) - len(whole)
    told = [f"{left:,} of {len(reworded):,} claims could not be put in other words"] if left else []
    if not whole:
        return {}, told
    found = Wavering.of(whole)
    told.append(
        f"wavering: standard deviation of the estimate over {len(whole[0].p)} wordings of a claim, "
        f"{len(whole):,} claims; above {figure(eps)} in {found.above(eps):.0%} of them, so rho is "
        "told for too small an error there"
        if found.above(eps)
        else f"wavering: no claim moves by more than {figure(eps)} with its wording"
    )
    cells = {
        "wavering": cell_of(mean(found.spread)),
        "wavering rate": cell_of(proportion([float(one > eps) for one in found.spread])),
    }
    return cells, told
