"""One self-contained page for a campaign: no script, nothing fetched, every text inert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from solon.report.element import Html, h
from solon.report.figure import fixed, moment
from solon.report.page import head
from solon.report.section import Absent, anchor, section
from solon.researchers import sections
from solon.researchers.carried import elsewhere
from solon.researchers.elsewhere import baselines
from solon.researchers.outcome import Outcome
from solon.researchers.transfer import Carried

SECTIONS: dict[str, Callable[[Outcome], Html | Absent]] = {
    "Elsewhere": elsewhere,
    "Leaderboard": sections.board,
    "PGR over time": sections.over_time,
    "Ideas": sections.ideas,
    "Alarms": sections.alarms,
    "Costs": sections.costs,
    "Conversations": sections.conversations,
    "Best method": sections.source,
    "Forum": sections.forum,
    "Trace": sections.trace,
    "Settings": sections.settings,
}


def write_page(folder: Path, outcome: Outcome) -> Path:
    """Writes ``report.html`` and ``findings.json``; the path of the first."""
    found = orjson.dumps(outcome.plain(), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    (folder / "findings.json").write_bytes(found)
    path = folder / "report.html"
    path.write_text(page(outcome), encoding="utf-8")
    return path


def page(outcome: Outcome) -> str:
    """The whole page; the same outcome gives the same bytes."""
    made = {title: make(outcome) for title, make in SECTIONS.items()}
    here = {title: part for title, part in made.items() if not isinstance(part, Absent)}
    away = [h("li", part.why) for part in made.values() if isinstance(part, Absent)]
    links = [h("a", title, href=f"#{anchor(title)}") for title in here]
    absent = section("Not in this campaign", h("ul", away)) if away else None
    body = h(
        "body",
        _header(outcome),
        h("nav", links, aria_label="Contents"),
        h("main", list(here.values()), absent),
    )
    return f"<!doctype html>\n{h('html', head('Automated researchers'), body, lang='en')}\n"


def verdict(outcome: Outcome) -> str:
    """What the best method by DEV is worth on FINAL, beside the naive student."""
    if not outcome.standings:
        return "The scorer released no score to any agent."
    best = outcome.standings[0]
    naive = baselines()["naive"].digest
    final = {one.digest: one for one in outcome.transfer if one.place == "FINAL"}
    told = f"The best method by DEV is {best.agent}'s, which was told PGR {fixed(best.pgr, 2)}."
    if best.digest not in final or naive not in final:
        return f"{told} It was not tried on FINAL yet."
    if best.digest == naive:
        return f"{told} It is the naive student."
    shown = [_said(final[digest]) for digest in (best.digest, naive)]
    return f"{told} On FINAL it recovers {shown[0]}, the naive student {shown[1]}."


def _said(one: Carried) -> str:
    if one.pgr is None:
        return f"nothing ({one.reason})"
    return f"{fixed(one.pgr.estimate, 2)} ({fixed(one.pgr.low, 2)} to {fixed(one.pgr.high, 2)})"


def _header(outcome: Outcome) -> Html:
    manifest = outcome.manifest
    kinds = [one.kind for one in outcome.crew]
    facts = {
        "started": moment(manifest["started"]),
        "agents": f"{kinds.count('embedded')} embedded, {kinds.count('model')} language models",
        "submissions": len(outcome.submissions),
        "seed": manifest["seed"],
        "code": manifest["git"],
        "digest of settings": manifest["digest"],
    }
    listed = [
        h("div", h("dt", key), h("dd", str(fact))) for key, fact in facts.items() if fact != ""
    ]
    return h(
        "header",
        h("p", "Solon · report of a campaign", class_="kicker"),
        h("h1", f"Automated researchers on {_tasks(outcome)}"),
        h("p", verdict(outcome), class_="verdict"),
        h("dl", listed),
        h("pre", manifest["command"]),
    )


def _tasks(outcome: Outcome) -> str:
    """What was posed, by the name of its kind."""
    return str(outcome.manifest["settings"]["posing"]["tasks"]["kind"]).rpartition(".")[2]
