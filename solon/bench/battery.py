"""All the audits that apply to a bench's judge and to a policy's answers, and one page of them.

Each pair is asked once in both orders and kept, and each audit's findings are kept as soon as they
are there: a battery that was cut off goes on, and asks for nothing that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from solon.audits.agreement import Agreement
from solon.audits.calibration import Calibration
from solon.audits.format_hacks import FormatHacks
from solon.audits.injection import Injection
from solon.audits.juries import Juries
from solon.audits.leakage import Leakage
from solon.audits.length_bias import LengthBias
from solon.audits.overoptimisation import Overoptimisation
from solon.audits.position_bias import PositionBias
from solon.audits.principle_use import PrincipleUse
from solon.audits.repetition import Repetition
from solon.audits.self_preference import SelfPreference
from solon.audits.sensitivity import Sensitivity
from solon.audits.verbosity import Verbosity
from solon.bench.auditing import (
    answers_of,
    asking,
    of_policy,
    of_whom,
    points_of,
    write_findings,
)
from solon.bench.bench import Bench
from solon.errors import InputError, SettingError
from solon.judges.answers import newest
from solon.judges.human import HumanLabels
from solon.judges.provenance import read_sources
from solon.judges.recorded import Verdict, by_judge, from_judgements, read_verdicts
from solon.records import Abstains, Compare, Finding, PairJudgement, Prefers, digest
from solon.report import write_report
from solon.run import lines
from solon.run.display import Display
from solon.run.run import Run
from solon.run.spec import digest_of
from solon.run.start import write_manifest
from solon.seams.feedback import PairJudge

MISTAKES = 5
Job = tuple[str, Callable[[], Sequence[Finding]]]
OF_VERDICTS: Mapping[str, Any] = {
    "position_bias": PositionBias(),
    "agreement": Agreement(),
    "calibration": Calibration(),
    "length_bias": LengthBias(),
    "self_preference": SelfPreference(),
}
ASKS_MORE: Mapping[str, Any] = {
    "repetition": Repetition(),
    "verbosity": Verbosity(),
    "format_hacks": FormatHacks(),
    "injection": Injection(),
    "sensitivity": Sensitivity(),
}


@dataclass(frozen=True, kw_only=True)
class Battery:
    """What is audited: a bench's judge on its own pairs or a file's, recorded verdicts, answers.

    Example:
        Battery(pairs="pairs.jsonl").page(lab(), root=Path("runs"))
    """

    pairs: str = ""
    """File of labelled pairs that the judge is asked about; none takes the bench's own."""
    judgements: str = ""
    """Verdicts, or a run, to audit instead of asking a judge."""
    answers: str = ""
    """A policy's answers, or a run, to audit as well."""

    def page(self, bench: Bench, *, root: Path, seed: int = 0, budget: float | None = None) -> Path:
        """Audits what there is, and writes the page that says how it fails."""
        what = digest_of((self, bench.judge))[:8]
        folder = root / f"audit-all-{bench.name}-{what}-s{seed}"
        write_manifest(folder, self, bench=bench.name, seed=seed)
        with Run(folder, seed=seed, display=Display(), budget=budget) as run:
            for name, job in self._jobs(run, bench):
                _done(run, name, job)
        return write_report(folder)

    def _jobs(self, run: Run, bench: Bench) -> Iterator[Job]:
        """What applies, cheapest first; what there is no input for is noted."""
        if self.judgements:
            yield from _of_recorded(Path(self.judgements))
        elif bench.judge is not None and (self.pairs or bench.questions is not None):
            yield from self._of_judge(run, bench)
        else:
            run.note(f"no judge was audited: the bench {bench.name!r} has none, or no pairs to ask")
        if self.answers:
            yield from _of_answers(Path(self.answers), bench)
        else:
            run.note("no policy was audited: --answers FILE takes its answers, or a run")

    def _of_judge(self, run: Run, bench: Bench) -> Iterator[Job]:
        assert bench.judge is not None
        judge, gold, people = bench.judge.open(run), None, None
        if self.pairs:
            people = HumanLabels(path=self.pairs).open(run)
            asked: Sequence[Compare] = people.questions()
        else:
            assert bench.questions is not None
            asked = bench.questions(run.seed_for("audit"))
            gold = bench.world.open(run).gold if bench.world is not None else None
        with run.stage("ask"):
            said = run.map("judgements", lambda batch: both_ways(judge, batch), asked)
        verdicts = from_judgements(said, gold)
        if people is not None:
            labels = people([one.question for one in said])
            verdicts = [_labelled(one, label) for one, label in zip(verdicts, labels, strict=True)]
        _keep_mistakes(run, said, verdicts)
        yield from _of_verdicts(verdicts)
        with run.stage("ask more"):
            for name, audit in ASKS_MORE.items():
                yield name, _asking(asking(run, audit, bench.judge, asked), judge)


def both_ways(judge: PairJudge, questions: Sequence[Compare]) -> list[PairJudgement]:
    """Judgements with both orders in ``Prefers.orders``; a judge that keeps them is asked once."""
    said = judge(questions)
    if all(_both(one) or isinstance(one.answer, Abstains) for one in said):
        return said
    turned = judge([question.swapped() for question in questions])
    return [_merged(one, other) for one, other in zip(said, turned, strict=True)]


def _both(judgement: PairJudgement) -> bool:
    return isinstance(judgement.answer, Prefers) and len(judgement.answer.orders) == 2


def _merged(one: PairJudgement, turned: PairJudgement) -> PairJudgement:
    if isinstance(one.answer, Abstains):
        return one
    if isinstance(turned.answer, Abstains):
        return replace(one, answer=turned.answer)
    first, second = one.answer.p_first, 1 - turned.answer.p_first
    return replace(one, answer=Prefers(p_first=(first + second) / 2, orders=(first, second)))


def _labelled(verdict: Verdict, label: PairJudgement) -> Verdict:
    """The verdict with what people said as its gold."""
    said = label.answer
    return verdict if isinstance(said, Abstains) else replace(verdict, gold=said.p_first)


def _keep_mistakes(run: Run, said: Sequence[PairJudgement], verdicts: Sequence[Verdict]) -> None:
    """The pairs on which the judge was surest of the worse completion, worst first."""
    wrong = [
        (abs(one.p - 0.5), judgement, one.p > 0.5)
        for judgement, one in zip(said, verdicts, strict=True)
        if one.p is not None and one.gold is not None and (one.p - 0.5) * (one.gold - 0.5) < 0
    ]
    (run.dir / "mistakes.jsonl").unlink(missing_ok=True)
    for sure, judgement, first in sorted(wrong, key=lambda row: -row[0])[:MISTAKES]:
        pair = judgement.question
        preferred, better = (pair.first, pair.second) if first else (pair.second, pair.first)
        texts = {"preferred": preferred.text, "better": better.text}
        line = {"prompt": pair.first.prompt.text, **texts, "sure": 0.5 + sure}
        lines.append(run.dir / "mistakes.jsonl", line)


def _of_verdicts(verdicts: Sequence[Verdict]) -> Iterator[Job]:
    """What one judge's verdicts can be audited for."""
    gold = any(one.gold is not None for one in verdicts)
    policies = any(one.policy_first for one in verdicts)
    needs = {"agreement": gold, "calibration": gold, "self_preference": gold and policies}
    for name, audit in OF_VERDICTS.items():
        if needs.get(name, True):
            yield name, _recorded(audit, verdicts)


def _of_recorded(path: Path) -> Iterator[Job]:
    """Each judge apart; several are a jury too; a run has principles, sources and a curve."""
    folder = path / "records" / "judgements"
    judges = by_judge(read_verdicts(folder if folder.is_dir() else path))
    for judge, verdicts in judges.items():
        tail = f"-{digest(judge)[:6]}" if len(judges) > 1 else ""
        jobs = dict(_of_verdicts(verdicts))
        if any(one.principle for one in verdicts):
            jobs["principle_use"] = _recorded(PrincipleUse(), verdicts)
        for name, job in jobs.items():
            yield f"{name}{tail}", _named(judge, job, alone=len(judges) == 1)
    if len(judges) > 1:
        yield "juries", _recorded(Juries(), [one for rows in judges.values() for one in rows])
    if folder.is_dir():
        yield "leakage", lambda: Leakage().recorded(read_sources(path))
    if (path / "watched.jsonl").is_file():
        yield "overoptimisation", lambda: Overoptimisation(form="reinforcement")(points_of(path))


def _of_answers(path: Path, bench: Bench) -> Iterator[Job]:
    """The newest policy's answers."""
    last = newest(answers_of(path))
    for name, audit in of_policy(bench).items():
        yield name, _recorded(audit, last)


def _named(judge: str, job: Callable[[], Sequence[Finding]], *, alone: bool) -> Any:
    return lambda: of_whom(judge, job(), alone=alone)


def _recorded(audit: Any, rows: Sequence[Any]) -> Callable[[], Sequence[Finding]]:
    return lambda: audit.recorded(rows)


def _asking(audit: Any, judge: PairJudge) -> Callable[[], Sequence[Finding]]:
    return lambda: audit(judge)


def _done(run: Run, name: str, job: Callable[[], Sequence[Finding]]) -> None:
    """Findings on disk are not made again; what cannot be audited is noted and the rest goes on."""
    path = run.dir / "audits" / f"{name}.json"
    if path.exists():
        return
    run.display.title(name)
    try:
        found = job()
    except (InputError, SettingError) as error:
        run.note(f"{name} was not run: {error}")
        return
    write_findings(path, found)
