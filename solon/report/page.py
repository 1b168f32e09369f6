"""One self-contained page for a run: no script, nothing fetched, every text inert."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from solon.report.account import costs, notes, records, settings, stages
from solon.report.alarms import alarms
from solon.report.closing import Closing, closing, verdict
from solon.report.critiques import critiques
from solon.report.curves import curves
from solon.report.element import Html, h
from solon.report.evidence import Evidence, read
from solon.report.figure import moment, number, span
from solon.report.findings import findings, tally
from solon.report.judgements import judgements
from solon.report.lights import lights
from solon.report.mistakes import mistakes
from solon.report.proxy import proxy
from solon.report.reading import reading
from solon.report.samples import samples
from solon.report.section import Absent, anchor, section
from solon.report.transcripts import transcripts
from solon.report.trees import trees

SECTIONS: dict[str, Callable[[Evidence], Html | Absent]] = {
    "Result": closing,
    "Alarms": alarms,
    "Audits": findings,
    "Reward against gold": proxy,
    "Curves": curves,
    "Samples": samples,
    "Critiques": critiques,
    "Judgements": judgements,
    "Transcripts": transcripts,
    "Costs": costs,
    "Stages": stages,
    "Notes": notes,
    "Records": records,
    "Settings": settings,
}
OF_DEBATES: dict[str, Callable[[Evidence], Html | Absent]] = {
    "Result": closing,
    "Transcripts": transcripts,
    "Costs": costs,
    "Stages": stages,
    "Notes": notes,
    "Records": records,
    "Settings": settings,
}
OF_DISPUTES: dict[str, Callable[[Evidence], Html | Absent]] = {
    "Result": closing,
    "Disputed claims": trees,
    "Costs": costs,
    "Stages": stages,
    "Notes": notes,
    "Records": records,
    "Settings": settings,
}
OF_AUDITS: dict[str, Callable[[Evidence], Html | Absent]] = {
    "In two minutes": lights,
    "Audits": findings,
    "Worst failures": mistakes,
    "Judgements": judgements,
    "Costs": costs,
    "Notes": notes,
    "Records": records,
    "Settings": settings,
}

SAID = {
    "battery": "Bounds were fixed before looking. Red: a finding lies wholly outside its bound.",
    "debating": "What models argued before a judge, as the judge was shown it.",
    "disputing": "Claims split into trees: what an estimator stated, and what a prover gained.",
}
OF = {"battery": OF_AUDITS, "debating": OF_DEBATES, "disputing": OF_DISPUTES}


def write_report(folder: Path) -> Path:
    """Writes ``report.html`` into a run directory and returns its path.

    Raises RunError where the folder is no run directory, DataError where a file of it is broken.
    """
    path = folder / "report.html"
    path.write_text(page(read(folder)), encoding="utf-8")
    return path


def page(evidence: Evidence) -> str:
    """The whole page; the same run directory gives the same bytes."""
    sections = OF.get(str(evidence.manifest.get("recipe")), SECTIONS)
    made = {title: make(evidence) for title, make in sections.items()}
    here = [part for part in made.values() if not isinstance(part, Absent)]
    away = [part.why for part in made.values() if isinstance(part, Absent)]
    titles = [title for title, part in made.items() if not isinstance(part, Absent)]
    body = h(
        "body",
        _header(evidence),
        _contents([*titles, "How to read this page"]),
        h("main", here, _absent(away), reading()),
    )
    return f"<!doctype html>\n{h('html', head(_what(evidence)), body, lang='en')}\n"


def head(title: str) -> Html:
    """The policy lets this one style through and nothing else: no script, image, font or fetch."""
    style = files("solon.report").joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return h(
        "head",
        h("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("title", f"{title} · Solon"),
        Html(f"<style>{style}</style>"),
    )


def _header(evidence: Evidence) -> Html:
    manifest = evidence.manifest
    took = [number(line.get("seconds")) for line in evidence.stages]
    facts = {
        "started": moment(manifest.get("started")),
        "took": span(math.fsum(took)) if took else "no stage is finished",
        "seed": manifest.get("seed"),
        "code": manifest.get("git"),
        "recipe digest": manifest.get("digest"),
    }
    listed = [
        h("div", h("dt", key), h("dd", str(fact)))
        for key, fact in facts.items()
        if fact not in (None, "")
    ]
    summary = evidence.summary
    said = verdict(Closing.of(summary)) if summary else "This run has no closing table yet."
    if evidence.manifest.get("recipe") in SAID:
        said = SAID[evidence.manifest["recipe"]]
    return h(
        "header",
        h(
            "p",
            "Solon · audits" if audits_only(evidence) else "Solon · report of a run",
            class_="kicker",
        ),
        h("h1", _what(evidence)),
        h("p", said, class_="verdict"),
        h("p", tally(evidence.findings)) if evidence.findings else None,
        h("dl", listed),
        h("pre", manifest["command"]) if manifest.get("command") else None,
    )


def audits_only(evidence: Evidence) -> bool:
    """Whether this is no run of a recipe, but a battery of audits."""
    return evidence.manifest.get("recipe") == "battery"


def _what(evidence: Evidence) -> str:
    manifest = evidence.manifest
    if audits_only(evidence):
        return f"How {manifest.get('bench', 'it')} fails"
    recipe = str(manifest.get("recipe", evidence.folder.name)).replace("_", " ")
    return recipe + (f" on {manifest['bench']}" if manifest.get("bench") else "")


def _contents(titles: list[str]) -> Html:
    links = [h("a", title, href=f"#{anchor(title)}") for title in titles]
    return h("nav", links, aria_label="Contents")


def _absent(away: list[str]) -> Html | None:
    if not away:
        return None
    return section("Not in this run", h("ul", [h("li", why) for why in away]))
