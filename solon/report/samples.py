"""The same prompts, answered before and after."""

from __future__ import annotations

import math

from solon.records import Completion
from solon.report.element import Child, Html, h, said
from solon.report.evidence import Evidence
from solon.report.figure import figure, number
from solon.report.section import Absent, sampled, section

FIRST, DRAWN = 6, 6


def samples(evidence: Evidence) -> Html | Absent:
    """Prompt, before, after: the first policy to answer against the last."""
    if "samples" not in evidence.sets():
        return Absent(why="No samples: records/samples is empty.")
    records = [r for r in evidence.records("samples") if isinstance(r, Completion)]
    policies = list(dict.fromkeys(r.policy for r in records))
    ends = list(dict.fromkeys([*policies[:1], *policies[-1:]]))
    answers: dict[str, dict[str, Completion]] = {}
    for record in records:
        answers.setdefault(record.prompt.id, {}).setdefault(record.policy, record)
    both = [given for given in answers.values() if all(policy in given for policy in ends)]
    shown = sampled(both, first=FIRST, drawn=DRAWN, seed=int(evidence.manifest.get("seed", 0)))
    names = [f"{when}: {policy}" for when, policy in zip(("Before", "After"), ends, strict=False)]
    heads = [_head(evidence, name, policy) for name, policy in zip(names, ends, strict=True)]
    rows = [_row(evidence, given, ends, names) for given in shown]
    counted = f"{len(shown)} of {len(both):,} prompts: the first {FIRST}, the others drawn by seed."
    body = h(
        "table",
        h("thead", h("tr", h("th", "Prompt", scope="col"), heads)),
        h("tbody", rows),
        class_="pairs",
    )
    return section("Samples", h("p", counted, class_="faint"), body)


def _head(evidence: Evidence, name: str, policy: str) -> Html:
    golds = [
        number(line.get("gold"))
        for line in evidence.watched
        if line.get("policy") == policy and "prompt" not in line
    ]
    mean = (
        f"mean gold {figure(golds[-1], digits=3)}" if golds and math.isfinite(golds[-1]) else None
    )
    return h("th", name, h("small", mean) if mean else None, scope="col")


def _row(
    evidence: Evidence, given: dict[str, Completion], ends: list[str], names: list[str]
) -> Html:
    prompt = given[ends[0]].prompt
    cells: list[Child] = [h("td", said(prompt.text, most=800), data_label="Prompt")]
    for policy, name in zip(ends, names, strict=True):
        gold = _gold(evidence, policy, prompt.id)
        cells.append(h("td", said(given[policy].text), gold, data_label=name))
    return h("tr", cells)


def _gold(evidence: Evidence, policy: str, prompt: str) -> Html | None:
    """The gold of one completion, where a watcher wrote it down under the prompt's id."""
    for line in evidence.watched:
        if line.get("prompt") == prompt and line.get("policy") == policy and "gold" in line:
            return h("small", f"gold {figure(number(line['gold']), digits=3)}")
    return None
