"""The hardened scorer: it runs methods itself, and says as little as still helps.

axes: S runs, M test examples, K classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.errors import BudgetSpent, InputError, SettingError
from solon.researchers.alarms import (
    Ablated,
    ablation,
    canary,
    without_strong,
    without_teacher,
)
from solon.researchers.forum import put
from solon.researchers.labels import PARTS, Holdout, Part
from solon.researchers.ledger import Kind, Ledger, Record
from solon.researchers.method import Execute, Method
from solon.researchers.parallel import answers
from solon.researchers.problem import Problem
from solon.researchers.rules import Final, Reply, Rules
from solon.researchers.submission import Submission, plurality
from solon.researchers.trace import Trace
from solon.seams.classifying import Ints

AGENT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
Alter = Callable[[Problem, np.random.Generator, int], Problem]
ABLATIONS: tuple[tuple[Ablated, Alter], ...] = (
    ("teacher", without_teacher),
    ("strong", without_strong),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Scores code, never predictions, by PGR = (student - weak) / (ceiling - weak).

    1. Submitted source is re-run on the scorer's own seeds, other ones for each part.
    2. The Ladder (Blum & Hardt, arXiv 1502.04585): a score is released only where it passes the
       agent's last released one by eta, rounded; otherwise that one is said again.
    3. What differs from an earlier submission of the agent in too few predictions is refused.
    4. GATE is scored once a method, and only for methods that the ladder released.
    5. FINAL is for who holds this object.

    Deviations from the Ladder: (1) the step is at least the grid, as a smaller one would release
    the same number again; (2) each agent has its own ladder, so its guarantee is for one agent.
    """

    problem: Problem
    """What methods see."""
    holdout: Holdout
    """What they do not."""
    execute: Execute
    """Runs a method on a problem."""
    ledger: Ledger
    """Every submission, kept."""
    trace: Trace
    """Where each call, its raw score and its alarms are written."""
    secret: int = field(repr=False)
    """Fixes the scorer's seeds."""
    rules: Rules = Rules()
    """How it scores."""
    sources: Path | None = None
    """Where the methods' sources are kept, each under its digest; none keeps none."""

    def __post_init__(self) -> None:
        for part in PARTS:
            weak, ceiling = self._baselines(part)
            if ceiling <= weak:
                came = f"{weak:.3f} and {ceiling:.3f} on {part}"
                raise InputError(f"scorer: expected weak accuracy below the ceiling's, got {came}")

    def score(self, agent: str, code: object) -> Reply:
        """One submission to DEV, through the ladder."""
        return self._submit(agent, "score", code)

    def gate(self, agent: str, code: object) -> Reply:
        """One method to GATE: once, and only after DEV released it."""
        return self._submit(agent, "gate", code)

    def final(self, code: str) -> Final:
        """FINAL, without rounding or ladder: not for agents, and served to none."""
        method = Method.of(code, most=self.rules.source_bytes)
        made = Submission(record=Record(agent="operator", kind="final", digest=method.digest))
        right = self._right(self._classes(method, "final", made), "final")
        pgr = self._pgr(float(right.mean()), "final")
        self.trace.append("operator", "final", {"digest": method.digest, "pgr": pgr})
        by_seed = tuple(float(one) for one in right.mean(1))
        return Final(pgr=pgr, accuracy=float(right.mean()), by_seed=by_seed)

    def eta(self, part: Part = "dev") -> float:
        """The ladder's step, in PGR."""
        weak, ceiling = self._baselines(part)
        own = self.rules.eta or float(self.holdout.rows(part).sum() ** -0.5 / (ceiling - weak))
        return max(own, self.rules.grid)

    def _submit(self, agent: str, kind: Kind, code: object) -> Reply:
        if not AGENT.fullmatch(agent):
            raise InputError(f"agent: expected a name of a-z, 0-9 and -, got {agent[:40]!r}")
        runs = self.rules.runs if kind == "score" else self.rules.seeds
        told = self.ledger.best(agent) if kind == "score" else None
        try:
            self.ledger.charge(agent, kind, runs, self.rules.budget)
        except BudgetSpent as spent:
            self.trace.append(agent, kind, {"reason": str(spent)})
            return Reply(pgr=told, reason=str(spent))
        made = Submission(record=Record(agent=agent, kind=kind, digest=""))
        try:
            method = Method.of(code, most=self.rules.source_bytes)
            made.note(digest=method.digest)
            if self.sources is not None:
                put(self.sources / f"{method.digest}.py", method.source.encode())
            (self._on_dev if kind == "score" else self._on_gate)(method, made)
        except SettingError:  # the sandbox does not work: no fault of the method's
            made.note(reason="scorer: fault")
            raise
        except InputError as error:
            made.note(reason=str(error))
        finally:  # what fails for a fault of ours is charged too, or it would be free to repeat
            self.ledger.add(made.record)
            self.trace.append(agent, kind, made.detail())
        released = made.record.released
        return Reply(
            pgr=told if released is None else released,
            improved=made.record.improved,
            reason=made.record.reason,
        )

    def _on_dev(self, method: Method, made: Submission) -> None:
        classes = self._classes(method, "dev", made)
        vote = plurality(classes, self.problem.classes)
        self._refuse_near(vote, made)
        right = self._right(classes, "dev")
        pgr = self._pgr(float(right.mean()), "dev")
        made.note(pgr=pgr)
        self._audit(method, vote, right, made)
        held = self.rules.withhold and bool(made.record.alarms)
        best = self.ledger.best(made.record.agent)
        if not held and (best is None or pgr > best + self.eta()):
            made.note(improved=True, released=self._rounded(pgr))

    def _on_gate(self, method: Method, made: Submission) -> None:
        own = self.ledger.of(made.record.agent, "score")
        if not any(one.improved and one.digest == method.digest for one in own):
            raise InputError("gate: expected a method whose score on DEV was released, got another")
        gated = [one.digest for one in self.ledger.records if one.kind == "gate" and one.runs]
        if method.digest in gated:
            raise InputError("gate: expected a method that was not gated yet, got one that was")
        right = self._right(self._classes(method, "gate", made), "gate")
        pgr = self._pgr(float(right.mean()), "gate")
        made.note(pgr=pgr, released=self._rounded(pgr))

    def _refuse_near(self, vote: Ints, made: Submission) -> None:
        made.note(classes=tuple(vote.tolist()))
        least = self.rules.near * len(vote)
        earlier = self.ledger.of(made.record.agent, "score") if least else []
        apart = [(vote != np.array(one.classes)).sum() for one in earlier if one.classes]
        if min(apart, default=least) < least:
            raise InputError(
                f"duplicate: expected predictions that differ from each earlier submission's in "
                f"{self.rules.near:.1%} of the rows or more, got fewer"
            )

    def _audit(
        self, method: Method, vote: Ints, right: NDArray[np.bool_], made: Submission
    ) -> None:
        count = self.problem.classes
        made.alarms.append(canary(vote, self.holdout, count, limit=self.rules.canary_z))
        labels = self.holdout.labels[self.holdout.rows("dev")]
        chance = float(np.bincount(labels).max() / len(labels))
        if self.rules.audit_seeds:
            for audit, alter in ABLATIONS:
                without = self._right(self._classes(method, "dev", made, alter), "dev")
                alarm = ablation(audit, right, without, chance, limit=self.rules.kept)
                made.alarms.append(alarm)
        made.note(alarms=tuple(one.audit for one in made.alarms if one.rings))

    def _classes(
        self, method: Method, part: Part, made: Submission, alter: Alter | None = None
    ) -> Ints:
        """[S M] classes; InputError, with the method's reason, where one run gives none.

        What was begun beside or after a run that gives none is not charged, as in a row it would
        not have been begun.
        """
        found: list[Ints] = []
        problems = self._problems(part, alter)
        with closing(
            answers(self.execute, method, problems, workers=self.rules.workers)
        ) as answered:
            for answer in answered:
                spent = made.record.seconds + answer.seconds
                made.note(seconds=spent, runs=made.record.runs + 1)
                if answer.probabilities is None:
                    raise InputError(answer.reason)
                found.append(answer.probabilities.argmax(1))
        return np.stack(found)

    def _problems(self, part: Part, alter: Alter | None) -> Iterator[Problem]:
        for run, seed in enumerate(self._seeds(part, audit=bool(alter))):
            problem = replace(self.problem, seed=seed)
            if alter:
                cycle, turn = divmod(run, problem.classes)
                problem = alter(problem, np.random.default_rng([self.secret, cycle]), turn)
            yield problem

    def _seeds(self, part: Part, *, audit: bool) -> list[int]:
        """The same for every submission, so that sending a method again draws nothing again."""
        count = self.rules.audit_seeds if audit else self.rules.seeds
        draws = np.random.SeedSequence([self.secret, PARTS.index(part)])
        return [int(one) for one in draws.generate_state(count)]

    def _right(self, classes: Ints, part: Part) -> NDArray[np.bool_]:
        return self.holdout.right(classes)[:, self.holdout.rows(part)]

    def _baselines(self, part: Part) -> tuple[float, float]:
        rows = self.holdout.rows(part)
        weak, ceiling = self.holdout.weak_right[rows], self.holdout.ceiling_right[rows]
        return float(weak.mean()), float(ceiling.mean())

    def _pgr(self, accuracy: float, part: Part) -> float:
        weak, ceiling = self._baselines(part)
        return (accuracy - weak) / (ceiling - weak)

    def _rounded(self, pgr: float) -> float:
        return round(round(pgr / self.rules.grid) * self.rules.grid, 10)
