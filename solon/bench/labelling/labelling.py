"""A judge's pass over the rows of a file: streamed, durable, and never paid twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from solon.bench.bench import Bench, compose_bench
from solon.bench.labelling.filing import rows_of_a_file
from solon.bench.labelling.kinds import Ask, reason
from solon.bench.labelling.made import made_by
from solon.bench.labelling.resuming import refuse_others, same_as_before, surveyed
from solon.bench.labelling.showing import Shown, left, showing, spent
from solon.bench.labelling.surveying import Asked, Rows
from solon.bench.labelling.writing import Labels, Progress
from solon.bench.named import named
from solon.errors import BudgetSpent, SettingError, TooManyFailures
from solon.judges.aspects import LlmRater
from solon.judges.llm import LlmRank
from solon.judges.questions import FailureLimit
from solon.judges.reward import JudgeReward
from solon.judges.wrappers import one_each
from solon.records import Abstains, Critique
from solon.run.display import Display
from solon.run.run import Run
from solon.run.spec import name_of
from solon.run.start import write_manifest

FIRST, MOST = 64, 2048  # rows that are asked together
SECONDS = 15.0  # that a chunk should take: it is what a local judge loses to a kill
WINDOW = 200  # newest answers among which abstentions are counted
Answering = Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """A judge, a rater or a critic that answers every row of a file.

    Example:
        Labelling(judge=LlmScore(policy=endpoint))(run, Rows(path=file, ask="score"))
    """

    judge: Any
    """Who answers: the spec of a judge, a rater or a critic."""
    abstain: float = 0.5
    """Share of the newest 200 answers above which abstentions end the labelling."""

    def __post_init__(self) -> None:
        if not 0 <= self.abstain <= 1:
            raise SettingError(f"abstain: expected a share from 0 to 1, got {self.abstain}")

    def __call__(self, run: Run, rows: Rows) -> Progress:
        """The same folder goes on where it stopped; RunError where it holds other labels.

        Raises DataError for a bad row before anything is asked, BudgetSpent, and TooManyFailures.
        """
        files, reached = rows.files(), Progress.of(run.dir)
        begun = reached.shards > 0
        if not begun:
            refuse_others(run.dir, name_of(self))
        found = surveyed(run, rows, files, begun=begun)
        live = self.judge.open(run)
        made = made_by(self.judge, seed=run.seed)
        told = {"judge": live.id, "made": made}
        same_as_before(run.dir / "labels.json", told, begun=begun)
        self._tell(run, begun=begun)
        labels = Labels(folder=run.dir, ask=rows.ask, judge=live.id, made=made, progress=reached)
        with (
            run.stage("label"),
            showing(run.display, total=found.rows, done=reached.rows) as shown,
        ):
            turns = _Turns(rows.asked(files, reached.place), fixed=rows_of_a_file(self.judge))
            self._ask(run, turns, live, labels, shown)
        return reached

    def _tell(self, run: Run, *, begun: bool) -> None:
        """The manifest, only once the judge is open: what it refuses may hold a password."""
        if not begun:  # a command that labelled nothing binds nobody
            (run.dir / "manifest.json").unlink(missing_ok=True)
        write_manifest(run.dir, self, bench="label", seed=run.seed)

    def _ask(self, run: Run, turns: _Turns, live: Any, labels: Labels, shown: Shown) -> None:
        limit = FailureLimit(share=self.abstain, window=WINDOW)
        ask = answering(live, labels.ask)
        for chunk in turns:
            questions = [question for row in chunk for question in row.questions]
            said = ask(questions)
            one_each(labels.judge, questions, said)
            limit.note(map(reason, said), of="labels")
            labels.write(chunk, said)
            run.ledger.save()
            shown.update(labels.progress, run.ledger)


@dataclass(slots=True)
class _Turns:
    """Rows cut into chunks, each as many as took ``SECONDS`` so far; the first are few."""

    rows: Iterator[Asked]
    size: int = field(default=FIRST)
    fixed: int = 0

    def __iter__(self) -> Iterator[list[Asked]]:
        while chunk := list(islice(self.rows, self.fixed or self.size)):
            began = time.monotonic()
            yield chunk
            self._learn(time.monotonic() - began)

    def _learn(self, seconds: float) -> None:
        if seconds < SECONDS / 2:
            self.size = min(2 * self.size, MOST)
        elif seconds > 2 * SECONDS:
            self.size = max(self.size // 2, 1)


def label_file(rows: Rows, labelling: Labelling, run: Run) -> Path:
    """Labels below the run's folder, and a line that says how many, and what is left to spend."""
    try:
        reached = labelling(run, rows)
    except BudgetSpent:
        run.note(f"{_money(run)}; {Progress.of(run.dir).rows:,} rows are labelled")
        raise
    silent = reached.abstained.total()
    run.note(
        f"{reached.answered:,} answers, {silent:,} abstained, {_money(run)}: {run.dir / 'labels'}"
    )
    if not reached.answered:
        why, _ = reached.abstained.most_common(1)[0]
        raise TooManyFailures(f"label: none of {silent} questions was answered; most often: {why}")
    return run.dir / "labels"


def _money(run: Run) -> str:
    return spent(run.ledger) + left(run.ledger)


def answerer(bench: Bench, ask: Ask) -> Any:
    """Who of the bench answers such a question; SettingError where nobody does."""
    scorer, rater = bench.scorer, bench.rater
    part = {
        "compare": bench.judge,
        "score": scorer.judge if isinstance(scorer, JudgeReward) else None,
        "rank": LlmRank(policy=rater.policy) if isinstance(rater, LlmRater) else None,
        "rate": rater,
    }.get(ask, bench.critic)
    if part is None:
        role = ROLE[ask]
        raise SettingError(f"ask: the bench {bench.name!r} has no {role} to {ask}; set {role}.KEY")
    return part


ROLE: Mapping[Ask, str] = {
    "compare": "judge",
    "score": "scorer",
    "rank": "rater",
    "rate": "rater",
    "critique": "critic",
    "revise": "critic",
}


def labelling_on(bench: str, changes: Mapping[str, str], ask: Ask) -> Labelling:
    """The labelling by whoever the bench has for it, changed as the shell asks."""
    return Labelling(judge=answerer(compose_bench(named(bench), changes), ask))


def label_in(out: Path, *, seed: int = 0, budget: float | None = None) -> Run:
    """The run whose folder the labels are written to; RunError while another works there."""
    return Run(out, seed=seed, display=Display(), budget=budget)


def answering(live: Any, ask: Ask) -> Answering:
    """The live part as a function from questions to records; a critic's abstention is one too."""
    if ask not in {"critique", "revise"}:
        return live
    criticise = live.refine if ask == "revise" else live

    def answered(completions: Sequence[Any]) -> list[Any]:
        said = criticise(completions)
        return [
            Critique(completion=one, principle="", text="", failed=got.reason or "no reason given")
            if isinstance(got, Abstains)
            else got
            for one, got in zip(completions, said, strict=True)
        ]

    return answered
