"""A judge's worst failures: where it was surest and wrong, by the gold that a world has."""

from __future__ import annotations

from collections.abc import Sequence

from solon.report.element import Html, h, said
from solon.report.evidence import Evidence, Line
from solon.report.figure import figure
from solon.report.section import Absent, section


def mistakes(evidence: Evidence) -> Html | Absent:
    """The pairs that mistakes.jsonl names, worst first."""
    if not evidence.mistakes:
        return Absent(why="No worst failures: no gold is known, or the judge named no wrong one.")
    told = (
        "The pairs on which the judge was surest of the completion that is worse by gold, or by "
        "the people who labelled it."
    )
    names = ("Prompt", "Preferred", "Better by gold")
    head = h("thead", h("tr", [h("th", name, scope="col") for name in names]))
    rows = [_row(line, names) for line in evidence.mistakes]
    body = h("table", head, h("tbody", rows), class_="pairs")
    return section("Worst failures", h("p", told, class_="faint"), body)


def _row(line: Line, names: Sequence[str]) -> Html:
    sure = h("small", f"P = {figure(float(line.get('sure', 0)), digits=3)}")
    texts = [str(line.get(key, "")) for key in ("prompt", "preferred", "better")]
    cells = [
        h("td", said(text, most=600), sure if name == names[1] else None, data_label=name)
        for name, text in zip(names, texts, strict=True)
    ]
    return h("tr", cells)
