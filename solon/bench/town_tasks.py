"""Weak-to-strong in the town: answers to tell apart, and language models of two sizes that do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solon.bench.school import Schooled
from solon.bench.town_models import SHAPE
from solon.engines.classifiers import FineTuned
from solon.engines.local import Shape, Transformer
from solon.lab.demonstrations import Manners, answer, demonstrations
from solon.lab.gold import gold
from solon.lab.grammar import words
from solon.lab.town import OpenTown
from solon.objectives.adam import Adam
from solon.records import Completion, digest
from solon.run.run import Run
from solon.seams.classifying import Examples, Task
from solon.stages.imitate import Imitate

PARTS = ("supervise", "transfer", "test")
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class TownTask:
    """Is this answer one of the better half, by gold? Classes are worse and better.

    Example:
        TownTask().open(run)[0].test.seen("text")[0]
    """

    supervise: int = 400
    """Answers with true labels, for the supervisor."""
    transfer: int = 1600
    """Answers that the supervisor labels."""
    test: int = 1000
    """Answers on which all are tested."""
    manners: Manners = Manners()
    """How good the people are whose answers they are."""

    def open(self, run: Run, /) -> list[Task]:
        seed = run.seed_for("town task")
        draw = np.random.default_rng(seed)
        sizes = {part: getattr(self, part) for part in PARTS}
        asked = OpenTown(seed=seed).take(2 * sum(sizes.values()))
        said = [answer(prompt, self.manners, draw) for prompt in asked]
        fresh = list({_text(one): one for one in said}.items())[: sum(sizes.values())]
        golds = np.array([gold(one) for _, one in fresh])
        labels = (golds > np.median(golds)).astype(np.int64)
        parts: dict[str, Examples] = {}
        ends = np.cumsum(list(sizes.values()))[:-1]
        for part, rows in zip(PARTS, np.split(np.arange(len(fresh)), ends), strict=True):
            texts = [fresh[row][0] for row in rows]
            parts[part] = Examples(
                ids=tuple(digest(text) for text in texts),
                labels=labels[rows],
                views={"text": texts},
            )
        return [Task(name="better-half", classes=2, **parts)]


def _text(said: Completion) -> str:
    return f"{said.prompt.text} {said.text}"


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A transformer that has read the town, and then learns to classify. A Spec of a classifier.

    Example:
        LARGE.open(run).new(2, seed=0)
    """

    model: Schooled
    """What it reads, and how large it is."""
    tuned: FineTuned = FineTuned()
    """How it learns to classify."""

    def open(self, run: Run, /) -> FineTuned:
        folder = run.dir / "models" / self.model.name
        if not folder.is_dir():
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            self.model.open(run).freeze().save(partial)
            partial.rename(folder)
        return replace(self.tuned, model=str(folder))


@dataclass(frozen=True, kw_only=True)
class TownTexts:
    """What people of the town answer, to read."""

    n: int
    """Answers read."""

    def __call__(self, seed: int) -> Sequence[Completion]:
        return demonstrations(self.n, seed, Manners())


def pretrained(name: str, shape: Shape, *, read: int, tuned: FineTuned) -> Pretrained:
    """A transformer of that shape that has read so many answers once."""
    lessons: Callable[[int], Sequence[Completion]] = TownTexts(n=read)
    adam = Adam(lr=3e-3, warmup=20, schedule="linear", steps=-(-read // BATCH))
    model: Any = Transformer(shape=shape, tokenizer=words(), name=name, chat="never")
    schooled = Schooled(
        model=model, lessons=lessons, imitate=Imitate(batch=BATCH, adam=adam), name=name
    )
    return Pretrained(model=schooled, tuned=tuned)


SMALL = pretrained(
    "small",
    Shape(hidden=16, inner=32, layers=1, heads=2, context=192),
    read=2_000,
    tuned=FineTuned(optimiser=Adam(lr=1e-3, schedule="cosine")),
)
LARGE = pretrained(
    "large",
    SHAPE,
    read=24_000,
    tuned=FineTuned(optimiser=Adam(lr=3e-4, schedule="cosine"), epochs=4),
)
