"""Every composition is a method, and the baselines are what they are said to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.engines.classifiers import Probe
from solon.errors import InputError, SettingError
from solon.lab.salience import Salience
from solon.objectives.weak import Confidence, Naive, ProductOfExperts
from solon.recipes.weak_to_strong import WeakToStrong, by_cell
from solon.records import Prediction
from solon.researchers.method import Method
from solon.researchers.parts import (
    BASELINES,
    FAMILIES,
    LIBRARY,
    Part,
    compose,
    labelled,
    named,
    students,
    tunings,
)
from solon.researchers.problem import Problem, checked
from solon.run.run import Run
from solon.seams.classifying import Floats, LabelObjective

LAB = Salience(supervise=200, transfer=400, test=1500)


def posed(lab: Salience = LAB, **settings: Any) -> tuple[Problem, Floats]:
    """A problem whose weak labels are a probe's, and the true test classes."""
    task = lab.tasks_of(4)[0]
    weak = Probe(view="weak").new(2, seed=1)
    weak.fit(task.supervise.seen("weak"), np.eye(2)[task.supervise.labels], Naive())
    problem = Problem(
        weak_labels=weak.predict(task.transfer.seen("weak")),
        inputs=task.transfer.seen("strong"),
        test_inputs=task.test.seen("strong"),
        classes=2,
        **settings,
    )
    return problem, task.test.labels


def answered(parts: tuple[Part, ...], problem: Problem) -> Floats:
    space: dict[str, Any] = {}
    exec(Method.of(compose(parts)).source, space)
    return checked(space["method"](problem), len(problem.test_inputs), problem.classes)


def trained(problem: Problem, objective: LabelObjective, rows: Any = slice(None)) -> Floats:
    student = problem.student()
    student.fit(problem.inputs[rows], problem.weak_labels[rows], objective)
    return student.predict(problem.test_inputs)


TINY = posed(Salience(supervise=40, transfer=28, test=20, junk=4), probe={"epochs": 1})[0]


def test_every_composition_of_two_parts_gives_probabilities() -> None:
    pairs = list(combinations(LIBRARY.values(), 2))
    assert len(pairs) > 400
    for pair in pairs:
        try:
            answered(pair, TINY)
        except Exception as error:
            raise AssertionError(labelled(pair)) from error


def test_every_setting_of_every_part_gives_probabilities() -> None:
    several = replace(
        TINY,
        weak_labels=np.random.default_rng(0).dirichlet(np.ones(3), len(TINY.inputs)),
        classes=3,
    )
    for part in LIBRARY.values():
        for variant in part.variants():
            answered((variant,), several)


def test_the_parts_cover_all_families_and_each_says_what_it_does() -> None:
    assert {part.family for part in LIBRARY.values()} == set(FAMILIES)
    assert len(FAMILIES) == 11
    said = [part.says for part in LIBRARY.values()]
    assert min(map(len, said)) > 5
    assert len(set(said)) == len(said)


def test_the_same_parts_in_any_order_are_the_same_source() -> None:
    parts = tuple(LIBRARY[name] for name in ("voted", "confidence", "confident", "product"))
    assert compose(parts) == compose(parts[::-1])
    sources = {compose(pair) for pair in combinations(LIBRARY.values(), 2)}
    assert len(sources) == len(LIBRARY) * (len(LIBRARY) - 1) // 2
    assert all(len(line) <= 100 for source in sources for line in source.splitlines())


def test_another_setting_is_another_method() -> None:
    digests = {Method.of(compose(one)).digest for one in tunings(BASELINES["confidence"])}
    assert len(digests) == 9


def test_a_method_draws_by_the_seed_of_its_problem_alone() -> None:
    parts = (LIBRARY["clustered"], LIBRARY["bagged"], LIBRARY["scattered"])
    first = answered(parts, TINY)
    assert (answered(parts, TINY) == first).all()
    assert (answered(parts, replace(TINY, seed=1)) != first).any()


@dataclass(frozen=True, kw_only=True)
class Seeded(Probe):
    """Whatever seed is asked for, that of a problem's first student."""

    def new(self, classes: int, *, seed: int) -> Any:
        del seed
        return Probe(view=self.view).new(
            classes, seed=int(np.random.SeedSequence([0, 0]).generate_state(1)[0])
        )


def test_the_naive_composition_is_the_naive_student_of_the_recipe(tmp_path: Path) -> None:
    recipe = WeakToStrong(
        tasks=LAB, weak=Probe(view="weak"), strong=Seeded(view="strong"), seeds=1, objective=Naive()
    )
    with Run(tmp_path) as run:
        said, task = recipe(run), LAB.open(run)[0]

    def of(role: str, part: str) -> list[Prediction]:
        return [one for one in said if (one.role, one.part) == (role, part)]

    problem = Problem(
        weak_labels=next(iter(by_cell(of("weak", "transfer")).values())),
        inputs=task.transfer.seen("strong"),
        test_inputs=task.test.seen("strong"),
        classes=2,
    )
    naive = np.array([one.p for one in of("naive", "test")])
    assert np.array_equal(answered(BASELINES["naive"], problem), naive)


def test_each_baseline_is_its_loss_or_its_filter() -> None:
    problem, _ = posed()
    sure = np.flatnonzero(problem.weak_labels.max(1) > 0.75)
    assert 8 < len(sure) < len(problem.weak_labels)
    expected = {
        "naive": trained(problem, Naive()),
        "confidence": trained(problem, Confidence(most=0.75, warmup=0.2)),
        "product": trained(problem, ProductOfExperts()),
        "confident-only": trained(problem, Naive(), sure),
    }
    assert set(expected) == set(BASELINES)
    for name, answer in expected.items():
        assert np.array_equal(answered(BASELINES[name], problem), answer), name


def test_the_mean_of_losses_lies_between_them() -> None:
    problem, _ = posed()
    naive, sure = LIBRARY["naive"], LIBRARY["confidence"]
    tops = [answered(one, problem).max(1).mean() for one in ((naive,), (naive, sure), (sure,))]
    assert tops == sorted(tops)
    assert tops[0] < tops[1] < tops[2]


@pytest.mark.parametrize("name", ["selected", "confidence", "neighbouring", "trimmed"])
def test_parts_that_should_help_where_errors_are_not_salient_do(name: str) -> None:
    problem, labels = posed()
    naive = (answered(BASELINES["naive"], problem).argmax(1) == labels).mean()
    assert (answered((LIBRARY[name],), problem).argmax(1) == labels).mean() > naive


def test_a_label_is_read_strictly() -> None:
    parts = (LIBRARY["voted"].tuned(count=5), LIBRARY["confidence"].tuned(most=0.5))
    assert labelled(parts) == "confidence(most=0.5, warmup=0.2) + voted(count=5)"
    assert set(named(labelled(parts))) == set(parts)
    for hostile in ("voted(count=10**9)", "voted", "os.system(count=3)", "", "voted(count=7)"):
        with pytest.raises(InputError):
            named(hostile)
    with pytest.raises(SettingError, match="count=7"):
        LIBRARY["voted"].tuned(count=7)
    with pytest.raises(SettingError, match="each of them once"):
        compose([LIBRARY["voted"], LIBRARY["voted"].tuned(count=5)])


def test_the_cost_of_a_composition_is_counted() -> None:
    assert students(BASELINES["naive"]) == 1
    asked: list[int] = []

    class Counted(Problem):
        def student(self, *, member: int = 0, **changes: Any) -> Any:
            asked.append(member)
            return super().student(member=member, **changes)

    names = {"weak_labels", "inputs", "test_inputs", "classes", "probe"}
    problem = Counted(**{name: getattr(TINY, name) for name in names})
    for part in LIBRARY.values():
        if part.place != "learn":
            continue
        most = 0
        for variant in part.variants():
            asked.clear()
            answered((variant,), problem)
            most = max(most, len(asked))
        assert most <= students((part,)), part.name
