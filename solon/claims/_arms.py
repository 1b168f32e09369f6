"""Runs on the town that share their supervised start and their judge, so that only the arm differs.

Every part is a run folder below one root: what is done is not done again, and a claim that was
interrupted goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from solon.bench.bench import Bench, compose
from solon.bench.closing import close
from solon.bench.town import lab
from solon.bench.town_models import TownLessons, judge_model, pair_judge, scorer
from solon.catalogue import find
from solon.engines.local import Transformer
from solon.judges.wrappers import BothOrders
from solon.records import Completion
from solon.run.run import Run
from solon.run.shards import read_records
from solon.run.start import write_manifest

TEST_PROMPTS = 300
# Smaller than the bench's own, so that five seeds of four arms fit into minutes.
LESSONS = TownLessons(n=32_000)
LABELLED = {"canonical": {"label.prompts": "1500"}}
JUDGE_SEED = 0  # one judge for every seed: it is an instrument, not what is measured


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A recipe, a seed, and what differs from the other arms.

    Example:
        Arm(name="rlhf", recipe="canonical", seed=3, changes={"judge": "human"})
    """

    name: str
    recipe: str
    seed: int
    changes: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, Any], ...] = ()

    def folder(self, root: Path) -> Path:
        return root / f"{self.name}-s{self.seed}"


def prepare(root: Path, seeds: Sequence[int]) -> None:
    """The judge, and the supervised start of every seed."""
    starts = [Arm(name="supervised", recipe="supervised", seed=seed) for seed in seeds]
    side_by_side([(school, (root,)), *[(supervise, (root, arm)) for arm in starts]])


def climb(root: Path, arms: Sequence[Arm]) -> None:
    """Runs the arms, two at a time."""
    side_by_side([(run_arm, (root, arm)) for arm in arms])


def answers(root: Path, arm: Arm, policy: str = "final") -> list[Completion]:
    """What the arm's policy said to the test prompts."""
    return read_records(arm.folder(root) / "records" / f"answers-{policy}")


def side_by_side(jobs: Sequence[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
    """The jobs in two processes, each with a job at a time; the first failure is raised."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(function, *given) for function, given in jobs]:
            future.result()


def school(root: Path) -> None:
    """Teaches the judge and keeps it as a model folder."""
    folder = root / "judge"
    if (folder / "policies" / "judge" / "config.json").exists():
        return
    with Run(folder, seed=JUDGE_SEED) as run:
        run.keep("judge", judge_model(LESSONS).open(run).freeze())


def taught(root: Path) -> Transformer:
    """The judge's model, as it left school."""
    folder = root / "judge" / "policies" / "judge"
    return Transformer(model=str(folder), name="judge", chat="never", max_new_tokens=4)


def ended(folder: Path, name: str = "final") -> Transformer:
    """A policy that the run in this folder kept, as the start of another."""
    model = str(folder / "policies" / name)
    return Transformer(model=model, chat="never", max_new_tokens=32)


def supervised(root: Path, seed: int) -> Transformer:
    """The supervised start of a seed, as ``prepare`` left it."""
    return ended(root / f"supervised-s{seed}")


def supervise(root: Path, arm: Arm) -> None:
    """The supervised start of a seed."""
    _run(root, arm, lab())


def run_arm(root: Path, arm: Arm) -> None:
    """One arm from its seed's supervised start to the answers of its policies."""
    bench = replace(
        lab(),
        policy=supervised(root, arm.seed),
        demonstrations=None,
        judge=BothOrders(judge=pair_judge(taught(root))),
        scorer=scorer(taught(root)),
    )
    _run(root, arm, replace(bench, **dict(arm.parts)))


def _run(root: Path, arm: Arm, bench: Bench) -> None:
    folder = arm.folder(root)
    if (folder / "summary.json").exists():
        return
    changes = LABELLED.get(arm.recipe, {}) | dict(arm.changes)
    recipe, bench = compose(find("recipes", arm.recipe).load(), bench, changes)
    write_manifest(folder, recipe, bench=bench.name, seed=arm.seed)
    with Run(folder, seed=arm.seed) as run:
        recipe(run)
        assert bench.prompts is not None
        close(run, bench, bench.prompts.open(run).take(TEST_PROMPTS, split="test"))
