"""The command line. Each command is thin: it finds parts by name and hands them over."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from solon.errors import SettingError, SolonError

AGAIN = "the same command goes on from here"
ASKS = ("compare", "score", "rank", "rate", "critique", "revise")
DISPUTES = "prover-estimator"
PROTOCOLS = (
    "debate",
    "consultancy",
    "open-debate",
    "open-consultancy",
    "naive",
    "expert",
    DISPUTES,
)
STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO}
EXAMPLES = """examples:
  solon run canonical                                  the laboratory town, no GPU, no network
  solon run canonical --on endpoint policy.model=models/base prompts.path=prompts.jsonl \\
      judge.model=qwen3-8b judge.base_url=http://localhost:8000/v1
  solon run canonical --on local policy.model=models/base judge=human labels.path=pairs.jsonl
  solon show canonical                                 its settings, with defaults and meanings
  solon audit position_bias --judgements verdicts.jsonl
  solon debate                                         a hidden story, two debaters, a judge
  solon research agents=4 turns=6 seed=1               automated researchers before a scorer
  solon constitution check mine.toml                   its digest, and how often each tag is drawn
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command; a mistake of the user's ends in one line and exit code 2."""
    arguments = parse(argv)
    try:
        arguments.command(arguments)
    except SolonError as error:
        print(f"solon: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:  # the reader of the output has left, as `head` does
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno not in STORAGE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        what = error.strerror or error  # pyarrow's errors have no such part
        print(f"solon: {where}{what}; what was written is kept, {AGAIN}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print(f"solon: stopped; {AGAIN}", file=sys.stderr)
        raise SystemExit(130) from None


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments, with settings before, between and after the options."""
    top = parser()
    arguments, more = top.parse_known_args(argv)
    # argparse ends the list of settings where the first option begins
    unknown = [one for one in more if one.startswith("-") or "settings" not in arguments]
    if unknown:
        top.error(f"unrecognized arguments: {' '.join(unknown)}")
    if more:
        arguments.settings = [*arguments.settings, *more]
    return arguments


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(
        prog="solon",
        description="Reinforcement learning from AI feedback, and scalable oversight.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_label(commands)
    _add_audit(commands)
    _add_debate(commands)
    _add_research(commands)
    _add_constitution(commands)
    one = commands.add_parser("report", help="write the page of a run or a campaign again")
    one.add_argument("folder", type=Path, metavar="RUN")
    one.set_defaults(command=report)
    one = commands.add_parser("list", help="what there is: recipes, audits, benches")
    one.set_defaults(command=list_all)
    one = commands.add_parser("show", help="a recipe's settings, with defaults and meanings")
    one.add_argument(
        "recipe", metavar="RECIPE", help="its name, debate, prover-estimator or research"
    )
    _on(one)
    one.set_defaults(command=show)
    return top


def _add_run(commands: Any) -> None:
    one = commands.add_parser("run", help="run a recipe; the same command resumes it")
    one.add_argument("recipe", metavar="RECIPE")
    _on(one)
    one.add_argument("--fresh", action="store_true", help="do not resume: begin a new run")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=run)


def _add_label(commands: Any) -> None:
    one = commands.add_parser("label", help="let a judge answer the rows of a file, as parquet")
    one.add_argument("rows", type=Path, metavar="ROWS", help=".jsonl, .parquet or a data set")
    one.add_argument("--out", type=Path, help="folder for the labels; the same one resumes")
    one.add_argument("--ask", default="compare", choices=ASKS, help="what is asked of each row")
    one.add_argument("--aspects", metavar="A,B", help="what a rater is asked for")
    one.add_argument("--split", default="", help="split of a data set that has several")
    one.add_argument("--abstain", type=float, default=0.5, help="share that may, of the newest 200")
    one.add_argument("--dry-run", action="store_true", help="count calls and money; send nothing")
    _on(one)
    one.set_defaults(command=label)


def _add_audit(commands: Any) -> None:
    one = commands.add_parser("audit", help="measure how a judge or a policy fails")
    one.add_argument("audit", metavar="AUDIT", help="an audit's name, or all")
    one.add_argument("--judgements", type=Path, metavar="FILE", help="verdicts, or a run, to audit")
    one.add_argument("--answers", type=Path, metavar="FILE", help="answers, or a run, to audit")
    one.add_argument("--recorded", type=Path, metavar="FILE", help="the audit's own rows")
    one.add_argument("--pairs", type=Path, metavar="FILE", help="labelled pairs to ask a judge")
    one.add_argument("--out", type=Path, help="write the findings as JSON")
    one.add_argument("--strict", action="store_true", help="exit with 1 where a finding warns")
    _on(one)
    one.set_defaults(command=audit)


def _add_debate(commands: Any) -> None:
    one = commands.add_parser(
        "debate", help="let two models argue before a judge; the same command resumes it"
    )
    one.add_argument("--first", metavar="ANSWER", help="the first answer to QUESTION")
    one.add_argument("--second", metavar="ANSWER", help="the second answer to QUESTION")
    one.add_argument("--source", type=Path, metavar="FILE", help="text that only debaters read")
    one.add_argument("--questions", type=Path, metavar="FILE", help="play a file of questions")
    one.add_argument("--protocol", default="debate", metavar="NAME", help=", ".join(PROTOCOLS))
    one.add_argument("--on", default="lab", metavar="BENCH", help="lab, local, endpoint or a .py")
    one.add_argument("--out", type=Path, metavar="FOLDER", help="keeps games and page; resumes")
    one.add_argument("--budget", type=float, metavar="MONEY", help="hard cap on a run's spend")
    one.add_argument("--quiet", action="store_true", help="show nothing")
    one.add_argument(
        "settings", nargs="*", metavar="QUESTION|KEY=VALUE", help="QUESTION, or CLAIM; seed=N too"
    )
    one.set_defaults(command=debate)


def _add_research(commands: Any) -> None:
    one = commands.add_parser(
        "research", help="let researchers search for methods; the same command resumes it"
    )
    one.add_argument("--on", default="lab", metavar="BENCH", help="lab, local, endpoint or a .py")
    one.add_argument("--out", type=Path, metavar="FOLDER", help="where it is kept; else in --runs")
    one.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="settings; seed=N too")
    one.set_defaults(command=research)


def _add_constitution(commands: Any) -> None:
    one = commands.add_parser("constitution", help="principles: list, check, show, diff, convert")
    one.set_defaults(command=constitution)
    actions = one.add_subparsers(required=True, metavar="ACTION", dest="action")
    actions.add_parser("list", help="the packaged ones, and what each is for")
    one = actions.add_parser("check", help="digest, size, and how often each tag is drawn")
    one.add_argument("file", metavar="FILE", help="a .toml file, or a packaged name")
    one = actions.add_parser("show", help="every principle in full")
    one.add_argument("file", metavar="NAME", help="a packaged name, or a .toml file")
    one = actions.add_parser("diff", help="principles added, removed and reworded")
    one.add_argument("before", metavar="A", help="a .toml file, or a packaged name")
    one.add_argument("after", metavar="B", help="a .toml file, or a packaged name")
    one = actions.add_parser("convert", help="published lists (JSON) as one file of ours")
    one.add_argument("files", type=Path, nargs="+", metavar="FILE", help="JSON")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new .toml file")


def _on(one: argparse.ArgumentParser) -> None:
    one.add_argument("--on", default="lab", metavar="BENCH", help="lab, local, endpoint or a .py")
    one.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept")
    one.add_argument("--budget", type=float, metavar="MONEY", help="hard cap on a run's spend")
    one.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="settings; seed=N too")


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
        labelling.label_file(rows, judge, live)


def audit(arguments: argparse.Namespace) -> None:
    """solon audit AUDIT"""
    from solon.bench import auditing

    changes, seed = split(arguments.settings)
    if arguments.audit == "all":
        print(auditing_all(arguments, changes, seed))
        return
    if arguments.recorded is not None:
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
        )
    auditing.print_findings(found)
    if arguments.out is not None:
        auditing.write_findings(arguments.out, found)
    if arguments.strict and any(one.verdict == "warn" for one in found):
        raise SystemExit(1)


def auditing_all(arguments: argparse.Namespace, changes: dict[str, str], seed: int) -> Path:
    """solon audit all: the page of every audit that applies."""
    from solon.bench.battery import Battery
    from solon.bench.bench import compose_bench
    from solon.bench.named import named

    files = {name: getattr(arguments, name) for name in ("pairs", "judgements", "answers")}
    battery = Battery(**{name: str(path) for name, path in files.items() if path is not None})
    bench = compose_bench(named(arguments.on), changes)
    return battery.page(bench, root=arguments.runs, seed=seed)


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
    if arguments.recipe == "research":
        from solon.researchers.conducting import show_settings

        show_settings(arguments.on, changes)
        return
    if arguments.recipe == "debate":
        from solon.bench import debating

        debating.show_settings(arguments.on, changes)
        return
    if arguments.recipe == DISPUTES:
        from solon.bench import disputing

        disputing.show_settings(arguments.on, changes)
        return
    show_recipe(arguments.recipe, arguments.on, changes)


BENCHES = {
    "lab": "the laboratory town: everything is made on the spot, the true reward is known",
    "local": "your policy folder, a judge on this machine or labels that people gave",
    "endpoint": "your policy folder, a judge behind an OpenAI-compatible server",
}


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
