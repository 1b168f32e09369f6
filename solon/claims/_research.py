"""Automated researchers at work in this process: one problem, one scorer, agents that take turns.

One scorer serves a seed: directed agents, undirected ones and whoever tunes a baseline each have a
name, and so a ladder of their own. All is kept below the root: a campaign that stands is not run
again, whichever claim asks for it, and one that was stopped goes on.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from solon.engines.classifiers import Probe
from solon.lab.salience import Salience
from solon.objectives.weak import Naive
from solon.records import digest
from solon.researchers.embedded import DIRECTIONS, UNDIRECTED, Direction, Embedded
from solon.researchers.forum import Forum, leaderboard
from solon.researchers.labels import Holdout
from solon.researchers.ledger import Budget, Ledger
from solon.researchers.method import Answer, Method
from solon.researchers.notebook import Notebook, Notes
from solon.researchers.parts import Part, compose
from solon.researchers.problem import Problem, checked
from solon.researchers.rules import Rules
from solon.researchers.scorer import Scorer
from solon.researchers.trace import Trace
from solon.seams.classifying import Floats, Task

VIEW = "strong"
SEEDS = tuple(range(31, 39))
# Chosen on other seeds: few items, so that a campaign takes a minute and tuning leaves room; many
# tests, so that the ladder's step is its grid's.
LAB = Salience(transfer=256, test=16_000)
TURNS = 12
CAMPAIGNS: Mapping[str, Sequence[Direction]] = {
    "directed": DIRECTIONS,
    "undirected": (UNDIRECTED,) * len(DIRECTIONS),
}
# Audits run a method anew without what it should need, and cost twice what its score does: they
# are left to the winners, as no part of the library sees a label.
UNAUDITED = Rules(audit_seeds=0, budget=Budget(queries=TURNS))


@dataclass(frozen=True, slots=True)
class Here:
    """Runs a method in this process: only scripted ones and the library's ever come here."""

    known: dict[str, Answer] = field(default_factory=dict[str, Answer])

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        seen = (problem.weak_labels, problem.inputs, problem.test_inputs)
        bytes_ = (zlib.crc32(np.asarray(one).tobytes()) for one in seen)
        key = digest(method.digest, problem.seed, *bytes_)
        if key not in self.known:
            space: dict[str, Any] = {}
            exec(compile(method.source, "<scripted>", "exec"), space)  # noqa: S102 - our own text
            said = space["method"](problem)
            self.known[key] = Answer(
                probabilities=checked(said, len(problem.test_inputs), problem.classes), seconds=0.1
            )
        return self.known[key]


class World(NamedTuple):
    """One concept, what may be seen of it, and the labels."""

    task: Task
    problem: Problem
    holdout: Holdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A method and its exact PGR on both parts, which no agent was told.

    Example:
        Found(parts=BASELINES["naive"], dev=0.41, final=0.39)
    """

    parts: tuple[Part, ...]
    dev: float
    final: float

    def figures(self, name: str) -> dict[str, float]:
        return {f"{name}/dev": self.dev, f"{name}/final": self.final}


def world(lab: Salience, seed: int) -> World:
    """One concept, its weak labels, and who of weak and ceiling is right on the test."""
    (task,) = lab.tasks_of(seed)
    weak = fitted(task, "supervise", "weak")
    ceiling = fitted(task, "transfer", VIEW)
    right = {
        view: (said(task.test.seen(view)).argmax(axis=1) == task.test.labels).astype(np.float64)
        for view, said in (("weak", weak), (VIEW, ceiling))
    }
    holdout = Holdout.of(task, weak_right=right["weak"], ceiling_right=right[VIEW], seed=seed)
    labels = weak(task.transfer.seen("weak"))
    problem = holdout.problem(task, labels, view=VIEW, seed=seed)
    return World(task=task, problem=problem, holdout=holdout)


def fitted(task: Task, part: str, view: str) -> Callable[[Any], Floats]:
    """A probe that learnt a part's true labels."""
    learner = Probe(view=view).new(task.classes, seed=0)
    examples = getattr(task, part)
    learner.fit(examples.seen(view), np.eye(task.classes)[examples.labels], Naive())
    return learner.predict


def folder_of(root: Path, seed: int) -> Path:
    return root / f"research-s{seed}"


def scorer_in(folder: Path, lab: Salience, seed: int, rules: Rules = UNAUDITED) -> Scorer:
    """The scorer of a seed's problem, which goes on from what the folder has of it."""
    folder.mkdir(parents=True, exist_ok=True)
    _, problem, holdout = world(lab, seed)
    return Scorer(
        problem=problem, holdout=holdout, execute=Here(), ledger=Ledger(folder / "ledger.jsonl"),
        trace=Trace(folder / "trace.jsonl"), secret=seed + 7_000, rules=rules,
    )  # fmt: skip


def campaign(folder: Path, name: str, scorer: Scorer, seed: int) -> dict[str, Notes]:
    """Every agent's notes, by name, after one turn each, then another, until all are spent."""
    forum = Forum(folder=folder / name / "forum")
    agents = [
        Embedded.of(direction, name=f"{name}-{k}", seed=seed)
        for k, direction in enumerate(CAMPAIGNS[name])
    ]
    books = {one.name: Notebook(path=folder / name / f"{one.name}.json") for one in agents}
    for turns in range(1, TURNS + 1):
        for agent in agents:
            agent.run(scorer, forum, books[agent.name], turns=turns)
    return {agent: book.read(agent) for agent, book in books.items()}


def winner(scorer: Scorer, notes: Mapping[str, Notes]) -> Found:
    """The best method by what the agents were told; of equals, the first agent's."""
    own = [one for one in scorer.ledger.records if one.agent in notes]
    best = leaderboard(own)[0]
    tries = notes[best.agent].tries
    return measured(scorer, next(one for one in tries if one.digest == best.digest).idea.parts)


def tuned(scorer: Scorer, agent: str, settings: Iterable[tuple[Part, ...]]) -> Found:
    """The best on DEV by exact scores, which the agents of a campaign are never told."""
    each = {Method.of(compose(parts)).digest: parts for parts in settings}
    sent = {one.digest for one in scorer.ledger.of(agent, "score")}
    for own, parts in each.items():
        if own not in sent:
            scorer.score(agent, compose(parts))
    scored = [one for one in scorer.ledger.of(agent, "score") if one.pgr is not None]
    best = max(scored, key=lambda one: one.pgr or 0.0)
    return measured(scorer, each[best.digest])


def measured(scorer: Scorer, parts: tuple[Part, ...]) -> Found:
    """Its score on DEV as the ledger has it, and on FINAL."""
    code = compose(parts)
    own = Method.of(code).digest
    scores = (one.pgr for one in scorer.ledger.records if one.digest == own and one.kind == "score")
    dev = next(pgr for pgr in scores if pgr is not None)
    return Found(parts=parts, dev=dev, final=scorer.final(code).pgr)
