"""Audits from the command line and at the end of a run: what was recorded, a live judge, a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import orjson
from rich.console import Console
from rich.table import Table

from solon.audits.agreement import Agreement
from solon.audits.evasiveness import Evasiveness
from solon.audits.length_bias import LengthBias
from solon.audits.overoptimisation import Overoptimisation, Point, read_points
from solon.audits.position_bias import PositionBias
from solon.audits.preachiness import Preachiness
from solon.audits.principle_use import PrincipleUse
from solon.audits.sensitivity import Sensitivity
from solon.bench.bench import PARTS, Bench, compose_bench, head
from solon.bench.named import named
from solon.catalogue import find
from solon.errors import InputError, SettingError
from solon.judges.answers import by_policy, newest, read_answers
from solon.judges.human import HumanLabels
from solon.judges.looks import of_run
from solon.judges.recorded import (
    Gold,
    Verdict,
    ask,
    by_judge,
    from_judgements,
    read_verdicts,
)
from solon.judges.rewording import reworded
from solon.records import Compare, Completion, Critique, Finding
from solon.report.findings import bounded
from solon.run.display import Display
from solon.run.run import Run
from solon.run.shards import read_records
from solon.run.spec import override

OF_ANSWERS = ("evasiveness", "preachiness")
OF_JUDGES = ("juries",)  # the only ones in which several judges are one subject
# what these ask is more than each pair once in both orders
ASKING = ("format_hacks", "injection", "repetition", "sensitivity", "verbosity")
LIVE_ONLY = ("format_hacks", "injection", "sensitivity")
MARKS = {"measured": "–", "pass": "✓ pass", "warn": "✗ warn", "inconclusive": "? inconclusive"}


def audit_recorded(name: str, path: Path, changes: Mapping[str, str]) -> list[Finding]:
    """Findings on a file of verdicts, a folder of judgements, or a run (overoptimisation, and
    principle_use, which reads its critiques too).
    """
    if name in OF_ANSWERS:
        raise SettingError(f"{name} is an audit of answers: give --answers FILE")
    if name in LIVE_ONLY:
        raise SettingError(f"{name} asks the judge itself: leave --judgements out")
    if name != "overoptimisation" and _reads(name):
        raise SettingError(f"{name} has rows of its own: give --recorded FILE")
    audit = override(find("audits", name).load()(), changes)
    if name == "overoptimisation":
        return audit(points_of(path) if path.is_dir() else read_points(path))
    if name == "principle_use" and (path / "records").is_dir():
        found = _principles_of(audit, path)
        if not found:
            raise InputError(f"{path}: neither judgements nor critiques that name a principle")
        return found
    verdicts = read_verdicts(path)
    return audit.recorded(verdicts) if name in OF_JUDGES else _by_judge(audit, verdicts)


def audit_rows(name: str, path: Path, changes: Mapping[str, str]) -> list[Finding]:
    """Findings on a file of the audit's own rows: its page says which."""
    audit = override(find("audits", name).load()(), changes)
    if not _reads(name):
        other = "--answers" if name in OF_ANSWERS else "--judgements"
        raise SettingError(f"{name} has no rows of its own: give {other} FILE")
    return audit.recorded(audit.read(path))


def _reads(name: str) -> bool:
    """Whether the audit has rows of its own, which it reads itself."""
    return hasattr(find("audits", name).load(), "read")


def audit_answers(name: str, path: Path, changes: Mapping[str, str]) -> list[Finding]:
    """Findings on a file of answers, a folder of completions, or a run's samples."""
    if name not in OF_ANSWERS:
        raise SettingError(f"{name} is no audit of answers; {', '.join(OF_ANSWERS)} are")
    audit = override(find("audits", name).load()(), changes)
    found: list[Finding] = []
    policies = by_policy(answers_of(path))
    for policy, answers in policies.items():  # never pooled: an audit is of one policy
        found += of_whom(policy, audit.recorded(answers), alone=len(policies) == 1)
    return found


def answers_of(path: Path) -> list[Completion]:
    """The answers of a file, of a folder of completions, or of a run's samples."""
    samples = path / "records" / "samples"
    return read_answers(samples if samples.is_dir() else path)


def audit_live(  # noqa: PLR0913 - each is an option of the command
    name: str,
    bench: str,
    changes: Mapping[str, str],
    *,
    pairs: Path | None,
    seed: int,
    runs: Path,
    budget: float | None = None,
) -> list[Finding]:
    """Findings on the bench's judge, asked about the pairs of a file or of the bench's world."""
    _not_live(name)
    kind = find("audits", name).load()
    own = {key: text for key, text in changes.items() if head(key) not in PARTS}
    audit = override(kind(), own)
    made = compose_bench(named(bench), {k: v for k, v in changes.items() if k not in own})
    if made.judge is None:
        raise SettingError(f"the bench {made.name!r} has no judge to audit")
    folder = runs / f"audit-{name}-{made.name}-s{seed}"
    with Run(folder, seed=seed, display=Display(), budget=budget) as run:
        if pairs is None and made.questions is None:
            raise SettingError("audit: give --judgements FILE, or --pairs FILE to ask the judge")
        if pairs is not None:
            questions: Sequence[Compare] = HumanLabels(path=str(pairs)).open(run).questions()
        else:
            assert made.questions is not None
            questions = made.questions(run.seed_for("audit"))
        gold = made.world.open(run).gold if made.world is not None and pairs is None else None
        judge = made.judge.open(run)
        with run.stage("audit"):
            if name in ASKING:
                return asking(run, audit, made.judge, questions)(judge)
            verdicts = ask(judge, questions, gold)
    return audit.recorded(verdicts)


def asking(run: Run, audit: Any, judge: Any, questions: Sequence[Compare]) -> Any:
    """The audit with what it asks; sensitivity with the judge (a spec) in other words as well."""
    audit = replace(audit, questions=tuple(questions))
    if not isinstance(audit, Sensitivity):
        return audit
    told = reworded(judge, run.dir / "reworded")
    return replace(audit, variants={name: spec.open(run) for name, spec in told.items()})


def _not_live(name: str) -> None:
    """Raises SettingError for an audit that has no judge to ask, with what it takes instead."""
    takes = {
        **dict.fromkeys(OF_ANSWERS, "--answers FILE, as {} is an audit of answers"),
        **dict.fromkeys(OF_JUDGES, "--judgements FILE of several judges, as {} compares them"),
        "principle_use": "--judgements RUN, as {} reads what was judged",
        "powered_win_rate": "--judgements FILE, as {} needs people's label in some rows only",
    }
    if _reads(name):
        takes[name] = "--recorded FILE, as {} has rows of its own"
    if name in takes:
        raise SettingError(f"audit: give {takes[name].format(name)}")


def audit_run(run: Run, bench: Bench) -> dict[str, list[Finding]]:
    """What a finished run lets one audit without another call; written to audits/*.json."""
    found: dict[str, list[Finding]] = {}
    folder = run.dir / "records" / "judgements"
    if folder.exists():
        gold = bench.world.open(run).gold if bench.world is not None else None
        found |= _audit_judge(run, from_judgements(read_records(folder), gold), gold)
    principles = _principles_of(PrincipleUse(), run.dir)
    if principles:
        found["principle_use"] = principles
    found |= _audit_last(run, bench)
    points = _points(run.dir)
    if len({point.kl for point in points}) >= 4:
        found["overoptimisation"] = Overoptimisation(form="reinforcement")(points)
    for name, findings in found.items():
        write_findings(run.dir / "audits" / f"{name}.json", findings)
    return found


def _audit_judge(
    run: Run, verdicts: Sequence[Verdict], gold: Gold | None
) -> dict[str, list[Finding]]:
    """What these verdicts can be audited for; a finished run never fails for what they lack."""
    audits: dict[str, Recorded] = {"length_bias": LengthBias()}
    if any(len(verdict.orders) == 2 for verdict in verdicts):
        audits["position_bias"] = PositionBias()
    if gold is not None:
        audits["agreement"] = Agreement()
    found: dict[str, list[Finding]] = {}
    for name, audit in audits.items() if verdicts else ():
        try:
            found[name] = audit.recorded(verdicts)
        except InputError as error:
            run.note(f"not audited: {error}")
    return found


def _audit_last(run: Run, bench: Bench) -> dict[str, list[Finding]]:
    """The last policy's answers, where it is known which prompts were to be answered."""
    folder = run.dir / "records" / "samples"
    samples: list[Completion] = read_records(folder) if folder.exists() else []
    last = newest(samples)
    if not any(one.prompt.fact("safe") for one in last):
        return {}
    return {name: audit.recorded(last) for name, audit in of_policy(bench).items()}


def of_policy(bench: Bench) -> dict[str, Evasiveness | Preachiness]:
    """The audits of answers, by the bench's own reading of them where it has one."""
    evasiveness, preachiness = Evasiveness(), Preachiness()
    if bench.classify is not None:
        told = bench.classify
        evasiveness = replace(evasiveness, classify=lambda batch: [told(one) for one in batch])
    if bench.preaches is not None:
        preachiness = replace(preachiness, mark=bench.preaches)
    return {"evasiveness": evasiveness, "preachiness": preachiness}


def _principles_of(audit: PrincipleUse, folder: Path) -> list[Finding]:
    """A run's judgements and critiques, those that name their principle."""
    found: list[Finding] = []
    judgements = folder / "records" / "judgements"
    if judgements.exists():
        named = [one for one in read_verdicts(judgements) if one.principle]
        found += _by_judge(audit, named)
    sets = sorted((folder / "records").glob("critiques*"))
    said = [one for path in sets for one in read_records(path) if isinstance(one, Critique)]
    named = [one for one in said if one.principle]
    return found + (audit.criticised(named) if named else [])


def _by_judge(audit: Recorded, verdicts: Sequence[Verdict]) -> list[Finding]:
    """Each judge's findings: never pooled, as an audit is of one judge."""
    judges = by_judge(verdicts)
    return [
        finding
        for judge, rows in judges.items()
        for finding in of_whom(judge, audit.recorded(rows), alone=len(judges) == 1)
    ]


def of_whom(whose: str, findings: Sequence[Finding], *, alone: bool) -> list[Finding]:
    """The findings under the name of whose they are, unless there is nobody else."""
    of = "" if alone else f"{whose}: "
    return [replace(one, quantity=of + one.quantity) for one in findings]


class Recorded(Protocol):
    """An audit that needs no call: it reads what a judge has said."""

    def recorded(self, verdicts: Sequence[Verdict], /) -> list[Finding]: ...


def points_of(folder: Path) -> list[Point]:
    """Proxy and gold along a run's KL. Raises InputError where the run was not watched."""
    points = _points(folder)
    if not points:
        raise InputError(
            f"{folder}: expected a run whose watched.jsonl holds gold and whose metrics.jsonl "
            "holds reward and kl of the same steps, got none"
        )
    return points


def _points(folder: Path) -> list[Point]:
    return [
        Point(kl=max(0.0, look.kl), proxy=look.proxy, gold=look.gold) for look in of_run(folder)
    ]


def write_findings(path: Path, findings: Sequence[Finding]) -> None:
    """A list of findings as JSON, each with its verdict."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = [asdict(one) | {"verdict": one.verdict} for one in findings]
    path.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))


def print_findings(findings: Sequence[Finding]) -> None:
    """One line a finding: estimate, interval, n, bound, verdict."""
    table = Table(box=None)
    for column in ("quantity", "estimate", "95 % interval", "n", "bound", "verdict"):
        side = "left" if column in {"quantity", "verdict"} else "right"
        table.add_column(column, justify=side, no_wrap=column != "quantity")
    for one in findings:
        table.add_row(
            one.quantity,
            f"{one.estimate:.4f}",
            f"{one.low:.4f} to {one.high:.4f}",
            str(one.n),
            f"{one.bound[0]:g} to {one.bound[1]:g}" if bounded(one) else "–",
            MARKS[one.verdict],
        )
    Console().print(table)
    for note in dict.fromkeys(one.note for one in findings if one.note):
        Console().print(note, style="dim", highlight=False, markup=False)
