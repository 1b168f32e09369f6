"""What came of all debates: the estimates against the truth, payoffs, brittleness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from solon.bench.closing import cell_of
from solon.bench.disputing.brittleness import Brittleness, wavering
from solon.bench.disputing.posing import PosedClaim
from solon.records import Reworded, TreeDebate
from solon.statistics import mean, proportion

GAINED = (
    "the share of the last stake is what the prover gained by the estimator's errors, in either "
    "direction: it speaks for a claim only where the estimator is calibrated on false ones"
)
Row = dict[str, Any]
Pairs = list[tuple[TreeDebate, PosedClaim]]


def summary(
    debates: Sequence[TreeDebate],
    posed: Sequence[PosedClaim],
    *,
    eps: float,
    reworded: Sequence[Reworded] = (),
) -> Row:
    """The closing table: a row for all claims, and one each for the true and the false."""
    pairs = list(zip(debates, posed, strict=True))
    parts = {
        "all claims": pairs,
        "true claims": [one for one in pairs if one[1].right is True],
        "false claims": [one for one in pairs if one[1].right is False],
    }
    rows: list[Row] = [
        {"name": name, "values": _measured(some, eps)}
        for name, some in parts.items()
        if some and (name == "all claims" or len(some) < len(pairs))
    ]
    moved, told = wavering(reworded, eps)
    rows[0]["values"] |= moved
    columns = list(dict.fromkeys(column for row in rows for column in row["values"]))
    notes = [*_notes(pairs), *_brittle(pairs, eps).notes(), *told]
    return {"columns": columns, "rows": rows, "notes": notes}


def _measured(pairs: Pairs, eps: float) -> Row:
    found: Row = {}
    opened = [(one.opening, own) for one, own in pairs if one.opening is not None]
    if opened:
        groups = [_cluster(own) for _, own in opened]
        found["root estimate"] = cell_of(mean([p for p, _ in opened], groups))
    known = [(p, own) for p, own in opened if own.right is not None]
    if known:
        groups = [_cluster(own) for _, own in known]
        found["estimate accuracy"] = cell_of(proportion([_hit(*one) for one in known], groups))
    ended = [(one, own) for one, own in pairs if not one.failed]
    if ended:
        groups = [_cluster(own) for _, own in ended]
        found["share of the last stake"] = cell_of(mean([one.share for one, _ in ended], groups))
        void = [float(one.void) for one, _ in ended]
        found["void rate"] = cell_of(proportion(void, groups))
    silent = [float(bool(one.failed)) for one, _ in pairs]
    found["no verdict rate"] = cell_of(proportion(silent, [_cluster(own) for _, own in pairs]))
    return found | _brittle(pairs, eps).cells()


def _brittle(pairs: Pairs, eps: float) -> Brittleness:
    debates, posed = zip(*pairs, strict=True)
    clusters = [_cluster(own) for own in posed]
    return Brittleness.of(debates, posed, eps=eps, clusters=clusters)


def _hit(p: float, own: PosedClaim) -> float:
    """1 where the estimate is on the side of the truth, 1/2 where it is on neither."""
    side = 1 if own.right else -1
    return float(np.sign(side * (p - 0.5)) + 1) / 2


def _cluster(own: PosedClaim) -> str:
    return own.cluster or own.disputed.name


def _notes(pairs: Pairs) -> list[str]:
    known = sum(own.right is not None for _, own in pairs)
    told = [f"debates: {len(pairs):,}", GAINED]
    if known:
        told.append(
            f"accuracy is of the {known:,} claims whose truth is known: whether the estimator's "
            "opening is on the right side of one half"
        )
    else:
        told.append("no row says whether its claim is true, so no accuracy is counted")
    failed = sum(bool(one.failed) for one, _ in pairs)
    if failed:
        told.append(f"{failed:,} debates broke off and count in no payoff")
    return told
