"""A run that breaks off while it learns and is started again, beside one that was left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny import tiny

from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.seams.feedback import Policy


class Stopped(Exception):
    """What stands for a kill."""


@dataclass
class Stops:
    """A watcher that breaks the run off at its so-many-eth look."""

    shows: int
    seen: int = 0

    def __call__(self, step: int, policy: Policy, /) -> Mapping[str, float]:
        self.seen += 1
        if self.seen == self.shows:
            raise Stopped
        return {}


def stopped_and_whole(
    folder: Path, recipe: str, *, shows: int, **changes: str
) -> tuple[object, object]:
    """What both runs leave: weights, records and metrics."""
    one, two = folder / "whole", folder / "stopped"
    start(one, recipe, **changes)
    with pytest.raises(Stopped):
        start(two, recipe, Stops(shows=shows), **changes)
    start(two, recipe, **changes)
    return left(one), left(two)


def start(folder: Path, name: str, watcher: Stops | None = None, **changes: str) -> None:
    recipe, _ = tiny(name, **changes)
    with Run(folder, seed=3, checkpoint_seconds=0.0) as run:
        if watcher is not None:
            run.watch(watcher, every=1)
        recipe(run)


def left(folder: Path) -> tuple[object, ...]:
    said = [
        {key: value for key, value in line.items() if key != "time"}
        for line in lines.read(folder / "metrics.jsonl")
    ]
    records = {path.name: read_records(path) for path in sorted((folder / "records").iterdir())}
    weights = (folder / "policies" / "final" / "model.safetensors").read_bytes()
    return weights, records, said
