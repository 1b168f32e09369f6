"""Claims that measure each seed by itself: one job a seed, and one file of its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from solon.claims._arms import side_by_side

Column: TypeAlias = Mapping[str, NDArray[np.float64]]
"""By name, what was measured: one row a seed."""
Folder: TypeAlias = Callable[[Path, int], Path]
"""Root, seed -> where the seed's arms and figures are kept."""
Measure: TypeAlias = Callable[[Path, Any, int], Mapping[str, float | Sequence[float]]]
"""Root, claim, seed -> figures by name."""


class Seeded(Protocol):
    """A claim that says which seeds it is measured on."""

    @property
    def seeds(self) -> tuple[int, ...]: ...


def columns(root: Path, claim: Seeded, folder: Folder, measure: Measure) -> Column:
    """The figures of all seeds; a seed whose ``found.json`` stands is not measured again."""
    files = [folder(root, seed) / "found.json" for seed in claim.seeds]
    jobs = zip(files, claim.seeds, strict=True)
    side_by_side([(_keep, (file, measure, root, claim, seed)) for file, seed in jobs])
    found = [orjson.loads(file.read_bytes()) for file in files]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def _keep(file: Path, measure: Measure, root: Path, claim: Seeded, seed: int) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(dict(measure(root, claim, seed))))
