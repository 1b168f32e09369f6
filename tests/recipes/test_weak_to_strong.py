"""The recipe on the laboratory of salience: what it keeps, its controls, hops, resuming."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solon.audits.recovery import Recovery
from solon.bench.session import Session
from solon.engines.classifiers import Probe
from solon.errors import SettingError
from solon.judges.trials import judged
from solon.lab.salience import Salience
from solon.objectives.weak import Confidence, Naive, ProductOfExperts
from solon.recipes.weak_to_strong import WeakToStrong
from solon.records import Prediction
from solon.run.run import Run

LAB = Salience(test=1500)
RECIPE = WeakToStrong(tasks=LAB, weak=Probe(view="weak"), strong=Probe(view="strong"), seeds=2)


def shares(folder: Path, recipe: WeakToStrong = RECIPE, seed: int = 0) -> dict[str, Any]:
    """Findings by name."""
    with Run(folder, seed=seed) as run:
        said = recipe(run)
        tasks = recipe.tasks.open(run)
    found = Recovery(draws=200).recorded(judged(said, tasks))
    return {one.quantity: one for one in found}


def test_a_student_recovers_a_part_and_confidence_more(tmp_path: Path) -> None:
    found = shares(tmp_path)
    assert found["pgr/naive"].low > 0
    assert found["pgr/student"].low > found["pgr/naive"].high
    assert found["agrees_where_wrong/student"].high < found["agrees_where_wrong/naive"].low, (
        "it imitates less"
    )
    accuracy = [found[f"accuracy/{role}"].estimate for role in ("weak", "naive", "ceiling")]
    assert accuracy == sorted(accuracy)


def test_errors_as_easy_as_the_truth_leave_nothing_to_recover(tmp_path: Path) -> None:
    found = shares(tmp_path, replace(RECIPE, tasks=replace(LAB, imitation=1.0)))
    assert abs(found["pgr/naive"].estimate) < 0.05
    assert abs(found["pgr/student"].estimate) < 0.1


def test_labels_of_other_items_recover_nothing(tmp_path: Path) -> None:
    found = shares(tmp_path, replace(RECIPE, shuffled=True))
    assert found["pgr/naive"].high <= 0
    assert found["pgr/student"].high <= 0


def test_hard_labels_make_the_product_the_naive_student(tmp_path: Path) -> None:
    said = {}
    with Run(tmp_path) as run:
        recipe = replace(RECIPE, hard=True, objective=ProductOfExperts(), seeds=1)
        for one in recipe(run):
            said.setdefault(one.role, []).append(one.p)
    assert said["student"] == said["naive"]


def test_the_bootstrap_gives_each_hop_labels_of_the_one_before(tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    class Watched(Probe):
        def new(self, classes: int, *, seed: int) -> Any:
            learner = super().new(classes, seed=seed)
            fit = type(learner).fit

            def watched(inputs: Any, targets: Any, *rest: Any, **more: Any) -> Any:
                asked.append((self.view, len(targets)))
                return fit(learner, inputs, targets, *rest, **more)

            return Fitted(learner, watched)

    middle = Watched(view="strong", hidden=8)
    recipe = replace(RECIPE, hops=(middle, middle), seeds=1, objective=Naive())
    with Run(tmp_path) as run:
        recipe(run)
    assert asked == [("strong", 267), ("strong", 267)]


class Fitted:
    """A classifier whose fit is another."""

    def __init__(self, learner: Any, fit: Any) -> None:
        self.learner, self.fit, self.predict = learner, fit, learner.predict


def test_epochs_are_kept_for_the_bound_of_early_stopping(tmp_path: Path) -> None:
    lab, longer = replace(LAB, test=500), Probe(view="strong", epochs=12)
    found = shares(
        tmp_path, replace(RECIPE, tasks=lab, strong=longer, epochs=True, objective=Naive())
    )
    assert found["bound/naive"].estimate > found["pgr/naive"].estimate
    with Run(tmp_path) as run:
        said = replace(RECIPE, tasks=lab, strong=longer, epochs=True, objective=Naive())(run)
    along = {one.epoch for one in said if one.role == "naive"}
    assert along == set(range(13))


def test_a_run_that_was_cut_off_trains_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Run(tmp_path / "whole") as run:
        whole = RECIPE(run)
    count = itertools.count()
    new = Probe.new

    def failing(self: Probe, classes: int, *, seed: int) -> Any:
        if next(count) == 3:  # two supervisors and one student are trained
            raise KeyboardInterrupt
        return new(self, classes, seed=seed)

    monkeypatch.setattr(Probe, "new", failing)
    with pytest.raises(KeyboardInterrupt), Run(tmp_path / "cut") as run:
        RECIPE(run)
    with Run(tmp_path / "cut") as run:
        again = RECIPE(run)
    assert again == whole
    assert next(count) == 3 + 1 + 5  # what was left of eight, and the one that failed


def test_the_recipe_sees_no_label_of_the_test(tmp_path: Path) -> None:
    (task,) = LAB.tasks_of(0)
    blind = replace(task, test=replace(task.test, labels=1 - task.test.labels))

    class Blind:
        def __init__(self, one: Any) -> None:
            self.one = one

        def open(self, run: Run) -> list[Any]:
            return [self.one]

    found = []
    for name, one in (("a", task), ("b", blind)):
        with Run(tmp_path / name) as run:
            found.append(replace(RECIPE, tasks=Blind(one), seeds=1)(run))
    assert found[0] == found[1]


def test_no_seeds_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="seeds: expected 1"), Run(tmp_path) as run:
        replace(RECIPE, seeds=0)(run)


def test_the_command_closes_with_the_parts_beside_the_share(tmp_path: Path) -> None:
    changes = {"tasks.test": "500", "tasks.tasks": "2", "seeds": "2", "objective": "product"}
    session = Session.find("weak_to_strong", "lab", changes, root=tmp_path)
    assert session.recipe.objective == ProductOfExperts()
    folder = session.run(quiet=True)
    page = (folder / "report.html").read_text()
    for word in ("concept-1 · weak", "concept-2 · ceiling", "median of tasks · student", "PGR"):
        assert word in page
    assert (folder / "audits" / "recovery.json").is_file()
    kept = {one.name for one in (folder / "records").iterdir()}
    assert kept == {"weak", "naive", "student", "ceiling"}


def test_predictions_are_records() -> None:
    one = Prediction(task="t", item="1", part="test", role="weak", seed=0, p=(0.5, 0.5))
    assert one.epoch == 0
    assert Confidence() == RECIPE.objective
