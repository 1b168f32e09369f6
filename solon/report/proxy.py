"""Reward against gold along the way the policy has gone (Gao et al., arXiv 2210.10760)."""

from __future__ import annotations

import math

from solon.report.curves import stages, traces
from solon.report.element import Html, h
from solon.report.evidence import Evidence
from solon.report.figure import figure, quantity
from solon.report.plot import Series, plot
from solon.report.section import Absent, section

Point = tuple[float, float]


def proxy(evidence: Evidence) -> Html | Absent:
    """Both measures over the square root of KL, one panel each, because their units differ."""
    blocks = [
        _stage(name, reward, gold)
        for name in stages(evidence)
        for reward, gold in [paths(evidence, name)]
        if len({far for far, _ in gold}) > 1
    ]
    if not blocks:
        return Absent(why="No reward against gold: it needs gold, reward and a KL that moved.")
    told = h(
        "p",
        "Reward is what the policy was trained on; gold is what was wanted, and training never saw "
        "it. Where reward climbs on while gold falls, the policy has learnt the judge's mistakes.",
    )
    return section("Reward against gold", told, blocks)


def paths(evidence: Evidence, stage: str) -> tuple[list[Point], list[Point]]:
    """(root of KL, reward) and (root of KL, gold) at each watched step, in the order of steps.

    Reward and KL (in nats) are the watched ones where there are any, else those logged at that
    step; an estimate of KL below 0 counts as 0.
    """
    seen, logged = traces(evidence.watched, stage), traces(evidence.metrics, stage)
    reward = logged.get("reward", {}) | seen.get("reward", {})
    gold, kl = seen.get("gold", {}), logged.get("kl", {}) | seen.get("kl", {})
    far = {step: math.sqrt(max(0.0, value)) for step, value in kl.items() if math.isfinite(value)}
    steps = [
        step
        for step in far
        if math.isfinite(gold.get(step, math.nan)) and math.isfinite(reward.get(step, math.nan))
    ]
    return [(far[k], reward[k]) for k in steps], [(far[k], gold[k]) for k in steps]


def _stage(name: str, reward: list[Point], gold: list[Point]) -> Html:
    panels = [
        plot([Series(name=what, points=tuple(points))], x="√KL (√nats)", y=quantity(what))
        for what, points in (("reward", reward), ("gold", gold))
    ]
    best, last = max(gold, key=lambda point: point[1]), gold[-1]
    words = (
        f"Gold watched: highest {figure(best[1], digits=3)} at √KL {figure(best[0], digits=3)}, "
        f"last {figure(last[1], digits=3)} at √KL {figure(last[0], digits=3)}; "
        f"last reward {figure(reward[-1][1], digits=3)}, "
        f"highest {figure(max(value for _, value in reward), digits=3)}."
    )
    return h("div", h("h3", name), h("div", panels, class_="plots"), h("p", words))
