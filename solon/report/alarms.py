"""What rang while a policy trained: when, why, and whether it ended the loop."""

from __future__ import annotations

from collections.abc import Mapping

from solon.report.element import Child, Html, h
from solon.report.evidence import Evidence, Line
from solon.report.figure import figure
from solon.report.section import Absent, section, table

COLUMNS = ("stage", "sign", "why", "then", "step")
TOLD: Mapping[str, str] = {
    "stop": "An alarm of this run ends the loop that trains the policy, except one by gold.",
    "flag": "An alarm of this run is only told: guard=stop would have ended the loop at it.",
}


def alarms(evidence: Evidence) -> Html | Absent:
    """The alarms in the order they rang; or, where a guard listened, that none did."""
    mode = str((evidence.manifest.get("guard") or {}).get("mode", "off"))
    if mode not in TOLD and not evidence.alarms:
        return Absent(why="No alarms: no guard listened (guard=flag or guard=stop).")
    told = h("p", TOLD.get(mode, ""), class_="faint")
    if not evidence.alarms:
        return section("Alarms", h("p", "None rang."), told)
    return section(
        "Alarms", table(COLUMNS, [_row(line) for line in evidence.alarms], numbers=1), told
    )


def _row(line: Line) -> list[Child]:
    then = h("span", "■ ended the loop", class_="chip warn") if line.get("stops") else "went on"
    step = figure(float(line.get("step", 0)), digits=6)
    sign = str(line.get("series", "")).replace("_", " ")
    return [str(line.get("stage", "")), h("b", sign), str(line.get("says", "")), then, step]
