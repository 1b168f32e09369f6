"""What each command does. Its libraries are imported by the command that needs them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from solon.errors import SettingError

if TYPE_CHECKING:
    from solon.records import Finding

__all__ = [
    "audit",
    "constitution",
    "debate",
    "label",
    "list_all",
    "report",
    "research",
    "run",
    "show",
    "split",
]

DISPUTES = "prover-estimator"
SHOWN = {
    "research": "solon.researchers.conducting",
    "debate": "solon.bench.debating",
    DISPUTES: "solon.bench.disputing",
}
BENCHES = {
    "lab": "the laboratory town: everything is made on the spot, the true reward is known",
    "local": "your policy folder, a judge on this machine or labels that people gave",
    "endpoint": "your policy folder, a judge behind an OpenAI-compatible server",
}


def run(arguments: argparse.Namespace) -> None:
    """solon run RECIPE"""
    from solon.bench.session import Session

    changes, seed = split(arguments.settings)
    session = Session.find(arguments.recipe, arguments.on, changes, seed=seed, root=arguments.runs)
    session.run(fresh=arguments.fresh, quiet=arguments.quiet, budget=arguments.budget)


def label(arguments: argparse.Namespace) -> None:
    """solon label ROWS --out FOLDER"""
    from solon.bench import labelling

    changes, seed = split(arguments.settings)
    rows = labelling.Rows(path=arguments.rows, ask=arguments.ask, split=arguments.split)
    if arguments.aspects:
        rows = replace(rows, aspects=tuple(arguments.aspects.split(",")))
    judge = labelling.labelling_on(arguments.on, changes, arguments.ask)
    judge = replace(judge, abstain=arguments.abstain)
    if arguments.dry_run:
        print(labelling.estimate(judge, rows, seed=seed))
        return
    if arguments.out is None:
        raise SettingError("label: expected --out FOLDER, or --dry-run")
    with labelling.label_in(arguments.out, seed=seed, budget=arguments.budget) as live:
        if arguments.on == "lab":
            live.note(
                "the laboratory's judge answers, which knows the town's words alone: "
                "--on endpoint or --on local asks one of yours"
            )
        labelling.label_file(rows, judge, live)


def audit(arguments: argparse.Namespace) -> None:
    """solon audit AUDIT"""
    from solon.bench import auditing

    changes, seed = split(arguments.settings)
    if arguments.audit == "all":
        found = auditing_all(arguments, changes, seed)
    elif arguments.recorded is not None:
        found = auditing.audit_rows(arguments.audit, arguments.recorded, changes)
    elif arguments.answers is not None:
        found = auditing.audit_answers(arguments.audit, arguments.answers, changes)
    elif arguments.judgements is not None:
        found = auditing.audit_recorded(arguments.audit, arguments.judgements, changes)
    else:
        found = auditing.audit_live(
            arguments.audit,
            arguments.on,
            changes,
            pairs=arguments.pairs,
            seed=seed,
            runs=arguments.runs,
            budget=arguments.budget,
        )
    if arguments.audit != "all":
        auditing.print_findings(found)
    if arguments.out is not None:
        auditing.write_findings(arguments.out, found)
    if arguments.strict and any(one.verdict == "warn" for one in found):
        raise SystemExit(1)


def auditing_all(
    arguments: argparse.Namespace, changes: dict[str, str], seed: int
) -> Sequence[Finding]:
    """solon audit all: the page of every audit that applies, and what it found."""
    from solon.bench.battery import Battery
    from solon.bench.bench import compose_bench
    from solon.bench.named import named
    from solon.report.evidence import read

    files = {name: getattr(arguments, name) for name in ("pairs", "judgements", "answers")}
    battery = Battery(**{name: str(path) for name, path in files.items() if path is not None})
    bench = compose_bench(named(arguments.on), changes)
    page = battery.page(bench, root=arguments.runs, seed=seed, budget=arguments.budget)
    print(page)
    return read(page.parent).findings


def debate(arguments: argparse.Namespace) -> None:
    """solon debate QUESTION"""
    if arguments.protocol == DISPUTES:
        dispute(arguments)
        return
    from solon.bench import debating

    questions, words = None, list[str](arguments.settings)
    first, second, source = arguments.first, arguments.second, arguments.source
    asked = not (first is None and second is None and source is None)
    if asked and arguments.questions is not None:
        raise SettingError("debate: expected QUESTION or --questions FILE, got both")
    if arguments.questions is not None:
        questions = debating.QuestionFile(path=str(arguments.questions))
    elif asked:
        if first is None or second is None or not words:
            raise SettingError("debate: expected QUESTION --first ANSWER --second ANSWER")
        questions = debating.one_question(words.pop(0), first, second, source)
    changes, seed = split(words)
    made = debating.debating_on(arguments.on, changes, by=arguments.protocol, questions=questions)
    debating.play(
        made,
        bench=arguments.on,
        out=arguments.out,
        seed=seed,
        budget=arguments.budget,
        quiet=arguments.quiet,
    )


def dispute(arguments: argparse.Namespace) -> None:
    """solon debate CLAIM --protocol prover-estimator"""
    from solon.bench import disputing

    claims = disputing.claims_in(arguments.settings)
    changes, seed = split([one for one in arguments.settings if one not in claims])
    disputing.debate(arguments, claims, changes, seed)


def research(arguments: argparse.Namespace) -> None:
    """solon research"""
    from solon.researchers.conducting import conduct

    changes, seed = split(arguments.settings)
    conduct(
        arguments.on,
        changes,
        seed=seed,
        out=arguments.out,
        root=arguments.runs,
        quiet=arguments.quiet,
    )


def constitution(arguments: argparse.Namespace) -> None:
    """solon constitution ACTION"""
    from solon.text import overview
    from solon.text.amendment import diff
    from solon.text.constitution import Constitution
    from solon.text.published import convert

    match arguments.action:
        case "list":
            lines = overview.packaged()
        case "check":
            lines = overview.figures(Constitution.load(arguments.file))
        case "show":
            lines = overview.whole(Constitution.load(arguments.file))
        case "diff":
            laws = Constitution.load(arguments.before), Constitution.load(arguments.after)
            lines = [str(diff(*laws))]
        case _:
            lines = overview.figures(convert(arguments.files, arguments.out))
    print(*lines, sep="\n")


def report(arguments: argparse.Namespace) -> None:
    """solon report RUN"""
    from solon.report import write_report

    if (arguments.folder / "office").is_dir():
        from solon.researchers.conducting import rewritten

        print(rewritten(arguments.folder))
    else:
        print(write_report(arguments.folder))


def list_all(arguments: argparse.Namespace) -> None:
    """solon list"""
    from solon.catalogue import entries

    del arguments
    for kind in ("recipes", "audits"):
        print(f"{kind}:")
        for entry in entries(kind):
            print(f"  {entry.name:<18} {entry.summary}")
    print("benches:")
    for name, what in BENCHES.items():
        print(f"  {name:<18} {what}")


def show(arguments: argparse.Namespace) -> None:
    """solon show RECIPE"""
    from solon.bench.showing import show_recipe

    changes, _ = split(arguments.settings)
    if arguments.recipe in SHOWN:
        import_module(SHOWN[arguments.recipe]).show_settings(arguments.on, changes)
    else:
        show_recipe(arguments.recipe, arguments.on, changes)


def split(settings: Sequence[str]) -> tuple[dict[str, str], int]:
    """(changes, seed) of the KEY=VALUE arguments."""
    changes: dict[str, str] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise SettingError(f"expected KEY=VALUE, got {setting!r}")
        changes[key] = text
    seed = changes.pop("seed", "0")
    if not seed.isdigit():
        raise SettingError(f"seed: expected a whole number, got {seed!r}")
    return changes, int(seed)
