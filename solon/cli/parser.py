"""What each command may be told; nothing is imported for it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from math import inf, nan
from pathlib import Path
from typing import Any

from solon.cli import commands

__all__ = ["parse", "parser"]

ASKS = ("compare", "score", "rank", "rate", "critique", "revise")
PROTOCOLS = (
    "debate",
    "consultancy",
    "open-debate",
    "open-consultancy",
    "naive",
    "expert",
    commands.DISPUTES,
)
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


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments, with settings before, between and after the options."""
    top = parser()
    words = sys.argv[1:] if argv is None else argv
    for one in words:  # bytes that are no text, which neither a record nor a manifest can hold
        if one != one.encode(errors="ignore").decode():
            top.error(f"expected arguments in UTF-8, got {one!a}")
    arguments, more = top.parse_known_args(words)
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
    names = top.add_subparsers(required=True, metavar="COMMAND")
    _add_run(names)
    _add_label(names)
    _add_audit(names)
    _add_debate(names)
    _add_research(names)
    _add_constitution(names)
    one = names.add_parser("report", help="write the page of a run or a campaign again")
    one.add_argument("folder", type=Path, metavar="RUN")
    one.set_defaults(command=commands.report)
    one = names.add_parser("list", help="what there is: recipes, audits, benches")
    one.set_defaults(command=commands.list_all)
    one = names.add_parser("show", help="a recipe's settings, with defaults and meanings")
    one.add_argument(
        "recipe", metavar="RECIPE", help="its name, debate, prover-estimator or research"
    )
    _on(one)
    one.set_defaults(command=commands.show)
    return top


def _add_run(names: Any) -> None:
    one = names.add_parser("run", help="run a recipe; the same command resumes it")
    one.add_argument("recipe", metavar="RECIPE")
    _on(one)
    one.add_argument("--fresh", action="store_true", help="do not resume: begin a new run")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=commands.run)


def _add_label(names: Any) -> None:
    one = names.add_parser("label", help="let a judge answer the rows of a file, as parquet")
    one.add_argument("rows", type=Path, metavar="ROWS", help=".jsonl, .parquet or a data set")
    one.add_argument("--out", type=Path, help="folder for the labels; the same one resumes")
    one.add_argument("--ask", default="compare", choices=ASKS, help="what is asked of each row")
    one.add_argument("--aspects", metavar="A,B", help="what a rater is asked for")
    one.add_argument("--split", default="", help="split of a data set that has several")
    one.add_argument("--abstain", type=float, default=0.5, help="share that may, of the newest 200")
    one.add_argument("--dry-run", action="store_true", help="count calls and money; send nothing")
    _on(one)
    one.set_defaults(command=commands.label)


def _add_audit(names: Any) -> None:
    one = names.add_parser("audit", help="measure how a judge or a policy fails")
    one.add_argument("audit", metavar="AUDIT", help="an audit's name, or all")
    one.add_argument("--judgements", type=Path, metavar="FILE", help="verdicts, or a run, to audit")
    one.add_argument("--answers", type=Path, metavar="FILE", help="answers, or a run, to audit")
    one.add_argument("--recorded", type=Path, metavar="FILE", help="the audit's own rows")
    one.add_argument("--pairs", type=Path, metavar="FILE", help="labelled pairs to ask a judge")
    one.add_argument("--out", type=Path, help="write the findings as JSON")
    one.add_argument("--strict", action="store_true", help="exit with 1 where a finding warns")
    _on(one)
    one.set_defaults(command=commands.audit)


def _add_debate(names: Any) -> None:
    one = names.add_parser(
        "debate", help="let two models argue before a judge; the same command resumes it"
    )
    one.add_argument("--first", metavar="ANSWER", help="the first answer to QUESTION")
    one.add_argument("--second", metavar="ANSWER", help="the second answer to QUESTION")
    one.add_argument("--source", type=Path, metavar="FILE", help="text that only debaters read")
    one.add_argument("--questions", type=Path, metavar="FILE", help="play a file of questions")
    one.add_argument("--protocol", default="debate", metavar="NAME", help=", ".join(PROTOCOLS))
    one.add_argument("--on", default="lab", metavar="BENCH", help="lab, local, endpoint or a .py")
    one.add_argument("--out", type=Path, metavar="FOLDER", help="keeps games and page; resumes")
    one.add_argument("--budget", type=_money, metavar="MONEY", help="hard cap on a run's spend")
    one.add_argument("--quiet", action="store_true", help="show nothing")
    one.add_argument(
        "settings", nargs="*", metavar="QUESTION|KEY=VALUE", help="QUESTION, or CLAIM; seed=N too"
    )
    one.set_defaults(command=commands.debate)


def _add_research(names: Any) -> None:
    one = names.add_parser(
        "research", help="let researchers search for methods; the same command resumes it"
    )
    one.add_argument("--on", default="lab", metavar="BENCH", help="lab, local, endpoint or a .py")
    one.add_argument("--out", type=Path, metavar="FOLDER", help="where it is kept; else in --runs")
    one.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.add_argument(
        "settings", nargs="*", default=[], metavar="KEY=VALUE", help="settings; seed=N too"
    )
    one.set_defaults(command=commands.research)


def _add_constitution(names: Any) -> None:
    one = names.add_parser("constitution", help="principles: list, check, show, diff, convert")
    one.set_defaults(command=commands.constitution)
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
    one.add_argument("--budget", type=_money, metavar="MONEY", help="hard cap on a run's spend")
    one.add_argument(
        "settings", nargs="*", default=[], metavar="KEY=VALUE", help="settings; seed=N too"
    )


def _money(text: str) -> float:
    """A cap that binds: ``nan`` would be none."""
    try:
        money = float(text)
    except ValueError:
        money = nan
    if not 0 <= money < inf:
        raise argparse.ArgumentTypeError(f"expected an amount of money, 0 or more, got {text!r}")
    return money
