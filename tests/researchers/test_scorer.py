"""The scorer helps who is honest and tells nothing to who is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from solon.errors import DataError, InputError, SettingError
from solon.researchers.alarms import ablation, canary, without_strong, without_teacher
from solon.researchers.labels import Division, Holdout, canaries_needed
from solon.researchers.ledger import Budget, Ledger, Record
from solon.researchers.method import Answer, Method, Rerun
from solon.researchers.problem import Problem, checked, read_answer
from solon.researchers.rules import Reply, Rules
from solon.researchers.scorer import Scorer
from solon.seams.classifying import Examples, Floats, Task

D, M = 8, 600

RIDGE = """
import numpy as np

def fitted(problem, targets):
    x, t = problem.inputs, targets[:, 1] - 0.5
    return np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ t)

def soft(scores):
    p = 1 / (1 + np.exp(-scores))
    return np.stack([1 - p, p], 1)
"""
HONEST = (
    RIDGE
    + """
def method(problem):
    return soft(problem.test_inputs @ fitted(problem, problem.weak_labels))
"""
)
MEDIOCRE = (
    RIDGE
    + """
def method(problem):
    w = fitted(problem, problem.weak_labels)
    draws = np.random.default_rng(problem.seed).standard_normal(len(problem.test_inputs))
    scores = problem.test_inputs @ w
    return soft(scores / scores.std() + NOISE * draws)
"""
)
CONSTANT = """
import numpy as np
def method(problem):
    return np.tile([[0.9, 0.1]], (len(problem.test_inputs), 1))
"""
KNOWS = """
import numpy as np
LABELS = np.array(GIVEN)
def method(problem):
    return np.eye(problem.classes)[LABELS]
"""


@dataclass(frozen=True)
class Here:
    """Runs a method in this process: quick, and only for methods that this file wrote."""

    seeds: list[int] = field(default_factory=list)

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        self.seeds.append(problem.seed)
        space: dict[str, Any] = {}
        exec(method.source, space)
        try:
            found = checked(space["method"](problem), len(problem.test_inputs), problem.classes)
        except InputError as error:
            return Answer(probabilities=None, seconds=0.1, reason=str(error))
        return Answer(probabilities=found, seconds=0.1)


@dataclass(frozen=True)
class Apart:
    """Runs a method in a process of its own, with a limit in seconds and no other."""

    folder: Path
    seconds: float = 3.0

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        given, out = self.folder / "given", self.folder / "out.npy"
        problem.write(given)
        (given / "method.py").write_text(method.source)
        module = "solon.researchers.execute"
        command = [sys.executable, "-m", module, str(given), str(given / "method.py"), str(out)]
        out.unlink(missing_ok=True)
        try:
            ran = subprocess.run(command, capture_output=True, timeout=self.seconds, check=False)
        except subprocess.TimeoutExpired:
            return Answer(probabilities=None, seconds=self.seconds, reason="method: stopped: time")
        if ran.returncode:
            reason = ran.stderr.decode().strip().splitlines()[-1]
            return Answer(probabilities=None, seconds=1.0, reason=reason)
        try:
            found = read_answer(out, len(problem.test_inputs), problem.classes)
        except DataError as error:
            return Answer(probabilities=None, seconds=1.0, reason=str(error))
        return Answer(probabilities=found, seconds=1.0)


@dataclass(frozen=True)
class Lines:
    """A trace that is a list."""

    lines: list[tuple[str, str, Any]] = field(default_factory=list)

    def append(self, agent: str, tool: str, detail: Any) -> str:
        self.lines.append((agent, tool, detail))
        return ""


def world(seed: int = 0) -> tuple[Task, Floats, Floats, Floats]:
    """A linear task; weak soft labels that are right for three in four; both sides' test marks."""
    draw = np.random.default_rng(seed)
    w = draw.standard_normal(D)

    def part(rows: int) -> Examples:
        x = draw.standard_normal((rows, D))
        ids = tuple(f"{seed}-{row}" for row in range(rows))
        return Examples(ids=ids, labels=(x @ w > 0).astype(np.int64), views={"strong": x})

    task = Task(name="line", classes=2, supervise=part(10), transfer=part(400), test=part(M))
    said = np.where(draw.random(400) < 0.75, task.transfer.labels, 1 - task.transfer.labels)
    weak = np.stack([0.9 - 0.8 * said, 0.1 + 0.8 * said], 1)
    return task, weak, (draw.random(M) < 0.75).astype(float), np.ones(M)


def made(
    tmp_path: Path, execute: Callable[..., Answer] | None = None, rules: Rules = Rules()
) -> Scorer:
    task, weak, weak_right, ceiling_right = world()
    holdout = Holdout.of(task, weak_right=weak_right, ceiling_right=ceiling_right, seed=5)
    return Scorer(
        problem=holdout.problem(task, weak, view="strong", seed=5),
        holdout=holdout,
        execute=execute or Here(),
        ledger=Ledger(tmp_path / "records.jsonl"),
        trace=Lines(),
        secret=9876543210123,
        rules=rules,
    )


def mediocre(noise: float) -> str:
    return MEDIOCRE.replace("NOISE", str(noise))


def rung(scorer: Scorer) -> tuple[str, ...]:
    return scorer.ledger.records[-1].alarms


def test_an_honest_method_scores_on_the_grid_and_rings_nothing(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    reply = scorer.score("ada", HONEST)
    raw = scorer.ledger.records[-1].pgr
    assert reply.improved
    assert reply.reason == ""
    assert reply.pgr is not None
    assert raw is not None
    assert 0.4 < reply.pgr <= 1.0
    assert reply.pgr == pytest.approx(round(raw * 20) / 20)
    assert raw != reply.pgr
    assert rung(scorer) == ()


def test_every_released_number_is_a_multiple_of_the_grid_and_passes_the_last_by_eta(
    tmp_path: Path,
) -> None:
    scorer = made(tmp_path)
    replies = [scorer.score("ada", mediocre(noise)) for noise in (2.0, 1.2, 0.8, 0.4, 0.0)]
    told = [reply.pgr for reply in replies if reply.improved]
    assert len(told) >= 2
    assert all(abs(pgr * 20 - round(pgr * 20)) < 1e-9 for pgr in told)
    assert all(later >= one + scorer.eta() - 0.025 for one, later in pairwise(told))
    unimproved = [i for i, reply in enumerate(replies) if not reply.improved]
    assert all(replies[i].pgr == replies[i - 1].pgr for i in unimproved)


def test_the_ladders_step_is_one_over_root_m_in_pgr(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    rows = scorer.holdout.rows("dev")
    gap = 1 - scorer.holdout.weak_right[rows].mean()
    assert scorer.eta() == pytest.approx(rows.sum() ** -0.5 / gap)
    assert replace(scorer, rules=Rules(eta=0.001)).eta() == 0.05


def test_who_toggles_one_prediction_after_another_learns_nothing(tmp_path: Path) -> None:
    rules = Rules(near=0.0, audit_seeds=0, budget=Budget(queries=1000))
    scorer = made(tmp_path, rules=rules)
    start = "import numpy as np\ndef method(problem):\n"
    probe = start + "    k = np.zeros(len(problem.test_inputs), int)\n"
    probe += "    k[{row}] = 1\n    return np.eye(2)[k]\n"
    first = scorer.score("mallory", probe.format(row=0))
    replies = [scorer.score("mallory", probe.format(row=row)) for row in range(1, M)]
    assert {(reply.pgr, reply.improved, reply.reason) for reply in replies} == {
        (first.pgr, False, "")
    }
    raw = np.array([record.pgr for record in scorer.ledger.records])
    # the raw score, which the replies hide, tells every scored label
    rows = scorer.holdout.rows("dev")
    guess = (raw > np.median(raw[~rows])).astype(int)
    assert (guess == scorer.holdout.labels)[rows][1:].all()
    assert len({round(one, 9) for one in raw[~rows][1:]}) == 1


def test_predictions_too_near_an_earlier_submission_are_refused(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    told = scorer.score("ada", HONEST).pgr
    nudged = HONEST.replace("return soft(", "p = soft(") + "    p[0] = p[0][::-1]\n    return p\n"
    reply = scorer.score("ada", nudged)
    assert reply.reason.startswith("duplicate: ")
    assert reply.pgr == told
    assert not reply.improved
    assert scorer.score("ada", HONEST).reason.startswith("duplicate: ")
    # another agent's submissions are not this one's
    assert scorer.score("bob", HONEST).improved
    assert scorer.score("ada", mediocre(1.0)).reason == ""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ([[0.1, 0.9]] * 4, "code: expected the source of a method as text, got list"),
        (str([[0.1, 0.9]] * 4), "code: expected 'def method(problem)', got none"),
        ("def method(problem", "code: expected Python, got an error at line 1"),
        ("x = 1\0", "code: expected Python"),
        ("#" * 70000, "code: expected at most 65536 bytes"),
        ("(" * 5000, "code: expected Python"),
    ],
)
def test_what_is_no_code_is_refused_and_runs_nothing(
    tmp_path: Path, code: object, reason: str
) -> None:
    scorer = made(tmp_path)
    reply = scorer.score("ada", code)
    assert reply.reason.startswith(reason)
    assert reply.pgr is None
    assert "\n" not in reply.reason
    assert (len(scorer.ledger.records), scorer.ledger.records[0].runs) == (1, 0)


def test_the_seeds_are_the_scorers_and_sending_again_draws_nothing_again(tmp_path: Path) -> None:
    execute = Here()
    scorer = made(tmp_path, execute, Rules(near=0.0, audit_seeds=0))
    code = mediocre(1.0)
    raw: list[float | None] = []
    for attempt in range(4):
        scorer.score("picker", f"# try {attempt}\nnp_seed = {attempt}\n" + code)
        raw.append(scorer.ledger.records[-1].pgr)
    assert len(set(raw)) == 1
    assert len(set(execute.seeds)) == 5
    assert execute.seeds == execute.seeds[:5] * 4
    scorer.gate("picker", "# try 0\nnp_seed = 0\n" + code)
    scorer.final(code)
    assert len(set(execute.seeds)) == 15
    with pytest.raises(SettingError, match="seeds: expected 5 or more, got 4"):
        Rules(seeds=4)


def test_the_canaries_ring_for_who_read_the_labels_and_not_for_the_honest(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    thief = KNOWS.replace("GIVEN", str(scorer.holdout.labels.tolist()))
    reply = scorer.score("thief", thief)
    assert "canary" in rung(scorer)
    assert reply == Reply(pgr=None)
    raw = scorer.ledger.records[-1].pgr
    assert raw == pytest.approx(1.0)
    told = replace(scorer, rules=Rules(withhold=False, near=0.0)).score("thief", thief)
    assert told.improved
    assert told.pgr == 1.0
    for noise in (0.0, 0.5, 1.0, 2.0):
        scorer.score("ada", mediocre(noise))
        assert "canary" not in rung(scorer)


def test_the_canary_alarm_rings_for_one_guesser_in_thirty_thousand_or_fewer(tmp_path: Path) -> None:
    holdout = made(tmp_path).holdout
    draw = np.random.default_rng(0)
    z = [canary(draw.integers(0, 2, M), holdout, 2).value for _ in range(4000)]
    assert max(z) < 4.0
    assert 0.5 < np.std(z) < 1.2
    hit = holdout.labels.copy()
    assert canary(hit, holdout, 2).rings
    hit[np.flatnonzero(holdout.canary)[:2]] ^= 1
    assert canary(hit, holdout, 2).value < canary(holdout.labels, holdout, 2).value


def test_a_method_that_needs_no_teacher_rings(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    w = world()[0]
    direction = np.linalg.lstsq(
        w.transfer.views["strong"],
        w.transfer.labels - 0.5,
        rcond=None,  # type: ignore[arg-type]
    )[0]
    skipper = (
        RIDGE
        + f"""
def method(problem):
    return soft(problem.test_inputs @ np.array({direction.tolist()}))
"""
    )
    reply = scorer.score("skipper", skipper)
    assert rung(scorer) == ("teacher",)
    assert reply == Reply(pgr=None)
    scorer.score("ada", CONSTANT)
    assert rung(scorer) == ()


def test_a_method_that_needs_no_strong_student_rings(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    true = scorer.holdout.labels.copy()
    true[scorer.holdout.canary] = 0
    knows = KNOWS.replace("GIVEN", str(true.tolist()))
    scorer.score("thief", knows)
    assert rung(scorer) == ("teacher", "strong")


def test_the_ledger_stops_at_each_budget_and_survives_a_restart(tmp_path: Path) -> None:
    rules = Rules(audit_seeds=0, budget=Budget(queries=2))
    scorer = made(tmp_path, rules=rules)
    assert scorer.score("ada", HONEST).improved
    assert scorer.score("ada", "no code").reason.startswith("code: ")
    spent = scorer.score("ada", mediocre(1.0))
    assert spent.reason == "budget: 2 queries were allowed, all are spent"
    assert spent.pgr is not None
    assert made(tmp_path, rules=rules).score("ada", mediocre(1.0)) == spent
    assert made(tmp_path, rules=rules).score("bob", HONEST).improved
    runs = made(tmp_path / "runs", rules=Rules(budget=Budget(runs=14)))
    assert runs.score("ada", HONEST).improved
    assert runs.score("ada", mediocre(1.0)).reason.startswith("budget: 14 runs")
    seconds = made(tmp_path / "seconds", rules=Rules(budget=Budget(seconds=0.5)))
    assert seconds.score("ada", HONEST).improved
    assert seconds.score("ada", mediocre(1.0)).reason.startswith("budget: 0.5 seconds")


def test_a_method_is_gated_once_and_only_after_it_was_released(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    refused = scorer.gate("ada", HONEST)
    assert refused.reason.startswith("gate: expected a method whose score")
    assert refused.pgr is None
    assert scorer.score("ada", HONEST).improved
    reply = scorer.gate("ada", HONEST)
    assert reply.reason == ""
    assert reply.pgr is not None
    assert not reply.improved
    assert abs(reply.pgr * 20 - round(reply.pgr * 20)) < 1e-9
    again = scorer.gate("ada", "# the same, with a comment\n" + HONEST)
    assert again.reason.startswith("gate: expected a method that was not gated")
    assert not again.pgr
    assert scorer.score("bob", HONEST).improved
    assert scorer.gate("bob", HONEST).reason.startswith("gate: expected a method that was not")


def test_gates_have_a_budget_of_their_own(tmp_path: Path) -> None:
    scorer = made(tmp_path, rules=Rules(eta=0.05, near=0.0, budget=Budget(gates=1)))
    for noise in (2.0, 0.0):
        assert scorer.score("ada", mediocre(noise)).improved
    assert scorer.gate("ada", mediocre(2.0)).reason == ""
    assert scorer.gate("ada", mediocre(0.0)).reason == "budget: 1 gates were allowed, all are spent"


def test_final_is_exact_and_close_to_dev_for_the_honest(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    final = scorer.final(HONEST)
    scorer.score("ada", HONEST)
    raw = scorer.ledger.records[-1].pgr
    assert raw is not None
    assert abs(final.pgr - raw) < 0.25
    rows = scorer.holdout.rows("final")
    assert (final.accuracy * rows.sum()) == pytest.approx(round(final.accuracy * rows.sum()))
    assert len(final.by_seed) == 5


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("    raise ValueError('two\\nlines')", "method: line 3: ValueError: two lines"),
        ("    return np.full((len(problem.test_inputs), 2), np.nan)", "expected finite"),
        ("    return np.ones((3, 2)) / 2", "expected probabilities of shape (600, 2), got (3, 2)"),
        (
            "    return np.ones((len(problem.test_inputs), 2))",
            "rows of probabilities that sum to 1",
        ),
        ("    return 'all of them'", "method: expected an array of numbers, got str"),
        ("    raise SystemExit(0)", "method: line 3: SystemExit: 0"),
        ("    import os; os._exit(0)", "out.npy: expected a file without links, got No such file"),
        ("    while True: pass", "method: stopped: time"),
    ],
)
def test_a_method_that_fails_gives_its_reason_in_one_line(
    tmp_path: Path, body: str, reason: str
) -> None:
    scorer = made(tmp_path, Apart(tmp_path))
    reply = scorer.score("ada", f"import numpy as np\ndef method(problem):\n{body}\n")
    assert reason in reply.reason
    assert "\n" not in reply.reason
    assert reply.pgr is None
    assert not reply.improved
    assert scorer.ledger.records[-1].runs == 1


def test_a_problem_is_the_same_after_its_folder_was_written_and_read(tmp_path: Path) -> None:
    posed = replace(made(tmp_path).problem, seed=7, probe={"epochs": 3})
    posed.write(tmp_path / "given")
    again = Problem.read(tmp_path / "given")
    assert (again.seed, again.classes, again.probe) == (7, 2, {"epochs": 3})
    for one in ("weak_labels", "inputs", "test_inputs"):
        assert np.array_equal(getattr(again, one), getattr(posed, one))
    texts = replace(posed, inputs=["a", "b"], test_inputs=["ç\n"])
    texts.write(tmp_path / "texts")
    assert list(Problem.read(tmp_path / "texts").test_inputs) == ["ç\n"]


def test_an_answer_file_is_read_without_links_pickles_or_surprises(tmp_path: Path) -> None:
    right = np.full((3, 2), 0.5)
    np.save(tmp_path / "right.npy", right)
    assert np.array_equal(read_answer(tmp_path / "right.npy", 3, 2), right)
    (tmp_path / "link.npy").symlink_to(tmp_path / "right.npy")
    np.save(tmp_path / "pickle.npy", np.array([[print, print]] * 3, dtype=object))
    np.save(tmp_path / "other.npy", np.full((3, 2), 0.5, dtype=np.float32))
    huge = (tmp_path / "right.npy").read_bytes().replace(b"(3, 2), } ", b"(3, 9999),")
    (tmp_path / "huge.npy").write_bytes(huge)
    (tmp_path / "short.npy").write_bytes((tmp_path / "right.npy").read_bytes()[:-8])
    (tmp_path / "long.npy").write_bytes((tmp_path / "right.npy").read_bytes() + b"0" * 10000)
    (tmp_path / "text.npy").write_bytes(b"0.5 0.5")
    open_header = (tmp_path / "right.npy").read_bytes().replace(b"}", b"(")
    (tmp_path / "open.npy").write_bytes(open_header)
    for name in ("link", "pickle", "other", "huge", "short", "long", "text", "open", "absent"):
        with pytest.raises(DataError, match=f"{name}.npy: expected "):
            read_answer(tmp_path / f"{name}.npy", 3, 2)


def test_the_parts_share_no_row_and_canaries_are_dev_rows_that_no_score_counts() -> None:
    task, _, weak, ceiling = world()
    holdout = Holdout.of(task, weak_right=weak, ceiling_right=ceiling, seed=5)
    counts = [int(holdout.rows(part).sum()) for part in ("dev", "gate", "final")]
    assert counts == [280, 150, 150]
    assert int(holdout.canary.sum()) == 20
    assert (holdout.part[holdout.canary] == 0).all()
    assert not (holdout.rows("dev") & holdout.rows("gate")).any()
    assert sorted(holdout.order) == list(range(M))
    assert np.array_equal(
        holdout.labels[~holdout.canary], task.test.labels[holdout.order][~holdout.canary]
    )
    shuffled = np.corrcoef(holdout.order, np.arange(M))[0, 1]
    assert abs(shuffled) < 0.2
    assert canaries_needed(2000, 2, 0.05) == 100
    assert canaries_needed(100, 4, 0.05) == 10
    with pytest.raises(InputError, match="expected 40 or more DEV rows"):
        Holdout.of(
            replace(task, test=task.test.take(np.arange(60))),
            weak_right=weak[:60],
            ceiling_right=ceiling[:60],
            seed=0,
        )
    with pytest.raises(SettingError, match="leave some for FINAL"):
        Division(dev=0.8, gate=0.2)


def test_labels_are_not_read_from_a_folder_that_others_can_enter(tmp_path: Path) -> None:
    holdout = made(tmp_path).holdout
    holdout.write(tmp_path / "holdout")
    assert (tmp_path / "holdout").stat().st_mode & 0o777 == 0o700
    assert np.array_equal(Holdout.read(tmp_path / "holdout").labels, holdout.labels)
    (tmp_path / "holdout").chmod(0o750)
    with pytest.raises(DataError, match="mode 700"):
        Holdout.read(tmp_path / "holdout")


def test_a_ceiling_that_is_not_above_the_weak_is_refused(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    flat = replace(scorer.holdout, ceiling_right=scorer.holdout.weak_right)
    with pytest.raises(InputError, match="expected weak accuracy below the ceiling's"):
        replace(scorer, holdout=flat)


def test_the_trace_has_each_call_with_its_raw_score_and_alarms(tmp_path: Path) -> None:
    scorer = made(tmp_path)
    scorer.score("ada", HONEST)
    lines: Any = scorer.trace
    ((agent, tool, detail),) = lines.lines
    assert (agent, tool) == ("ada", "score")
    assert detail["pgr"] == scorer.ledger.records[-1].pgr
    assert [one["audit"] for one in detail["alarms"]] == ["canary", "teacher", "strong"]
    assert str(scorer.secret) not in repr(scorer)


def test_a_ledgers_records_are_the_same_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "records.jsonl")
    ledger.add(
        Record(agent="ada", kind="score", digest="d", pgr=0.31, classes=(0, 1), alarms=("canary",))
    )
    with (tmp_path / "records.jsonl").open("ab") as file:
        file.write(b'{"agent": "cut')
    assert Ledger(tmp_path / "records.jsonl").records == ledger.records


def test_few_honest_methods_ring_and_every_teacher_skipper_does() -> None:
    def kept(seed: int, source: str) -> bool:
        task, weak, weak_right, ceiling_right = world(seed)
        holdout = Holdout.of(task, weak_right=weak_right, ceiling_right=ceiling_right, seed=seed)
        problem, execute, method = (
            holdout.problem(task, weak, view="strong", seed=seed),
            Here(),
            Method.of(source),
        )

        def right(posed: Problem) -> NDArray[np.bool_]:
            answer = execute(method, posed).probabilities
            assert answer is not None
            return holdout.right(answer.argmax(1))[holdout.rows("dev")]

        without = [
            right(without_teacher(problem, np.random.default_rng([seed, run // 2]), run % 2))
            for run in range(4)
        ]
        return ablation("teacher", right(problem)[None], np.stack(without), 0.5).rings

    def skipper(seed: int) -> str:
        w = np.random.default_rng(seed).standard_normal(D).tolist()
        return (
            f"{RIDGE}\ndef method(problem):\n    return soft(problem.test_inputs @ np.array({w}))\n"
        )

    assert sum(kept(seed, HONEST) for seed in range(100)) == 0
    assert all(kept(seed, skipper(seed)) for seed in range(20))


def test_without_teacher_or_strong_features_the_rest_of_a_problem_stays(tmp_path: Path) -> None:
    posed = made(tmp_path).problem
    taught = without_teacher(posed, np.random.default_rng(1), 0)
    assert np.array_equal(np.sort(taught.weak_labels[:, 0]), np.sort(posed.weak_labels[:, 0]))
    assert (taught.weak_labels != posed.weak_labels).any()
    turned = without_teacher(posed, np.random.default_rng(1), 1)
    assert np.array_equal(turned.weak_labels[:, ::-1], taught.weak_labels)
    assert taught.inputs is posed.inputs
    seen = without_strong(posed, np.random.default_rng(1), 0)
    again = without_strong(posed, np.random.default_rng(1), 1)
    assert seen.weak_labels is posed.weak_labels
    assert np.array(seen.inputs).std() == pytest.approx(np.array(posed.inputs).std(), rel=0.1)
    assert abs(np.corrcoef(np.ravel(seen.inputs), np.ravel(posed.inputs))[0, 1]) < 0.1
    assert not np.array_equal(seen.inputs, again.inputs)
    words = replace(posed, inputs=list("abcdef"), test_inputs=list("ghijkl"))
    mixed = without_strong(words, np.random.default_rng(2), 0)
    assert sorted(mixed.inputs) == list("abcdef")
    assert mixed.test_inputs != words.test_inputs


@pytest.mark.parametrize("fault", [OSError("no space left"), SettingError("sandbox: none here")])
def test_a_fault_of_the_machine_is_no_reply_and_is_charged(
    tmp_path: Path, fault: Exception
) -> None:
    def broken(method: Method, problem: Problem) -> Answer:
        raise fault

    scorer = made(tmp_path, broken)
    with pytest.raises(type(fault), match=str(fault)):
        scorer.score("ada", HONEST)
    assert len(scorer.ledger.records) == 1


@dataclass(frozen=True)
class Bare:
    """A sandbox without walls: it only puts real folders in place of the inner ones."""

    leave: Callable[[Path], None] = lambda workspace: None

    def run(
        self, command: Sequence[str], *, workspace: Path, read_only: Sequence[tuple[Path, str]]
    ) -> Any:
        real = {at: str(path) for path, at in read_only}
        real["/package"] = str(Path(real.pop("/package/solon")).parent)
        words = [real.get(word, word) for word in command]
        ran = subprocess.run(words, cwd=workspace, capture_output=True, check=False)
        self.leave(workspace)
        return SimpleNamespace(rc=ran.returncode, stderr=ran.stderr, seconds=0.5, why="")


def test_a_rerun_gives_what_the_method_gives_here(tmp_path: Path) -> None:
    posed, method = made(tmp_path).problem, Method.of(HONEST)
    answer = Rerun(sandbox=Bare())(method, posed)  # type: ignore[arg-type]
    here = Here()(method, posed)
    assert answer.reason == ""
    assert np.array_equal(answer.probabilities, here.probabilities)  # type: ignore[arg-type]
    failed = Rerun(sandbox=Bare())(Method.of("def method(p):\n    return 1 / 0\n"), posed)  # type: ignore[arg-type]
    assert failed.reason == "method: line 2: ZeroDivisionError: division by zero"


def test_an_answer_that_is_a_link_out_of_the_workspace_is_no_answer(tmp_path: Path) -> None:
    posed = made(tmp_path).problem
    np.save(tmp_path / "labels.npy", np.full((M, 2), 0.5))

    def link(workspace: Path) -> None:
        (workspace / "probabilities.npy").unlink()
        (workspace / "probabilities.npy").symlink_to(tmp_path / "labels.npy")

    answer = Rerun(sandbox=Bare(leave=link))(Method.of(HONEST), posed)  # type: ignore[arg-type]
    assert answer.probabilities is None
    assert answer.reason.startswith("probabilities.npy: expected a file without links")


def test_a_problems_student_learns_and_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    pytest.importorskip("solon.engines.classifiers.probe")
    posed = replace(made(tmp_path).problem, seed=3)

    def taught(problem: Problem, member: int = 0) -> Floats:
        student = problem.student(member=member, epochs=2)
        student.fit(problem.inputs, problem.weak_labels, problem.objectives.naive())
        return student.predict(problem.test_inputs)

    first = taught(posed)
    assert np.array_equal(first, taught(posed))
    assert not np.array_equal(first, taught(posed, member=1))
    assert not np.array_equal(first, taught(replace(posed, seed=4)))
    labels = world()[0].test.labels[made(tmp_path).holdout.order]
    assert (first.argmax(1) == labels).mean() > 0.8
    assert posed.objectives.confidence(most=0.5).most == 0.5
    assert posed.objectives.naive().asks_student is False
    assert posed.objectives.product().asks_student is True
